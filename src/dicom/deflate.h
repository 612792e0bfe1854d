// RFC 1951 streams, as the deflated transfer syntaxes use them (PS3.5 A.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/byte_buffer.h"
#include "core/result.h"

namespace sagitta::dicom {

/// A zlib wrapper around the stream is tolerated, as is the one padding byte behind it.
/// Errors: malformed, truncated, limit_exceeded (more than `max_bytes` come out).
[[nodiscard]] Result<ByteBuffer> inflate(std::span<const std::byte> deflated, std::uint64_t max_bytes);

/// Appends the stream, padded to even length. Errors: limit_exceeded beyond 4 GiB.
[[nodiscard]] Result<void> deflate(std::span<const std::byte> bytes, ByteBuffer& out);

}  // namespace sagitta::dicom
