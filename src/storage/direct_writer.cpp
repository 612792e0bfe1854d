#include "storage/direct_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "storage/io_vectors.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kPage = 4096;          // where memory has to begin: enough for every disk
constexpr std::size_t kSector = 512;         // of most disks; others say EINVAL
constexpr std::size_t kBuffer = 4ull << 20;  // one write's bytes

/// Needs no copy.
bool is_direct(std::span<const std::byte> part) noexcept {
    return reinterpret_cast<std::uintptr_t>(part.data()) % kPage == 0 && part.size() % kSector == 0 &&
           !part.empty();
}

}  // namespace

DirectWriter::DirectWriter(int descriptor) noexcept
    // By number, not by name: the file may have been renamed since it was opened.
    : descriptor_(
          ::open(fmt::format("/proc/self/fd/{}", descriptor).c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC)),
      buffer_(descriptor_ < 0 ? nullptr : take_object_memory(kBuffer).data()) {}

DirectWriter::~DirectWriter() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

int DirectWriter::write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) {
    if (!buffer_) return EINVAL;
    filled_ = 0;
    gathered_.clear();
    for (auto part : parts) {
        if (is_direct(part) && filled_ % kSector == 0) {
            gathered_.push_back({const_cast<std::byte*>(part.data()), part.size()});
            continue;
        }
        while (!part.empty()) {
            const auto taken = std::min(part.size(), kBuffer - filled_);
            gather(part.first(taken));
            part = part.subspan(taken);
            if (filled_ < kBuffer) continue;
            if (const int failed = write_out(offset)) return failed;
        }
    }
    return write_out(offset);
}

/// Into the buffer, behind what is there.
void DirectWriter::gather(std::span<const std::byte> bytes) {
    auto* const at = buffer_.get() + filled_;
    std::memcpy(at, bytes.data(), bytes.size());
    filled_ += bytes.size();
    if (!gathered_.empty()) {
        auto& last = gathered_.back();
        if (static_cast<std::byte*>(last.iov_base) + last.iov_len == at) {
            last.iov_len += bytes.size();
            return;
        }
    }
    gathered_.push_back({at, bytes.size()});
}

/// What was gathered, and the buffer is empty again; `offset` is behind it then.
int DirectWriter::write_out(std::uint64_t& offset) {
    std::size_t left = 0;
    for (const auto& one : gathered_) left += one.iov_len;
    for (std::size_t first = 0; first < gathered_.size();) {
        // Some file systems would take other lengths, slowly.
        if (offset % kSector != 0 || left % kSector != 0) return EINVAL;
        const auto count = static_cast<int>(std::min<std::size_t>(gathered_.size() - first, IOV_MAX));
        const auto n = ::pwritev(descriptor_, gathered_.data() + first, count, static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        const auto done = static_cast<std::size_t>(n);
        offset += done;
        left -= done;
        first = skip_written(gathered_, first, done);
    }
    gathered_.clear();
    filled_ = 0;
    return 0;
}

}  // namespace sagitta::storage
