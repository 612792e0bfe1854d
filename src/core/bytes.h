// Fixed-width integers in and out of byte runs, either byte order, and views between text and
// bytes. Bounds are the caller's business except in ByteReader, which never reads past its end.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "core/byte_buffer.h"

namespace sagitta {

static_assert(std::endian::native == std::endian::little, "big-endian hosts are not supported");

template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_bytes(T value) noexcept {
    if constexpr (sizeof(T) == 1) return value;
    if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
    if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
    if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

/// Reads a little-endian T at `at`; sizeof(T) bytes must be there.
template <std::unsigned_integral T>
[[nodiscard]] inline T load_le(const std::byte* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(const std::byte* at) noexcept {
    return swap_bytes(load_le<T>(at));
}
template <std::unsigned_integral T>
inline void store_le(std::byte* at, T value) noexcept {
    std::memcpy(at, &value, sizeof value);
}
template <std::unsigned_integral T>
inline void store_be(std::byte* at, T value) noexcept {
    store_le(at, swap_bytes(value));
}

[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::unsigned_integral T>
inline void append_le(ByteBuffer& out, T value) {
    store_le(out.prepare(sizeof value).data(), value);
    out.commit(sizeof value);
}
template <std::unsigned_integral T>
inline void append_be(ByteBuffer& out, T value) {
    store_be(out.prepare(sizeof value).data(), value);
    out.commit(sizeof value);
}
inline void append_text(ByteBuffer& out, std::string_view text) {
    out.append(as_bytes(text));
}

/// Walks a run of bytes it does not own. Every read says no instead of passing the end.
class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - offset_; }

    template <std::unsigned_integral T>
    [[nodiscard]] std::optional<T> be() noexcept {
        if (remaining() < sizeof(T)) return std::nullopt;
        const T value = load_be<T>(bytes_.data() + offset_);
        offset_ += sizeof(T);
        return value;
    }
    template <std::unsigned_integral T>
    [[nodiscard]] std::optional<T> le() noexcept {
        if (remaining() < sizeof(T)) return std::nullopt;
        const T value = load_le<T>(bytes_.data() + offset_);
        offset_ += sizeof(T);
        return value;
    }
    [[nodiscard]] std::optional<std::span<const std::byte>> take(std::size_t count) noexcept {
        if (remaining() < count) return std::nullopt;
        const auto taken = bytes_.subspan(offset_, count);
        offset_ += count;
        return taken;
    }

private:
    std::span<const std::byte> bytes_;
    std::size_t offset_ = 0;
};

}  // namespace sagitta
