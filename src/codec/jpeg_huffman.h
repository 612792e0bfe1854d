// Huffman codes of JPEG (ITU-T T.81 Annex C, F.2.2, H.2.2) read from bytes whose stuffing is removed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/jpeg_stream.h"
#include "core/bytes.h"
#include "core/result.h"

namespace sagitta::codec::jpeg {

/// The bits of an interval as read_interval makes it: eight readable bytes stand behind `bytes`.
class BitReader {
public:
    explicit BitReader(std::span<const std::byte> bytes) : data_(bytes.data()), end_bits_(8 * bytes.size()) {}

    /// At least 57 bits from here, the next one highest; zeros behind the end.
    [[nodiscard]] std::uint64_t window() const {
        return load_be<std::uint64_t>(data_ + (bit_ >> 3)) << (bit_ & 7);
    }
    void skip(std::size_t bits) { bit_ += bits; }
    /// More was skipped than there is; window() must not be asked any more.
    [[nodiscard]] bool overrun() const { return bit_ > end_bits_; }

private:
    const std::byte* data_;
    std::size_t end_bits_;
    std::size_t bit_ = 0;
};

/// Bits from where a BitReader stands; the `used` ones are shifted out. A value, so that it stays in
/// registers.
struct Window {
    static constexpr unsigned kBits = 57;  ///< that are there after a refill
    std::uint64_t bits = 0;
    unsigned used = 0;
    bool good = true;

    void skip(unsigned count) {
        bits <<= count;
        used += count;
    }
};

/// What was used is skipped. Not `good` where the bits end.
[[nodiscard]] inline Window refilled(BitReader& reader, Window window) {
    reader.skip(window.used);
    if (reader.overrun()) return {0, 0, false};
    return {reader.window(), 0, true};
}

/// A value coded as a category and so many bits more (T.81 F.1.2.1.1).
[[nodiscard]] inline std::int32_t extend(std::uint32_t bits, unsigned category) {
    if (category == 0) return 0;
    const bool negative = (bits >> (category - 1)) == 0;
    return static_cast<std::int32_t>(bits) - (negative ? (std::int32_t{1} << category) - 1 : 0);
}

class HuffmanTable {
public:
    static constexpr unsigned kLookupBits = 12;
    struct Code {
        std::uint8_t symbol = 0;
        std::uint8_t length = 0;  ///< 0: no such code
    };
    /// A symbol, the value of the category that it names, and the bits of both where these fit the
    /// lookup; else `bits` is 0.
    struct Value {
        std::int16_t value = 0;
        std::uint8_t bits = 0;
        std::uint8_t symbol = 0;
    };

    /// Categories of differences (T.81 H.1.2.2), up to 16. Errors: malformed when these are no codes.
    [[nodiscard]] Result<void> build_differences(const HuffmanSpec& spec);
    /// Categories in the low four bits, a run of zeros in the others (T.81 F.1.2.2).
    [[nodiscard]] Result<void> build_coefficients(const HuffmanSpec& spec);

    /// The code that `window` begins with.
    [[nodiscard]] Code find(std::uint64_t window) const {
        const Code code = lookup_[window >> (64 - kLookupBits)];
        return code.length != 0 ? code : find_long(window);
    }
    [[nodiscard]] Value value(std::uint64_t window) const { return values_[window >> (64 - kLookupBits)]; }

private:
    [[nodiscard]] Result<void> build(const HuffmanSpec& spec);
    void build_values(unsigned category_mask);
    [[nodiscard]] Code find_long(std::uint64_t window) const;

    std::array<Code, 1u << kLookupBits> lookup_;
    std::array<Value, 1u << kLookupBits> values_;
    std::array<std::uint32_t, 17> first_code_{};   // of each length
    std::array<std::uint32_t, 17> code_count_{};   // of each length
    std::array<std::uint32_t, 17> first_index_{};  // into symbols_
    std::array<std::uint8_t, 256> symbols_{};
};

}  // namespace sagitta::codec::jpeg
