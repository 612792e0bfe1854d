// The numbers of a binary value, read where they lie: unaligned and in either byte order.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "core/bytes.h"

namespace sagitta::dicom {

/// What a binary value is made of (PS3.5 6.2); bytes are numbers, too.
template <class T>
concept Number =
    std::same_as<T, std::uint8_t> || std::same_as<T, std::uint16_t> || std::same_as<T, std::int16_t> ||
    std::same_as<T, std::uint32_t> || std::same_as<T, std::int32_t> || std::same_as<T, std::uint64_t> ||
    std::same_as<T, std::int64_t> || std::same_as<T, float> || std::same_as<T, double>;

/// Valid as long as the bytes it was made from. Bytes behind the last whole number are not seen.
template <Number T>
class NumberView {
    using Bits = std::conditional_t<
        sizeof(T) == 1, std::uint8_t,
        std::conditional_t<sizeof(T) == 2, std::uint16_t,
                           std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

public:
    class Iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        Iterator() = default;
        Iterator(const NumberView& view, std::size_t n) noexcept : view_(&view), n_(n) {}
        T operator*() const noexcept { return (*view_)[n_]; }
        Iterator& operator++() noexcept {
            ++n_;
            return *this;
        }
        Iterator operator++(int) noexcept { return Iterator(*view_, n_++); }
        bool operator==(const Iterator& other) const noexcept { return n_ == other.n_; }

    private:
        const NumberView* view_ = nullptr;
        std::size_t n_ = 0;
    };

    NumberView() = default;
    NumberView(std::span<const std::byte> bytes, bool big_endian) noexcept
        : bytes_(bytes.first(bytes.size() - bytes.size() % sizeof(T))), big_endian_(big_endian) {}

    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / sizeof(T); }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    [[nodiscard]] Iterator begin() const noexcept { return {*this, 0}; }
    [[nodiscard]] Iterator end() const noexcept { return {*this, size()}; }

    /// `n` is below size().
    [[nodiscard]] T operator[](std::size_t n) const noexcept {
        const std::byte* at = bytes_.data() + n * sizeof(T);
        return std::bit_cast<T>(big_endian_ ? load_be<Bits>(at) : load_le<Bits>(at));
    }

    /// As many numbers from the `first` on as there are and as fit; how many these were.
    std::size_t copy_to(std::span<T> out, std::size_t first = 0) const noexcept {
        const std::size_t count = first < size() ? std::min(out.size(), size() - first) : 0;
        if (count == 0) return 0;
        if (!big_endian_) {
            std::memcpy(out.data(), bytes_.data() + first * sizeof(T), count * sizeof(T));
        } else {
            for (std::size_t n = 0; n < count; ++n) out[n] = (*this)[first + n];
        }
        return count;
    }

    [[nodiscard]] std::vector<T> to_vector() const {
        std::vector<T> numbers(size());
        copy_to(numbers);
        return numbers;
    }

    /// The numbers themselves, without a copy, where they are aligned and in the order of this
    /// machine; else nothing.
    [[nodiscard]] std::optional<std::span<const T>> in_place() const noexcept {
        const bool native = sizeof(T) == 1 || !big_endian_;
        if (!native || reinterpret_cast<std::uintptr_t>(bytes_.data()) % alignof(T) != 0) return std::nullopt;
        return std::span<const T>(reinterpret_cast<const T*>(bytes_.data()), size());
    }

private:
    std::span<const std::byte> bytes_;
    bool big_endian_ = false;
};

}  // namespace sagitta::dicom
