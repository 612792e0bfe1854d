// The data dictionary of PS3.6 and the command elements of PS3.7 Annex E.
#pragma once

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

}  // namespace sagitta::dicom
