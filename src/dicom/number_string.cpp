#include "dicom/number_string.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace sagitta::dicom {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

/// from_chars knows no plus sign.
template <class T>
std::optional<T> parse_number(std::string_view text) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<DecimalString> DecimalString::parse(std::string_view text) {
    text = trimmed(text);
    const auto value = parse_number<double>(text);
    if (!value || !std::isfinite(*value)) return std::nullopt;  // "inf" and "nan" are no DS
    return DecimalString{std::string(text), *value};
}

std::optional<IntegerString> IntegerString::parse(std::string_view text) {
    text = trimmed(text);
    const auto value = parse_number<std::int64_t>(text);
    if (!value) return std::nullopt;
    return IntegerString{std::string(text), *value};
}

}  // namespace sagitta::dicom
