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

}  // namespace sagitta::test
