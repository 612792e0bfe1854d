// The encoded data set of an outgoing message, chunk by chunk: bytes of an archive go to the
// socket without becoming a DataSet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/file_range.h"
#include "core/result.h"
#include "core/task.h"

namespace sagitta::net::dimse {

class Payload {
public:
    virtual ~Payload() = default;

    /// Exactly the bytes `next` will give in all. An odd number is sent as it is.
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    /// The next bytes, at least one while any are left; valid until the following call. Large
    /// chunks (256 KiB and more) are good. An error aborts the association if bytes have left.
    [[nodiscard]] virtual Task<Result<std::span<const std::byte>>> next() = 0;
    /// The next bytes where they lie in a file, in memory as a rule, so that sending them does not wait for
    /// the disk; nothing when they do not: then `next` gives them. Errors as there.
    [[nodiscard]] virtual Task<Result<std::optional<FileRange>>> next_in_file() {
        co_return std::optional<FileRange>();
    }
};

/// Bytes the caller keeps in memory while they are sent.
class MemoryPayload final : public Payload {
public:
    explicit MemoryPayload(std::span<const std::byte> bytes) : bytes_(bytes) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return bytes_.size(); }
    [[nodiscard]] Task<Result<std::span<const std::byte>>> next() override { co_return bytes_; }

private:
    std::span<const std::byte> bytes_;
};

}  // namespace sagitta::net::dimse
