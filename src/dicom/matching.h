// The one matching language (PS3.4 C.2.2.2): C-FIND keys today, rules later. Pure: a key and a value
// in, yes or no out. storage compiles the same keys to SQL; both are proved by one table of cases
// (tests/dicom/matching_cases.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/fuzzy_name.h"
#include "dicom/tag.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

enum class MatchKind : std::uint8_t {
    universal,     ///< empty, or "*" alone: everything, also an absent value (C.2.2.2.3, C.2.2.2.4)
    single_value,  ///< C.2.2.2.1
    list,          ///< any of several: list of UID (C.2.2.2.2), and several values elsewhere
    wildcard,      ///< `*` and `?` (C.2.2.2.4); only VRs that allow it
    range,         ///< DA, TM, DT: from-to (C.2.2.2.5)
    empty_value,   ///< two quotation marks, where agreed: absent or empty (C.2.2.2.7)
};

/// What extended negotiation may allow (PS3.4 C.5.1.1).
struct MatchOptions {
    /// A date and its time, both keys, are one instant: "20240101-20240103" with "1000-1200" is from
    /// ten on the first to noon on the third (C.2.2.2.5). Else each day from ten to noon.
    bool combined_date_time = false;
    /// A key of two quotation marks finds what is absent or empty (C.2.2.2.7).
    bool empty_value = false;
    /// A person name is also found as FuzzyName finds it (C.2.2.2.1.1).
    bool fuzzy_names = false;
};

/// One attribute of an identifier, understood.
struct MatchKey {
    Tag tag;
    Vr vr = Vr::none;
    MatchKind kind = MatchKind::universal;
    /// In the form comparable() gives stored values. A range holds exactly two, from and to,
    /// inclusive; empty is open. A list holds two or more, a single value one, a wildcard one or
    /// more patterns of which any may match (a name "doe^*" also finds "doe").
    std::vector<std::string> values;
    /// Names that match as well, where fuzzy matching was agreed.
    std::vector<FuzzyName> fuzzy{};
};

/// Understands the UTF-8 value of a key. A time, or a date and time, names every instant it covers
/// ("10" is from 10:00:00 to 10:59:59.999999) and so becomes a range. Errors: invalid_argument for a
/// malformed range, date or UID; limit_exceeded when a list or a pattern is longer than 64 Ki values
/// or 4 KiB.
[[nodiscard]] Result<MatchKey> parse_match_key(Tag tag, Vr vr, std::string_view utf8_value);

/// The same where more was agreed; `combined_date_time` is about two keys (date_time_key.h).
[[nodiscard]] Result<MatchKey> parse_match_key(Tag tag, Vr vr, std::string_view utf8_value,
                                               const MatchOptions& options);

/// Does one stored attribute value (UTF-8, possibly several values with backslashes: one match is
/// enough) satisfy the key? An absent or empty value satisfies only universal and empty_value. A name is
/// compared as a whole and by each of its component groups, so a single-value key must equal one of
/// these: "Doe" does not find "Doe^John", "Doe*" does.
[[nodiscard]] bool matches(const MatchKey& key, std::string_view utf8_value);

/// One stored value (not several) in the form keys compare with as strings: trimmed; PN by
/// fold_person_name; DA, TM and DT as the first instant by range_bound, empty when they are none; IS,
/// DS and binary numbers in their shortest spelling. Everything else as it is, case included.
[[nodiscard]] std::string comparable(Vr vr, std::string_view utf8_value);

/// AE CS LO LT PN SH ST UC UR UT: where `*` and `?` mean something (PS3.4 C.2.2.2.4).
[[nodiscard]] bool allows_wildcards(Vr vr) noexcept;

/// `*` any run, `?` any one character (UTF-8 aware). One pass over the text whatever the pattern:
/// text length times pattern length / 64, no backtracking.
[[nodiscard]] bool matches_wildcard(std::string_view pattern, std::string_view text) noexcept;

/// One range bound as the first or last instant it covers, in the form stored values compare with
/// as strings: DA "YYYYMMDD", TM "HHMMSS.FFFFFF" (a short time covers the whole hour or minute), DT
/// "YYYYMMDDHHMMSS.FFFFFF", in UTC when it has an offset and as it stands when it has none. The old
/// forms YYYY.MM.DD and HH:MM:SS are read. Empty when `value` is no date or time.
[[nodiscard]] std::string range_bound(Vr vr, std::string_view value, bool upper);

}  // namespace sagitta::dicom
