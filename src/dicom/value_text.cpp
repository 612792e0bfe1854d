#include "dicom/value_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <utf8proc.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

template <class T>
std::string shortest(T value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char digits[32];
    const auto [end, ec] = std::to_chars(digits, digits + sizeof digits, value);
    return ec == std::errc() ? std::string(digits, end) : std::string();
}

template <class T>
T load(const std::byte* at, bool big_endian) {
    return big_endian ? load_be<T>(at) : load_le<T>(at);
}

std::string_view trimmed(std::string_view text, bool keep_leading) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!keep_leading && !text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

bool turns_direction(char32_t c) {
    return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::size_t number_bytes(Vr vr) noexcept {
    switch (vr) {
        case Vr::US:
        case Vr::SS: return 2;
        case Vr::UL:
        case Vr::SL:
        case Vr::FL:
        case Vr::OF:
        case Vr::OL: return 4;
        case Vr::UV:
        case Vr::SV:
        case Vr::FD:
        case Vr::OD:
        case Vr::OV: return 8;
        default: return 0;
    }
}

std::optional<std::string> number_text(const Element& element, std::size_t n) {
    const std::size_t width = number_bytes(element.vr());
    const auto bytes = element.value();
    if (width == 0 || bytes.size() / width <= n) return std::nullopt;
    const std::byte* at = bytes.data() + n * width;
    const bool big = element.node().big_endian;
    switch (element.vr()) {
        case Vr::US: return std::to_string(load<std::uint16_t>(at, big));
        case Vr::SS: return std::to_string(static_cast<std::int16_t>(load<std::uint16_t>(at, big)));
        case Vr::UL:
        case Vr::OL: return std::to_string(load<std::uint32_t>(at, big));
        case Vr::SL: return std::to_string(static_cast<std::int32_t>(load<std::uint32_t>(at, big)));
        case Vr::UV:
        case Vr::OV: return std::to_string(load<std::uint64_t>(at, big));
        case Vr::SV: return std::to_string(static_cast<std::int64_t>(load<std::uint64_t>(at, big)));
        case Vr::FL:
        case Vr::OF: return shortest(std::bit_cast<float>(load<std::uint32_t>(at, big)));
        case Vr::FD:
        case Vr::OD: return shortest(std::bit_cast<double>(load<std::uint64_t>(at, big)));
        default: return std::nullopt;
    }
}

std::optional<Tag> tag_value(const Element& element, std::size_t n) noexcept {
    const auto bytes = element.value();
    if (element.vr() != Vr::AT || bytes.size() / 4 <= n) return std::nullopt;
    const std::byte* at = bytes.data() + 4 * n;
    const bool big = element.node().big_endian;
    return Tag(load<std::uint16_t>(at, big), load<std::uint16_t>(at + 2, big));
}

std::string decoded_text(const Element& element, const CharacterSet& character_set) {
    return character_set.to_utf8(element.text(), element.vr());
}

std::vector<std::string> decoded_values(const Element& element, const CharacterSet& character_set) {
    std::vector<std::string> values;
    const std::string text = decoded_text(element, character_set);
    if (text.empty()) return values;
    if (is_single_valued_text(element.vr())) {
        values.push_back(text);
        return values;
    }
    const bool keep_leading = element.vr() == Vr::UC;
    std::string_view rest = text;
    while (true) {
        const auto slash = rest.find('\\');
        values.emplace_back(trimmed(rest.substr(0, slash), keep_leading));
        if (slash == std::string_view::npos) return values;
        rest.remove_prefix(slash + 1);
    }
}

std::uint64_t value_count(const Element& element) {
    if (element.vr() == Vr::SQ) {
        return static_cast<std::uint64_t>(
            std::distance(element.children().begin(), element.children().end()));
    }
    if (element.empty()) return 0;
    if (const auto width = number_bytes(element.vr()); width != 0) {
        const bool is_other = element.vr() == Vr::OF || element.vr() == Vr::OD || element.vr() == Vr::OL ||
                              element.vr() == Vr::OV;
        return is_other ? 1 : element.length() / width;
    }
    if (element.vr() == Vr::AT) return element.length() / 4;
    if (!is_text(element.vr()) || is_single_valued_text(element.vr())) return 1;
    const auto text = element.text();
    return text.empty() ? 0 : 1 + static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\\'));
}

CharacterSet character_set_of(const ElementRange& elements, const CharacterSet& outer) {
    const auto stated = elements.find(tags::SpecificCharacterSet);
    return stated ? CharacterSet::parse(stated->text()) : outer;
}

std::string printable(std::string_view utf8) {
    std::string line;
    line.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size();) {
        const std::size_t from = at;
        const auto c = next_code_point(utf8, at);
        if (!c) {
            line += fmt::format("\\x{:02x}", static_cast<unsigned char>(utf8[from]));
        } else if (*c == U'\r' && at < utf8.size() && utf8[at] == '\n') {
            continue;
        } else if (*c == U'\n' || *c == U'\r') {
            line += "↵";
        } else if (*c < 0x20 || (*c >= 0x7f && *c < 0xa0)) {
            line += fmt::format("\\x{:02x}", static_cast<unsigned>(*c));
        } else if (turns_direction(*c)) {
            line += fmt::format("\\u{:04x}", static_cast<unsigned>(*c));
        } else {
            line.append(utf8.substr(from, at - from));
        }
    }
    return line;
}

std::size_t display_width(char32_t character) noexcept {
    return static_cast<std::size_t>(
        std::max(0, utf8proc_charwidth(static_cast<utf8proc_int32_t>(character))));
}

std::size_t display_width(std::string_view utf8) noexcept {
    std::size_t sum = 0;
    for (std::size_t at = 0; at < utf8.size();) {
        const auto c = next_code_point(utf8, at);
        sum += c ? display_width(*c) : 1;
    }
    return sum;
}

}  // namespace sagitta::dicom
