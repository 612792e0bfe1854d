// Fuzzy semantic matching of person names (PS3.4 C.2.2.2.1.1). What it means the standard leaves to us: what
// somebody finds who remembers a name by halves. Pure. docs/CONFORMANCE.md tells it to users.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sagitta::dicom {

/// A name as somebody asks for it: its words, without case and accents, in no order. Each must be the
/// beginning of some word of the stored name, or, from five characters on, be one slip away from one
/// (a character too many, missing, wrong, or two swapped). `ä` is `a` and `ae`, as are its kin; hyphens,
/// apostrophes and spaces within a component may be there or not; `*` and `?` mean what they always do.
class FuzzyName {
public:
    /// One value (no backslash), UTF-8.
    explicit FuzzyName(std::string_view utf8_key);

    /// One stored value (no backslash). A key without words matches nothing.
    [[nodiscard]] bool matches(std::string_view utf8_name) const;

    bool operator==(const FuzzyName&) const = default;

private:
    using Words = std::vector<std::string>;  ///< of one component
    using Spelling = std::vector<Words>;     ///< of the name, umlauts written one way

    [[nodiscard]] static Spelling spell(std::string_view folded);
    [[nodiscard]] static Words candidates(std::string_view utf8_name);

    std::vector<Spelling> spellings_;
};

}  // namespace sagitta::dicom
