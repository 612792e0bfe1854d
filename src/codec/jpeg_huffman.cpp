#include "codec/jpeg_huffman.h"

#include <algorithm>

namespace sagitta::codec::jpeg {

Result<void> HuffmanTable::build(const HuffmanSpec& spec) {
    if (!spec.defined) return Error(Errc::malformed, "JPEG scan without its Huffman table");
    lookup_.fill({});
    symbols_ = spec.symbols;
    std::uint32_t code = 0;
    std::uint32_t index = 0;
    for (unsigned length = 1; length <= 16; ++length) {
        const std::uint32_t count = spec.counts[length - 1];
        if (code + count > (1u << length))
            return Error(Errc::malformed, "JPEG Huffman table is no set of codes");
        first_code_[length] = code;
        code_count_[length] = count;
        first_index_[length] = index;
        for (std::uint32_t n = 0; n < count && length <= kLookupBits; ++n) {
            const unsigned free_bits = kLookupBits - length;
            std::fill_n(lookup_.begin() + ((code + n) << free_bits), 1u << free_bits,
                        Code{symbols_[index + n], static_cast<std::uint8_t>(length)});
        }
        index += count;
        code = (code + count) << 1;
    }
    return {};
}

Result<void> HuffmanTable::build_differences(const HuffmanSpec& spec) {
    if (auto built = build(spec); !built) return built;
    std::size_t count = 0;
    for (const auto of_length : spec.counts) count += of_length;
    if (std::any_of(spec.symbols.begin(), spec.symbols.begin() + static_cast<std::ptrdiff_t>(count),
                    [](std::uint8_t category) { return category > 16; }))
        return Error(Errc::malformed, "JPEG Huffman table of differences with a category above 16");
    build_values(0xff);
    return {};
}

Result<void> HuffmanTable::build_coefficients(const HuffmanSpec& spec) {
    if (auto built = build(spec); !built) return built;
    build_values(0x0f);
    return {};
}

void HuffmanTable::build_values(unsigned category_mask) {
    for (std::uint32_t index = 0; index < values_.size(); ++index) {
        const Code code = lookup_[index];
        const unsigned category = code.symbol & category_mask;
        const unsigned total = code.length + category;
        values_[index] = {};
        if (code.length == 0 || category == 16 || total > kLookupBits) continue;
        const std::uint32_t more = (index >> (kLookupBits - total)) & ((1u << category) - 1);
        values_[index] = {static_cast<std::int16_t>(extend(more, category)), static_cast<std::uint8_t>(total),
                          code.symbol};
    }
}

HuffmanTable::Code HuffmanTable::find_long(std::uint64_t window) const {
    for (unsigned length = kLookupBits + 1; length <= 16; ++length) {
        const auto code = static_cast<std::uint32_t>(window >> (64 - length));
        if (code >= first_code_[length] && code - first_code_[length] < code_count_[length])
            return {symbols_[first_index_[length] + code - first_code_[length]],
                    static_cast<std::uint8_t>(length)};
    }
    return {};
}

}  // namespace sagitta::codec::jpeg
