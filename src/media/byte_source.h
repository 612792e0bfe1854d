// Bytes that come one after the other, wherever they lie: a file, a member of a tar or zip file, a
// member of a volume.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/byte_buffer.h"
#include "core/result.h"

namespace sagitta::media {

/// One thread at a time.
class ByteSource {
public:
    virtual ~ByteSource() = default;

    /// Fills `into`; fewer bytes only at the end. Errors: io_failure, malformed.
    [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
    /// How many bytes there are in all, as far as that is known before the end. Not to be trusted.
    [[nodiscard]] virtual std::optional<std::uint64_t> size_bytes() const = 0;
};

/// A file, or `length_bytes` of it from `from` on. Errors, without the path: not_found, io_failure.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_file(const std::string& path);
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_range(const std::string& path, std::uint64_t from,
                                                             std::uint64_t length_bytes);

/// Appends what is left, in growing pieces: a declared size allocates nothing that does not come.
/// Errors: limit_exceeded when `into` would pass `max_bytes`, and the source's.
[[nodiscard]] Result<void> read_rest(ByteSource& source, std::uint64_t max_bytes, ByteBuffer& into);

}  // namespace sagitta::media
