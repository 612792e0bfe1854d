// Lookup tables of all kinds: modality, VOI, presentation and palette colour, discrete or in segments
// (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5, C.7.9.2). Knows their encoding, not what is looked up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

/// Never empty when it was read by read_lookup_table.
struct LookupTable {
    std::int64_t first_mapped = 0;  ///< the input that the first entry belongs to
    std::uint32_t bits = 16;        ///< of an entry; all entries fit
    std::vector<std::uint16_t> entries;

    /// Inputs before the first entry get the first one, inputs behind the last the last.
    [[nodiscard]] std::uint16_t at(std::int64_t input) const noexcept {
        const auto last = static_cast<std::int64_t>(entries.size()) - 1;
        if (input <= first_mapped) return entries.front();
        return entries[static_cast<std::size_t>(std::min(input - first_mapped, last))];
    }
    [[nodiscard]] std::uint16_t max_value() const noexcept {
        return static_cast<std::uint16_t>((1u << bits) - 1);
    }
};

struct LookupTableTags {
    dicom::Tag descriptor;
    dicom::Tag data;
    dicom::Tag segmented;  ///< looked at when `data` is absent; 0 when there is no such form
};

/// `signed_input`: a first input that was encoded as US and is beyond 32767 means a negative one.
/// Entries of 8 bits lie in a byte each, or in a word each: the length tells. Errors: not_found,
/// malformed, truncated when there are fewer entries than declared.
[[nodiscard]] Result<LookupTable> read_lookup_table(const dicom::ElementRange& level,
                                                    const LookupTableTags& tags, bool signed_input);

/// What the segments stand for, at most `max_entries` (PS3.3 C.7.9.2). Each word is a byte of the value
/// when `byte_words`. Errors: malformed, truncated, limit_exceeded.
[[nodiscard]] Result<std::vector<std::uint16_t>> expand_segments(std::span<const std::uint16_t> words,
                                                                 bool byte_words, std::size_t max_entries);

}  // namespace sagitta::codec
