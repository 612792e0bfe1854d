// Numbers written as text (PS3.5 6.2: DS, IS), which keep the text they were written with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sagitta::dicom {

/// A DS value.
struct DecimalString {
    std::string text;  ///< without padding
    double value = 0;

    /// Empty when it is no number, or one beyond a double.
    [[nodiscard]] static std::optional<DecimalString> parse(std::string_view text);
    bool operator==(const DecimalString&) const = default;
};

/// An IS value.
struct IntegerString {
    std::string text;  ///< without padding
    std::int64_t value = 0;

    /// Empty when it is no integer, or one beyond 64 bits.
    [[nodiscard]] static std::optional<IntegerString> parse(std::string_view text);
    bool operator==(const IntegerString&) const = default;
};

}  // namespace sagitta::dicom
