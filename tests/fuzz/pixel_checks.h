// What must hold of every decoded frame, for the fuzz targets of codecs.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "codec/frame_codec.h"

namespace sagitta::test {

inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

/// Small enough that a frame takes milliseconds.
inline codec::DecodeOptions small_images() {
    codec::DecodeOptions options;
    options.limits.max_pixels_per_frame = 1u << 18;
    options.limits.max_frame_bytes = 1u << 21;
    options.limits.max_frames = 1000;
    options.limits.max_scans = 20;
    return options;
}

/// A format chosen by a byte: 8, 16 or 32 bits, one or three samples, signed or not, fewer bits stored.
inline codec::PixelFormat format_by(unsigned choice, std::uint32_t rows, std::uint32_t columns) {
    codec::PixelFormat format;
    format.rows = rows;
    format.columns = columns;
    format.bits_allocated = static_cast<std::uint16_t>(8u << (choice % 4 % 3));
    format.samples_per_pixel = (choice & 4) != 0 ? 3 : 1;
    format.photometric =
        format.samples_per_pixel == 3 ? codec::Photometric::rgb : codec::Photometric::monochrome2;
    format.is_signed = (choice & 8) != 0;
    format.bits_stored = static_cast<std::uint16_t>((choice & 16) != 0 ? format.bits_allocated * 3 / 4
                                                                       : format.bits_allocated);
    format.high_bit = static_cast<std::uint16_t>(format.bits_stored - 1);
    return format;
}

/// The frame is whole, and what `codec` makes of it is the same frame again.
inline void check_frame(const codec::Frame& frame, const codec::FrameCodec& codec,
                        std::string_view lossless_uid) {
    require(frame.bytes.size() == frame.format.frame_bytes(), "a frame has the bytes its format says");
    if (codec.refuses(frame.format, lossless_uid)) return;
    codec::PixelFormat written;
    const auto encoded = codec.encode(frame, lossless_uid, {}, written);
    require(encoded.has_value(), "what is not refused is encoded");
    require(encoded->size() % 2 == 0, "an encoded frame has even length");
    const auto again = codec.decode(encoded->span(), written, {});
    require(again.has_value(), "what was encoded is decoded");
    require(again->bytes.size() == frame.bytes.size() &&
                std::memcmp(again->bytes.data(), frame.bytes.data(), frame.bytes.size()) == 0,
            "lossless is lossless");
}

}  // namespace sagitta::test
