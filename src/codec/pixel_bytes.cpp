#include "codec/pixel_bytes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sagitta::codec {
namespace {

bool inside(std::uint64_t from, std::size_t count, std::uint64_t size) {
    return from <= size && count <= size - from;
}

class BytesInMemory final : public PixelBytes {
public:
    explicit BytesInMemory(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::uint64_t size() const noexcept override { return bytes_.size(); }

    Result<void> read(std::uint64_t from, std::span<std::byte> to) const override {
        if (!inside(from, to.size(), bytes_.size()))
            return Error(Errc::truncated, "pixel data ends too early", from);
        if (!to.empty()) std::memcpy(to.data(), bytes_.data() + from, to.size());
        return {};
    }

private:
    std::span<const std::byte> bytes_;
};

class BytesInFile final : public PixelBytes {
public:
    BytesInFile(int descriptor, std::uint64_t offset, std::uint64_t length)
        : descriptor_(descriptor), offset_(offset), length_(length) {}
    ~BytesInFile() override { close(descriptor_); }
    BytesInFile(const BytesInFile&) = delete;
    BytesInFile& operator=(const BytesInFile&) = delete;

    std::uint64_t size() const noexcept override { return length_; }

    Result<void> read(std::uint64_t from, std::span<std::byte> to) const override {
        if (!inside(from, to.size(), length_))
            return Error(Errc::truncated, "pixel data ends too early", from);
        while (!to.empty()) {
            const auto got = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset_ + from));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return Error(Errc::io_failure, std::strerror(errno), offset_ + from);
            if (got == 0)
                return Error(Errc::truncated, "the file ends inside its pixel data", offset_ + from);
            from += static_cast<std::uint64_t>(got);
            to = to.subspan(static_cast<std::size_t>(got));
        }
        return {};
    }

private:
    int descriptor_;
    std::uint64_t offset_;
    std::uint64_t length_;
};

}  // namespace

std::unique_ptr<PixelBytes> pixel_bytes_in_memory(std::span<const std::byte> bytes) {
    return std::make_unique<BytesInMemory>(bytes);
}

Result<std::unique_ptr<PixelBytes>> pixel_bytes_in_file(const std::string& path, std::uint64_t offset,
                                                        std::uint64_t length) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return Error(errno == ENOENT ? Errc::not_found : Errc::io_failure,
                     path + ": " + std::strerror(errno));
    return std::unique_ptr<PixelBytes>(std::make_unique<BytesInFile>(descriptor, offset, length));
}

}  // namespace sagitta::codec
