#include "dicom/person_name.h"

#include <array>
#include <cstddef>
#include <span>

namespace sagitta::dicom {
namespace {

constexpr std::array kComponents = {&NameComponents::family, &NameComponents::given, &NameComponents::middle,
                                    &NameComponents::prefix, &NameComponents::suffix};
constexpr std::array kGroups = {&PersonName::alphabetic, &PersonName::ideographic, &PersonName::phonetic};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

/// Takes what stands before the next delimiter off `rest`; the last part leaves nothing.
std::string_view take(std::string_view& rest, char delimiter) {
    const auto end = rest.find(delimiter);
    const auto part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return trimmed(part);
}

/// Empty parts behind the last of five, or three, are what some devices write: they say nothing.
bool only(std::string_view rest, char delimiter) {
    return rest.find_first_not_of(std::string{delimiter, ' '}) == std::string_view::npos;
}

std::string joined(std::span<const std::string> parts, char delimiter) {
    std::string text;
    std::size_t used = 0;
    for (std::size_t n = 0; n < parts.size(); ++n) {
        if (n != 0) text += delimiter;
        text += parts[n];
        if (!parts[n].empty()) used = text.size();
    }
    text.resize(used);
    return text;
}

}  // namespace

bool NameComponents::empty() const noexcept {
    for (const auto component : kComponents) {
        if (!(this->*component).empty()) return false;
    }
    return true;
}

Result<PersonName> PersonName::parse(std::string_view utf8) {
    PersonName name;
    std::string_view groups = trimmed(utf8);
    for (const auto group : kGroups) {
        std::string_view components = take(groups, '=');
        for (const auto component : kComponents) (name.*group).*component = take(components, '^');
        if (!only(components, '^')) return Error{Errc::malformed, "a name of more than five components"};
    }
    if (!only(groups, '=')) return Error{Errc::malformed, "a name of more than three component groups"};
    return name;
}

std::string PersonName::text() const {
    std::array<std::string, kGroups.size()> groups;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        std::array<std::string, kComponents.size()> components;
        for (std::size_t c = 0; c < components.size(); ++c)
            components[c] = (this->*kGroups[g]).*kComponents[c];
        groups[g] = joined(components, '^');
    }
    return joined(groups, '=');
}

}  // namespace sagitta::dicom
