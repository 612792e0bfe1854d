#include "dicom/dictionary.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "core/spelling.h"

namespace sagitta::dicom {
namespace {

#include "dicom/generated/data_dictionary.inc"

}  // namespace

const DictionaryEntry* find_tag(Tag tag) noexcept {
    std::size_t slot = (tag.value * 0x9E3779B1u) >> (32 - kSlotBits);
    while (const auto index = kSlots[slot]) {
        if (kEntries[index - 1].tag == tag) return &kEntries[index - 1];
        slot = (slot + 1) & ((1u << kSlotBits) - 1);
    }
    if (tag.is_private()) return nullptr;
    for (const auto& repeating : kRepeating) {
        if ((tag.value & repeating.mask) == repeating.entry.tag.value) return &repeating.entry;
    }
    return nullptr;
}

const DictionaryEntry* find_keyword(std::string_view keyword) noexcept {
    const auto* found = std::lower_bound(
        std::begin(kByKeyword), std::end(kByKeyword), keyword,
        [](std::uint16_t index, std::string_view key) { return kEntries[index].keyword < key; });
    if (found == std::end(kByKeyword) || kEntries[*found].keyword != keyword) return nullptr;
    return &kEntries[*found];
}

std::string_view suggest_keyword(std::string_view word) {
    if (word.empty() || word.size() > 128) return {};
    std::vector<std::string_view> keywords;
    keywords.reserve(std::size(kEntries));
    for (const auto& entry : kEntries) keywords.push_back(entry.keyword);
    return nearest(word, keywords);
}

}  // namespace sagitta::dicom
