#include <algorithm>
#include <cstdint>
#include <iterator>

#include "dicom/dictionary.h"

namespace sagitta::dicom {
namespace {

#include "dicom/generated/private_dictionary.inc"

constexpr std::string_view private_text(std::uint32_t at, std::uint8_t size) noexcept {
    return {kPrivateText + at, size};
}

std::string_view without_padding(std::string_view text) noexcept {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

}  // namespace

std::optional<PrivateEntry> find_private_tag(std::string_view creator, Tag tag) noexcept {
    if (!tag.is_private() || tag.element() < 0x1000) return std::nullopt;
    creator = without_padding(creator);
    const auto* last = std::end(kPrivateCreators) - 1;  // ends the run of the one before
    const auto* owner = std::lower_bound(std::begin(kPrivateCreators), last, creator,
                                         [](const PrivateCreator& row, std::string_view name) {
                                             return private_text(row.at, row.size) < name;
                                         });
    if (owner == last || private_text(owner->at, owner->size) != creator) return std::nullopt;

    const std::uint32_t offset_in_block = tag.element() & 0xffu;
    // In a group of its own, then in one of a repeating run.
    for (const std::uint32_t group : {tag.group() & 0xffffu, tag.group() & 0xff00u}) {
        const std::uint32_t key = group << 8 | offset_in_block;
        const auto* end = kPrivateRows + owner[1].first;
        const auto* row =
            std::lower_bound(kPrivateRows + owner->first, end, key,
                             [](const PrivateRow& entry, std::uint32_t k) { return entry.key < k; });
        if (row != end && row->key == key) {
            return PrivateEntry{row->vr, row->ambiguous_vr, kPrivateVms[row->vm],
                                private_text(row->at, row->size)};
        }
    }
    return std::nullopt;
}

}  // namespace sagitta::dicom
