// The matching language as a table: what each key means for each stored value. Data only: it proves
// dicom::matches, and whatever else claims the same semantics (the SQL of the index).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dicom/vr.h"

namespace sagitta::test {

enum class Expect : std::uint8_t {
    match,
    no_match,
    invalid,  ///< the key itself is refused with invalid_argument
};

/// Key and stored value in UTF-8, as they stand in a data set; a stored value may hold several with
/// backslashes, and "" is an absent or empty one.
struct MatchCase {
    dicom::Vr vr;
    std::string_view key;
    std::string_view stored;
    Expect expect;
};

inline constexpr auto kMatchCases = [] {
    using dicom::Vr;
    constexpr auto yes = Expect::match;
    constexpr auto no = Expect::no_match;
    constexpr auto invalid = Expect::invalid;
    return std::to_array<MatchCase>({
#include "tests/dicom/matching_cases.inc"
    });
}();

/// The same where fuzzy person names and empty values were agreed by extended negotiation (PS3.4 C.5.1.1).
inline constexpr auto kExtendedCases = [] {
    using dicom::Vr;
    constexpr auto yes = Expect::match;
    constexpr auto no = Expect::no_match;
    return std::to_array<MatchCase>({
#include "tests/dicom/extended_matching_cases.inc"
    });
}();

/// A date and its time as one span of instants (C.2.2.2.5).
struct DateTimeCase {
    std::string_view date_key;
    std::string_view time_key;
    std::string_view date;
    std::string_view time;
    bool matches;
};

inline constexpr auto kDateTimeCases = std::to_array<DateTimeCase>({
    {"20240101-20240103", "1000-1200", "20240101", "095959.999999", false},
    {"20240101-20240103", "1000-1200", "20240101", "100000", true},
    {"20240101-20240103", "1000-1200", "20240102", "030000", true},
    {"20240101-20240103", "1000-1200", "20240103", "1200", true},
    {"20240101-20240103", "1000-1200", "20240103", "120100", false},
    {"20240101-20240103", "1000-1200", "20240104", "1100", false},
    {"20240101-20240103", "2200-0200", "20240102", "1200", true},
    {"20240101-20240103", "2200-0200", "20240103", "0200", true},
    {"20240101-20240103", "2200-0200", "20240103", "0300", false},
    {"20240101-", "1000-", "20240101", "0959", false},
    {"20240101-", "1000-", "20240102", "0100", true},
    {"20240101-", "-1000", "20240101", "0000", true},
    {"-20240103", "-1200", "20240103", "1200", true},
    {"-20240103", "-1200", "20240103", "1201", false},
    {"-20240103", "-1200", "19990101", "2359", true},
    {"20240101", "10", "20240101", "1059", true},
    {"20240101", "10", "20240101", "11", false},
    {"20240101", "1000-1200", "2024.01.01", "11:30:00", true},
    {"20240101-20240103", "1000-1200", "20240102", "", false},
    {"20240101-20240103", "1000-1200", "", "1100", false},
    {"20240101-20240103", "1000-1200", "20240102\\20300101", "1100", true},
});

}  // namespace sagitta::test
