#include "storage/direct_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sagitta::storage {
namespace {

constexpr std::size_t kPage = 4096;          // where memory has to begin: enough for every disk
constexpr std::size_t kSector = 512;         // of most disks; others say EINVAL
constexpr std::size_t kBuffer = 4ull << 20;  // one write's bytes

}  // namespace

DirectWriter::DirectWriter(int descriptor) noexcept
    // By number, not by name: the file may have been renamed since it was opened.
    : descriptor_(
          ::open(fmt::format("/proc/self/fd/{}", descriptor).c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC)),
      buffer_(descriptor_ < 0 ? nullptr : static_cast<std::byte*>(std::aligned_alloc(kPage, kBuffer))) {}

DirectWriter::~DirectWriter() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

int DirectWriter::write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) noexcept {
    if (!buffer_) return EINVAL;
    std::size_t filled = 0;
    for (auto part : parts) {
        while (!part.empty()) {
            const auto taken = std::min(part.size(), kBuffer - filled);
            std::memcpy(buffer_.get() + filled, part.data(), taken);
            part = part.subspan(taken);
            filled += taken;
            if (filled < kBuffer) continue;
            if (const int failed = write_out(offset, filled)) return failed;
            offset += std::exchange(filled, 0);
        }
    }
    return write_out(offset, filled);
}

int DirectWriter::write_out(std::uint64_t offset, std::size_t length) noexcept {
    std::size_t done = 0;
    while (done < length) {
        // The kernel would take a length that is no multiple of its blocks on some file systems, and write it
        // slowly.
        if ((offset + done) % kSector != 0 || (length - done) % kSector != 0) return EINVAL;
        const auto n =
            ::pwrite(descriptor_, buffer_.get() + done, length - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        done += static_cast<std::size_t>(n);
    }
    return 0;
}

}  // namespace sagitta::storage
