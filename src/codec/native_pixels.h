// Native pixel data (PS3.5 section 8.1.1, 8.2): how uncompressed samples lie in bytes, and back. Knows
// nothing of data sets or fragments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/pixel_format.h"

namespace sagitta::codec {

/// Of a frame as stored: a 1-bit sample takes a bit, YBR_FULL_422 has two samples for each pixel
/// (PS3.3 C.7.6.3.1.2).
[[nodiscard]] std::uint64_t native_frame_bits(const PixelFormat& format) noexcept;

/// One frame in little endian, beginning at the first bit. Bytes behind it are not looked at.
/// Errors: truncated, limit_exceeded.
[[nodiscard]] Result<Frame> unpack_native(std::span<const std::byte> stored, const PixelFormat& declared,
                                          const PixelLimits& limits = {});

/// The same; where the samples already lie as they should, in the bytes that are given.
[[nodiscard]] Result<Frame> unpack_native(ByteBuffer stored, const PixelFormat& declared,
                                          const PixelLimits& limits = {});

/// The frame as native pixel data, colour by pixel, 1-bit samples packed; of odd length where it is odd.
[[nodiscard]] ByteBuffer pack_native(const Frame& frame);

/// Samples as stored in containers of sample_bytes() become values: what lies outside of Bits Stored is
/// masked, the rest moved down to bit 0, the sign extended. `format` says so afterwards.
void keep_stored_bits(std::span<std::byte> samples, PixelFormat& format) noexcept;

/// Colour by plane becomes colour by pixel, in containers of `sample_bytes` (1, 2, 4 or 8).
void interleave_planes(std::span<const std::byte> planes, std::uint32_t samples_per_pixel,
                       std::uint32_t sample_bytes, std::span<std::byte> pixels) noexcept;

}  // namespace sagitta::codec
