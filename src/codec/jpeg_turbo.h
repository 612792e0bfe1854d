// JPEG of 8 bits with a discrete cosine transform, by libjpeg-turbo, which stays inside jpeg_turbo.cpp.
#pragma once

#include <cstdint>
#include <span>

#include "core/byte_buffer.h"
#include "core/result.h"

namespace sagitta::codec::jpeg {

struct TurboOptions {
    std::uint32_t reduce = 0;        ///< halvings, up to 3 are done
    bool stream_is_ybr = true;       ///< of three components
    bool to_rgb = false;             ///< turn them into RGB when they are YBR
    std::uint32_t max_scans = 1000;  ///< of a progressive stream
};

struct TurboImage {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t components = 1;
    ByteBuffer pixels;  ///< by pixel
};

/// Errors: malformed, truncated, unsupported, limit_exceeded, in the library's words.
[[nodiscard]] Result<TurboImage> decode_turbo(std::span<const std::byte> encoded,
                                              const TurboOptions& options);

/// Baseline of one component, or of YBR with the chrominance halved along rows (YBR_FULL_422).
/// `is_rgb` when three components come as RGB. Even length. Errors: io_failure, in the library's words.
[[nodiscard]] Result<ByteBuffer> encode_turbo(const TurboImage& image, bool is_rgb, std::uint32_t quality);

}  // namespace sagitta::codec::jpeg
