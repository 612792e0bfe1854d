// Small images for the tests of codecs.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

#include "codec/pixel_format.h"
#include "core/byte_buffer.h"

namespace sagitta::test {

inline ByteBuffer bytes_of(std::initializer_list<int> values) {
    ByteBuffer bytes;
    for (const int value : values) {
        const auto byte = static_cast<std::byte>(value);
        bytes.append({&byte, 1});
    }
    return bytes;
}

inline std::vector<int> values_of(std::span<const std::byte> bytes) {
    std::vector<int> values;
    for (const std::byte byte : bytes) values.push_back(std::to_integer<int>(byte));
    return values;
}

inline codec::PixelFormat format_of(std::uint32_t rows, std::uint32_t columns, int allocated, int stored,
                                    bool is_signed = false, int samples = 1) {
    codec::PixelFormat format;
    format.rows = rows;
    format.columns = columns;
    format.samples_per_pixel = static_cast<std::uint16_t>(samples);
    format.bits_allocated = static_cast<std::uint16_t>(allocated);
    format.bits_stored = static_cast<std::uint16_t>(stored);
    format.high_bit = static_cast<std::uint16_t>(stored - 1);
    format.is_signed = is_signed;
    format.photometric = samples == 3 ? codec::Photometric::rgb : codec::Photometric::monochrome2;
    return format;
}

enum class Texture {
    noise,      ///< every value that Bits Stored allows, the extremes often
    structure,  ///< runs, ramps and a little noise, as in pictures
};

/// A frame in canonical form, the same for the same arguments.
inline codec::Frame frame_of(const codec::PixelFormat& format, Texture texture, unsigned seed = 1) {
    codec::Frame frame;
    frame.format = format;
    std::mt19937_64 random(seed);
    const unsigned bits = format.bits_stored;
    const std::uint64_t all = bits == 64 ? ~0ull : (1ull << bits) - 1;
    const std::size_t size = format.sample_bytes();
    for (std::uint64_t n = 0; n < format.pixels() * format.samples_per_pixel; ++n) {
        const std::uint64_t x = n / format.samples_per_pixel % format.columns;
        const std::uint64_t y = n / format.samples_per_pixel / format.columns;
        std::uint64_t value = random();
        if (texture == Texture::structure) {
            value = x < format.columns / 3 ? 7 * (y / 4) : x * 3 + y * 2 + (value & 3);
        } else if (value % 8 == 0) {
            value = value & 8 ? all : all >> 1;
        }
        value &= all;
        if (format.is_signed && (value >> (bits - 1)) != 0) value |= ~all;
        std::memcpy(frame.bytes.prepare(size).data(), &value, size);
        frame.bytes.commit(size);
    }
    return frame;
}

inline bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace sagitta::test
