#include "storage/direct_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sagitta::storage {
namespace {

constexpr std::size_t kPage = 4096;          // where memory and reads have to begin: enough for every disk
constexpr std::size_t kWindow = 1ull << 20;  // read at once

Error refused() {
    return {Errc::invalid_argument, "a file that is only read"};
}

}  // namespace

DirectReader::DirectReader(const File& file)
    : file_(file),
      descriptor_(file.descriptor() < 0 ? -1
                                        : ::open(fmt::format("/proc/self/fd/{}", file.descriptor()).c_str(),
                                                 O_RDONLY | O_DIRECT | O_CLOEXEC)),
      window_(descriptor_ < 0 ? nullptr : static_cast<std::byte*>(std::aligned_alloc(kPage, kWindow))) {}

DirectReader::~DirectReader() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::size_t> DirectReader::read_at(std::uint64_t offset, std::span<std::byte> into) const {
    std::size_t done = 0;
    while (done < into.size()) {
        const auto at = offset + done;
        if (at < window_at_ || at >= window_at_ + window_size_) {
            if (!fill(at)) {
                // Whatever it was: the other way gets it, or says what is wrong, or that the file ends here.
                auto rest = file_.read_at(at, into.subspan(done));
                if (!rest) return rest;
                return done + *rest;
            }
        }
        const auto from = static_cast<std::size_t>(at - window_at_);
        const auto count = std::min(window_size_ - from, into.size() - done);
        std::memcpy(into.data() + done, window_.get() + from, count);
        done += count;
    }
    return done;
}

/// Whether the byte at `offset` is in the window then.
bool DirectReader::fill(std::uint64_t offset) const {
    window_size_ = 0;
    if (!window_) return false;
    window_at_ = offset / kPage * kPage;
    ssize_t count = 0;
    do {
        count = ::pread(descriptor_, window_.get(), kWindow, static_cast<off_t>(window_at_));
    } while (count < 0 && errno == EINTR);
    if (count < 0) return false;
    window_size_ = static_cast<std::size_t>(count);
    return offset < window_at_ + window_size_;
}

Result<void> DirectReader::write_at(std::uint64_t, std::span<const std::span<const std::byte>>) {
    return refused();
}

Result<void> DirectReader::sync() {
    return refused();
}

Result<void> DirectReader::truncate(std::uint64_t) {
    return refused();
}

}  // namespace sagitta::storage
