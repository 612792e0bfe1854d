// A person name (PS3.5 6.2.1): up to three spellings of up to five components. Knows UTF-8 text.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::dicom {

/// One component group, its components as they stand between the carets, without spaces around.
struct NameComponents {
    std::string family;
    std::string given;
    std::string middle;
    std::string prefix;
    std::string suffix;

    [[nodiscard]] bool empty() const noexcept;
    bool operator==(const NameComponents&) const = default;
};

struct PersonName {
    NameComponents alphabetic;
    NameComponents ideographic;
    NameComponents phonetic;

    /// One value (no backslash). Errors: malformed when there are more than three groups or five
    /// components in one.
    [[nodiscard]] static Result<PersonName> parse(std::string_view utf8);
    /// As a PN value, without empty components and groups at the end.
    [[nodiscard]] std::string text() const;
    bool operator==(const PersonName&) const = default;
};

}  // namespace sagitta::dicom
