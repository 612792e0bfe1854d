// What a compressed stream says of itself beside what the data set declares: which of them is believed,
// and how a decoder's samples become those of a canonical frame.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "codec/pixel_format.h"

namespace sagitta::codec {

/// The header of a stream.
struct StreamFormat {
    std::string_view name;  ///< of the codec, for errors
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t components = 1;
    std::uint32_t precision = 8;    ///< bits of a sample
    std::optional<bool> is_signed;  ///< where the stream states it
};

/// The format of the frame before its samples are known: rows and columns of both must agree; the stream
/// decides how many samples a pixel has and how many bits they need at least (PS3.5 8.2).
/// Errors: mismatch, limit_exceeded, unsupported.
[[nodiscard]] Result<PixelFormat> reconcile(const StreamFormat& stream, const PixelFormat& declared,
                                            const PixelLimits& limits);

/// Room for the frame: its size is format.frame_bytes(), its bytes are not set. Errors: limit_exceeded.
[[nodiscard]] Result<Frame> make_frame(const PixelFormat& format);

/// The smallest and the largest sample.
struct SampleRange {
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
};

/// Where the samples of a plane go in a frame, and how many bits of them count.
struct PlaneTarget {
    std::uint64_t first = 0;  ///< its first sample in the frame
    std::uint32_t step = 1;   ///< samples of a pixel
    /// The sign is the highest of so many bits; 0 when the decoder's numbers have their sign already.
    std::uint32_t extend_from = 0;
};

/// Bits of two's complement that the stream gave as unsigned numbers become negative: what encoders do
/// with Pixel Representation 1 where the stream has no sign, or says wrongly that there is none.
[[nodiscard]] std::uint32_t extend_from(const StreamFormat& stream, const PixelFormat& declared) noexcept;

/// When all planes are stored: as few bits and as little sign as declared, where all samples fit; else
/// what the stream says.
void settle(PixelFormat& format, const SampleRange& range, const StreamFormat& stream,
            const PixelFormat& declared) noexcept;

namespace detail {

template <class Out, class In>
void store(const In* from, std::size_t count, const PlaneTarget& target, std::byte* to, SampleRange& range) {
    const std::uint32_t shift = target.extend_from == 0 ? 0 : 32 - target.extend_from;
    std::int32_t lowest = 0;
    std::int32_t highest = 0;
    to += target.first * sizeof(Out);
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = static_cast<std::uint32_t>(from[i]) << shift;
        const auto value = static_cast<std::int32_t>(bits) >> shift;
        lowest = std::min(lowest, value);
        highest = std::max(highest, value);
        const auto out = static_cast<Out>(value);
        std::memcpy(to + i * target.step * sizeof(Out), &out, sizeof(Out));
    }
    range.lowest = std::min<std::int64_t>(range.lowest, lowest);
    range.highest = std::max<std::int64_t>(range.highest, highest);
}

}  // namespace detail

/// Stores `count` samples, whose numbers fit 31 bits and a sign, in frames of 8, 16, 32 or 64 bits.
template <class In>
void store_plane(const In* from, std::size_t count, const PlaneTarget& target, Frame& frame,
                 SampleRange& range) {
    switch (frame.format.sample_bytes()) {
        case 1: return detail::store<std::uint8_t>(from, count, target, frame.bytes.data(), range);
        case 2: return detail::store<std::uint16_t>(from, count, target, frame.bytes.data(), range);
        case 4: return detail::store<std::int32_t>(from, count, target, frame.bytes.data(), range);
        default: return detail::store<std::int64_t>(from, count, target, frame.bytes.data(), range);
    }
}

/// The inverse, for encoders: `count` samples from sample `first` of the frame on, every `step`-th, as
/// numbers. Of formats with at most 31 bits stored, or 32 with a sign.
template <class Out>
void load_plane(const Frame& frame, const PlaneTarget& source, std::size_t count, Out* to) {
    const auto load = [&]<class In>(In /*type*/) {
        const std::byte* from = frame.bytes.data() + source.first * sizeof(In);
        for (std::size_t i = 0; i < count; ++i) {
            In value;
            std::memcpy(&value, from + i * source.step * sizeof(In), sizeof(In));
            to[i] = static_cast<Out>(value);
        }
    };
    const bool is_signed = frame.format.is_signed;
    switch (frame.format.sample_bytes()) {
        case 1: return is_signed ? load(std::int8_t{}) : load(std::uint8_t{});
        case 2: return is_signed ? load(std::int16_t{}) : load(std::uint16_t{});
        case 4: return load(std::int32_t{});
        default: return load(std::int64_t{});
    }
}

/// Why frames of this format are nothing for encoders of whole numbers colour by pixel.
[[nodiscard]] std::optional<Error> refuses_samples(const PixelFormat& format, std::string_view codec,
                                                   std::uint32_t min_bits, std::uint32_t max_bits);

}  // namespace sagitta::codec
