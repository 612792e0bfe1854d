// The data set of a file on its way out, in chunks, byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "net/dimse/payload.h"

namespace sagitta::tools {

class FilePayload final : public net::dimse::Payload {
public:
    /// `size_bytes` from `offset_bytes`. Errors: not_found, io_failure.
    [[nodiscard]] static Result<std::unique_ptr<FilePayload>> open(const std::string& path,
                                                                   std::uint64_t offset_bytes,
                                                                   std::uint64_t size_bytes);
    ~FilePayload() override;
    FilePayload(const FilePayload&) = delete;
    FilePayload& operator=(const FilePayload&) = delete;

    [[nodiscard]] std::uint64_t size_bytes() const override { return size_; }
    /// Errors: truncated when the file has become shorter, io_failure.
    [[nodiscard]] Task<Result<std::span<const std::byte>>> next() override;
    [[nodiscard]] Task<Result<std::optional<FileRange>>> next_in_file() override;

private:
    FilePayload(int file, std::uint64_t offset, std::uint64_t size)
        : file_(file), offset_(offset), size_(size) {}

    int file_;
    std::uint64_t offset_;
    std::uint64_t size_;
    std::uint64_t given_ = 0;
    ByteBuffer chunk_;
};

}  // namespace sagitta::tools
