#include "codec/native_pixels.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "core/bytes.h"

namespace sagitta::codec {
namespace {

bool is_422(const PixelFormat& format) noexcept {
    return format.photometric == Photometric::ybr_full_422 && format.samples_per_pixel == 3;
}

template <class T>
void keep_bits(std::span<std::byte> samples, unsigned shift, unsigned stored, bool is_signed) noexcept {
    constexpr unsigned kBits = 8 * sizeof(T);
    const unsigned above = kBits - stored;  // below kBits: at least one bit is stored
    using Signed = std::make_signed_t<T>;
    for (std::size_t at = 0; at + sizeof(T) <= samples.size(); at += sizeof(T)) {
        T value;
        std::memcpy(&value, samples.data() + at, sizeof value);
        const T moved = static_cast<T>(static_cast<T>(value >> shift) << above);
        value =
            is_signed ? static_cast<T>(static_cast<Signed>(moved) >> above) : static_cast<T>(moved >> above);
        std::memcpy(samples.data() + at, &value, sizeof value);
    }
}

template <std::size_t Bytes>
void interleave(const std::byte* planes, std::size_t pixels, std::size_t count, std::byte* out) noexcept {
    for (std::size_t plane = 0; plane < count; ++plane) {
        const std::byte* from = planes + plane * pixels * Bytes;
        std::byte* to = out + plane * Bytes;
        for (std::size_t n = 0; n < pixels; ++n, from += Bytes, to += count * Bytes)
            std::memcpy(to, from, Bytes);
    }
}

// Each bit of `packed`, the lowest first, becomes a byte of 0 or 1.
void unpack_bits(std::span<const std::byte> packed, std::size_t count, std::byte* out) noexcept {
    constexpr std::uint64_t kEach = 0x0101010101010101u;
    constexpr std::uint64_t kOneBitEach = 0x8040201008040201u;
    constexpr std::uint64_t kCarry = 0x7f7f7f7f7f7f7f7fu;
    for (std::size_t done = 0; done < count; done += 8) {
        const auto byte = std::to_integer<std::uint64_t>(packed[done / 8]);
        const std::uint64_t spread = ((((byte * kEach) & kOneBitEach) + kCarry) >> 7) & kEach;
        std::memcpy(out + done, &spread, std::min<std::size_t>(8, count - done));
    }
}

// Y1 Y2 Cb Cr for two pixels of a row (PS3.3 C.7.6.3.1.2) becomes Y Cb Cr for each.
void repeat_chrominance(const std::byte* stored, const PixelFormat& format, std::byte* out) noexcept {
    const std::size_t size = format.sample_bytes();
    for (std::uint32_t row = 0; row < format.rows; ++row) {
        for (std::uint32_t column = 0; column < format.columns; ++column) {
            std::memcpy(out, stored + (column % 2) * size, size);
            std::memcpy(out + size, stored + 2 * size, 2 * size);
            out += 3 * size;
            if (column % 2 == 1 || column + 1 == format.columns) stored += 4 * size;
        }
    }
}

}  // namespace

std::uint64_t native_frame_bits(const PixelFormat& format) noexcept {
    if (is_422(format))
        return std::uint64_t{format.rows} * ((format.columns + 1) / 2) * 4 * format.bits_allocated;
    return format.pixels() * format.samples_per_pixel * format.bits_allocated;
}

void interleave_planes(std::span<const std::byte> planes, std::uint32_t samples_per_pixel,
                       std::uint32_t sample_bytes, std::span<std::byte> pixels) noexcept {
    const std::size_t count = planes.size() / (std::size_t{samples_per_pixel} * sample_bytes);
    switch (sample_bytes) {
        case 1: return interleave<1>(planes.data(), count, samples_per_pixel, pixels.data());
        case 2: return interleave<2>(planes.data(), count, samples_per_pixel, pixels.data());
        case 4: return interleave<4>(planes.data(), count, samples_per_pixel, pixels.data());
        default: return interleave<8>(planes.data(), count, samples_per_pixel, pixels.data());
    }
}

void keep_stored_bits(std::span<std::byte> samples, PixelFormat& format) noexcept {
    if (format.sample != SampleType::integer || format.bits_allocated == 1) return;
    const unsigned stored = format.bits_stored;
    const unsigned shift = format.high_bit + 1u - stored;
    format.high_bit = static_cast<std::uint16_t>(stored - 1);
    if (stored == format.bits_allocated) return;
    switch (format.sample_bytes()) {
        case 1: return keep_bits<std::uint8_t>(samples, shift, stored, format.is_signed);
        case 2: return keep_bits<std::uint16_t>(samples, shift, stored, format.is_signed);
        case 4: return keep_bits<std::uint32_t>(samples, shift, stored, format.is_signed);
        default: return keep_bits<std::uint64_t>(samples, shift, stored, format.is_signed);
    }
}

Result<Frame> unpack_native(std::span<const std::byte> stored, const PixelFormat& declared,
                            const PixelLimits& limits) {
    if (auto checked = check_limits(declared, limits); !checked) return std::move(checked).error();
    const std::uint64_t wanted = (native_frame_bits(declared) + 7) / 8;
    if (stored.size() < wanted)
        return Error(Errc::truncated, "a frame of " + std::to_string(wanted) + " bytes has only " +
                                          std::to_string(stored.size()));
    Frame frame;
    frame.format = declared;
    frame.format.planar = false;
    const std::size_t size = declared.frame_bytes();
    const auto out = frame.bytes.prepare(size);
    frame.bytes.commit(size);
    if (is_422(declared)) {
        repeat_chrominance(stored.data(), declared, out.data());
        frame.format.photometric = Photometric::ybr_full;
    } else if (declared.bits_allocated == 1) {
        if (!declared.planar) {
            unpack_bits(stored, size, out.data());
        } else {
            ByteBuffer planes;
            unpack_bits(stored, size, planes.prepare(size).data());
            planes.commit(size);
            interleave_planes(planes.span(), declared.samples_per_pixel, 1, out);
        }
    } else if (declared.planar) {
        interleave_planes(stored.first(size), declared.samples_per_pixel, declared.sample_bytes(), out);
    } else {
        std::memcpy(out.data(), stored.data(), size);
    }
    keep_stored_bits(out, frame.format);
    return frame;
}

Result<Frame> unpack_native(ByteBuffer stored, const PixelFormat& declared, const PixelLimits& limits) {
    const bool in_place = !declared.planar && !is_422(declared) && declared.bits_allocated != 1;
    if (!in_place || stored.size() < declared.frame_bytes())
        return unpack_native(std::as_const(stored).span(), declared, limits);
    if (auto checked = check_limits(declared, limits); !checked) return std::move(checked).error();
    Frame frame{declared, std::move(stored)};
    frame.bytes.truncate(declared.frame_bytes());
    keep_stored_bits({frame.bytes.data(), frame.bytes.size()}, frame.format);
    return frame;
}

ByteBuffer pack_native(const Frame& frame) {
    const auto bytes = frame.bytes.span();
    if (frame.format.bits_allocated != 1) return ByteBuffer(bytes);
    ByteBuffer packed;
    const std::size_t size = (bytes.size() + 7) / 8;
    const auto out = packed.prepare(size);
    std::fill(out.begin(), out.end(), std::byte{0});
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        if (bytes[n] != std::byte{0}) out[n / 8] |= std::byte{1} << static_cast<int>(n % 8);
    }
    packed.commit(size);
    return packed;
}

}  // namespace sagitta::codec
