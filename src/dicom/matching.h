// The one matching language (PS3.4 C.2.2.2): C-FIND keys today, rules later. Pure: a key and a value
// in, yes or no out. storage compiles the same keys to SQL; both are proved by one table of cases
// (tests/dicom/matching_cases.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/tag.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

enum class MatchKind : std::uint8_t {
    universal,     ///< empty, or "*" alone: everything, also an absent value (C.2.2.2.3, C.2.2.2.4)
    single_value,  ///< C.2.2.2.1
    list,          ///< any of several: list of UID (C.2.2.2.2), and several values elsewhere
    wildcard,      ///< `*` and `?` (C.2.2.2.4); only VRs that allow it
    range,         ///< DA, TM, DT: from-to (C.2.2.2.5)
};

/// One attribute of an identifier, understood.
struct MatchKey {
    Tag tag;
    Vr vr = Vr::none;
    MatchKind kind = MatchKind::universal;
    /// UTF-8, trimmed, in comparable form: PN folded by fold_person_name, TM normalised to
    /// HHMMSS.FFFFFF digits as given, others as they are. A range holds exactly two, from and to,
    /// inclusive; empty is open. A list holds two or more, a single value or a wildcard one.
    std::vector<std::string> values;
};

/// Understands the UTF-8 value of a key. Errors: invalid_argument for a malformed range, date or
/// UID; limit_exceeded when a list or a pattern is longer than 64 Ki values or 4 KiB.
[[nodiscard]] Result<MatchKey> parse_match_key(Tag tag, Vr vr, std::string_view utf8_value);

/// Does one stored attribute value (UTF-8, possibly several values with backslashes: one match is
/// enough) satisfy the key? An absent or empty value satisfies only a universal key.
[[nodiscard]] bool matches(const MatchKey& key, std::string_view utf8_value);

/// `*` any run, `?` any one character (UTF-8 aware). Linear in pattern plus text, no backtracking
/// beyond the last star.
[[nodiscard]] bool matches_wildcard(std::string_view pattern, std::string_view text) noexcept;

/// One range bound as the first or last instant it covers, in the form stored values compare with
/// as strings: DA "YYYYMMDD", TM "HHMMSS.FFFFFF" (a short time covers the whole hour or minute).
/// Empty when `value` is no date or time.
[[nodiscard]] std::string range_bound(Vr vr, std::string_view value, bool upper);

}  // namespace sagitta::dicom
