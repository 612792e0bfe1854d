// The data dictionary of PS3.6, the command elements of PS3.7 Annex E, and what is known of private
// elements.
#pragma once

#include <optional>
#include <string_view>

#include "dicom/tag.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

struct DictionaryEntry {
    Tag tag;            ///< of a repeating group: with zeros where any digit may stand
    Vr vr;              ///< the first of the alternatives when `ambiguous_vr`
    bool ambiguous_vr;  ///< "US or SS", "OB or OW" …: the data set decides
    bool retired;
    std::string_view vm;
    std::string_view keyword;
    std::string_view name;
};

/// Repeating groups included; null for private and unknown tags. Constant time.
[[nodiscard]] const DictionaryEntry* find_tag(Tag tag) noexcept;

/// Exact, case-sensitive keyword; null when unknown.
[[nodiscard]] const DictionaryEntry* find_keyword(std::string_view keyword) noexcept;

/// The keyword nearest in spelling to `word`, for "did you mean"; empty when nothing is near.
[[nodiscard]] std::string_view suggest_keyword(std::string_view word);

/// What is known of an element by its private creator.
struct PrivateEntry {
    Vr vr;              ///< the first of the alternatives when `ambiguous_vr`
    bool ambiguous_vr;  ///< "OB or OW", "US or SS"
    std::string_view vm;
    std::string_view name;  ///< empty when only the VR is known
};

/// An element of a block that `creator` owns (PS3.5 7.8.1); which block it is does not matter.
/// `creator` is compared without padding, else exactly.
[[nodiscard]] std::optional<PrivateEntry> find_private_tag(std::string_view creator, Tag tag) noexcept;

}  // namespace sagitta::dicom
