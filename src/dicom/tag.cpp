#include "dicom/tag.h"

#include <fmt/format.h>
#include <charconv>

#include "dicom/dictionary.h"

namespace sagitta::dicom {

std::string to_string(Tag tag) {
    return fmt::format("({:04x},{:04x})", tag.group(), tag.element());
}

std::optional<Tag> parse_tag(std::string_view text) {
    std::string_view digits = text;
    if (digits.size() >= 2 && digits.front() == '(' && digits.back() == ')') {
        digits = digits.substr(1, digits.size() - 2);
    }
    std::string joined(digits);
    if (joined.size() == 9 && joined[4] == ',') joined.erase(4, 1);
    std::uint32_t value = 0;
    if (joined.size() == 8) {
        const auto [end, ec] = std::from_chars(joined.data(), joined.data() + 8, value, 16);
        if (ec == std::errc() && end == joined.data() + 8) return Tag(value);
    }
    if (const auto* entry = find_keyword(text)) return entry->tag;
    return std::nullopt;
}

}  // namespace sagitta::dicom
