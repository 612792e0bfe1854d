#include "file_payload.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sagitta::tools {
namespace {
constexpr std::uint64_t kChunkBytes = 512 * 1024;
constexpr std::uint64_t kFileChunkBytes = 4 * 1024 * 1024;
}  // namespace

Result<std::unique_ptr<FilePayload>> FilePayload::open(const std::string& path, std::uint64_t offset_bytes,
                                                       std::uint64_t size_bytes) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return Error(errno == ENOENT ? Errc::not_found : Errc::io_failure, std::strerror(errno));
    return std::unique_ptr<FilePayload>(new FilePayload(file, offset_bytes, size_bytes));
}

FilePayload::~FilePayload() {
    ::close(file_);
}

Task<Result<std::span<const std::byte>>> FilePayload::next() {
    chunk_.clear();
    const auto wanted = static_cast<std::size_t>(std::min(kChunkBytes, size_ - given_));
    const auto room = chunk_.prepare(wanted);
    ssize_t got = 0;
    do {
        got = ::pread(file_, room.data(), room.size(), static_cast<off_t>(offset_ + given_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        Error failed(Errc::io_failure, std::strerror(errno));
        co_return failed;
    }
    if (got == 0 && wanted != 0) {
        Error failed(Errc::truncated, "the file has become shorter");
        co_return failed;
    }
    chunk_.commit(static_cast<std::size_t>(got));
    given_ += static_cast<std::uint64_t>(got);
    co_return std::as_const(chunk_).span();
}

Task<Result<std::optional<FileRange>>> FilePayload::next_in_file() {
    FileRange range;
    range.descriptor = file_;
    range.offset = offset_ + given_;
    range.length = std::min(kFileChunkBytes, size_ - given_);
    given_ += range.length;
    co_return std::optional<FileRange>(std::move(range));
}

}  // namespace sagitta::tools
