#include "dicom/dictionary.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace sagitta::dicom {
namespace {

#include "dicom/generated/data_dictionary.inc"

// Letters to insert, delete or replace to turn one word into the other, case aside.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

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
    std::string_view best;
    std::size_t nearest = word.size() / 3 + 1;
    for (const auto& entry : kEntries) {
        const auto a = entry.keyword.size();
        if (entry.keyword.empty() || (a > word.size() ? a - word.size() : word.size() - a) > nearest)
            continue;
        const auto distance = edit_distance(word, entry.keyword);
        if (distance < nearest || (distance == nearest && best.empty())) {
            nearest = distance;
            best = entry.keyword;
        }
    }
    return best;
}

}  // namespace sagitta::dicom
