#include "dicom/json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "dicom/generated/tags.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;

void append_base64(std::span<const std::byte> bytes, std::string& out) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t there = std::min<std::size_t>(3, bytes.size() - at);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            group = (group << 8) | (i < there ? static_cast<std::uint32_t>(bytes[at + i]) : 0u);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out += i <= there ? kDigits[(group >> (18 - 6 * i)) & 63u] : '=';
        }
    }
}

// JSON's own grammar for numbers, which is narrower than that of DS and IS: no "+1", "01" or ".5".
bool is_json_number(std::string_view text) {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t from = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - from;
    };
    if (at < text.size() && text[at] == '-') ++at;
    const std::size_t first = at;
    const std::size_t whole = digits();
    if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

// The same number in JSON's grammar, or empty when the text is no number at all.
std::string json_number(std::string_view text) {
    std::string number(text);
    if (number.starts_with('+')) number.erase(0, 1);
    const std::size_t sign = number.starts_with('-') ? 1 : 0;
    while (number.size() > sign + 1 && number[sign] == '0' && number[sign + 1] >= '0' &&
           number[sign + 1] <= '9') {
        number.erase(sign, 1);
    }
    if (number.size() > sign && number[sign] == '.') number.insert(sign, 1, '0');
    if (const auto dot = number.find('.'); dot != std::string::npos) {
        const bool no_digit_behind =
            dot + 1 == number.size() || number[dot + 1] == 'e' || number[dot + 1] == 'E';
        if (no_digit_behind) number.erase(dot, 1);
    }
    return is_json_number(number) ? number : std::string();
}

class Writer {
public:
    Writer(std::string& out, std::size_t indent) : out_(out), indent_(indent) {}

    void object(const ElementRange& elements, const CharacterSet& outer, std::size_t depth) {
        const CharacterSet character_set = character_set_of(elements, outer);
        out_ += '{';
        bool first = true;
        for (const Element element : elements) {
            if (element.tag().is_group_length()) continue;
            if (!first) out_ += ',';
            first = false;
            line_break(depth + 1);
            out_ += fmt::format("\"{:08X}\":{}", element.tag().value, indent_ == 0 ? "" : " ");
            attribute(element, character_set, depth + 1);
        }
        if (!first) line_break(depth);
        out_ += '}';
    }

private:
    void line_break(std::size_t depth) {
        if (indent_ == 0) return;
        out_ += '\n';
        out_.append(depth * indent_, ' ');
    }

    void attribute(const Element& element, const CharacterSet& character_set, std::size_t depth) {
        const bool is_sequence =
            element.vr() == Vr::SQ || (element.vr() == Vr::UN && element.node().undefined_length);
        out_ +=
            fmt::format("{{\"vr\":\"{}\"", is_sequence ? std::string_view("SQ") : to_string(element.vr()));
        if (is_sequence) {
            items(element, character_set, depth);
        } else if (!element.empty()) {
            value(element, character_set);
        }
        out_ += '}';
    }

    void items(const Element& element, const CharacterSet& character_set, std::size_t depth) {
        if (!element.has_children()) return;
        out_ += ",\"Value\":[";
        bool first = true;
        for (const Element item : element.children()) {
            if (!first) out_ += ',';
            first = false;
            object(item.children(), character_set, depth);
        }
        out_ += ']';
    }

    void value(const Element& element, const CharacterSet& character_set) {
        switch (element.vr()) {
            case Vr::OB:
            case Vr::OW:
            case Vr::OF:
            case Vr::OD:
            case Vr::OL:
            case Vr::OV:
            case Vr::UN: return binary(element);
            case Vr::AT: return tag_values(element);
            default: break;
        }
        if (number_bytes(element.vr()) != 0) return numbers(element);
        if (element.tag() == tags::SpecificCharacterSet) {
            out_ += ",\"Value\":[\"ISO_IR 192\"]";
            return;
        }
        texts(element, character_set);
    }

    void binary(const Element& element) {
        const auto bytes = element.value();
        out_ += ",\"InlineBinary\":\"";
        const std::size_t unit = swap_unit(element.vr());
        if (element.node().big_endian && unit > 1) {
            std::vector<std::byte> swapped(bytes.begin(), bytes.end());
            for (std::size_t at = 0; at + unit <= swapped.size(); at += unit) {
                const auto from = swapped.begin() + static_cast<std::ptrdiff_t>(at);
                std::reverse(from, from + static_cast<std::ptrdiff_t>(unit));
            }
            append_base64(swapped, out_);
        } else {
            append_base64(bytes, out_);
        }
        out_ += '"';
    }

    void tag_values(const Element& element) {
        out_ += ",\"Value\":[";
        for (std::size_t n = 0;; ++n) {
            const auto tag = tag_value(element, n);
            if (!tag) break;
            out_ += fmt::format("{}\"{:08X}\"", n == 0 ? "" : ",", tag->value);
        }
        out_ += ']';
    }

    void numbers(const Element& element) {
        const bool is_float = element.vr() == Vr::FL || element.vr() == Vr::FD;
        out_ += ",\"Value\":[";
        for (std::size_t n = 0;; ++n) {
            const auto number = number_text(element, n);
            if (!number) break;
            if (n != 0) out_ += ',';
            const auto exact = element.integer(n);
            const bool too_wide =
                !is_float && (!exact || *exact > kExactInDouble || *exact < -kExactInDouble);
            if (too_wide || !is_json_number(*number)) {
                append_json_string(*number, out_);  // beyond a double, or nan and inf (PS3.18 F.2.2)
            } else {
                out_ += *number;
            }
        }
        out_ += ']';
    }

    void texts(const Element& element, const CharacterSet& character_set) {
        const auto values = decoded_values(element, character_set);
        if (values.empty()) return;
        out_ += ",\"Value\":[";
        for (std::size_t n = 0; n < values.size(); ++n) {
            if (n != 0) out_ += ',';
            if (values[n].empty()) {
                out_ += "null";
            } else if (element.vr() == Vr::PN) {
                person_name(values[n]);
            } else {
                text(values[n], element.vr());
            }
        }
        out_ += ']';
    }

    void text(const std::string& value, Vr vr) {
        if (vr == Vr::IS || vr == Vr::DS) {
            if (const auto number = json_number(value); !number.empty()) {
                out_ += number;
                return;
            }
        }
        append_json_string(value, out_);
    }

    void person_name(std::string_view value) {
        constexpr std::array<std::string_view, 3> kGroups{"Alphabetic", "Ideographic", "Phonetic"};
        out_ += '{';
        bool first = true;
        for (const auto group : kGroups) {
            const auto equals = value.find('=');
            const auto part = value.substr(0, equals);
            if (!part.empty()) {
                out_ += fmt::format("{}\"{}\":", first ? "" : ",", group);
                append_json_string(part, out_);
                first = false;
            }
            if (equals == std::string_view::npos) break;
            value.remove_prefix(equals + 1);
        }
        out_ += '}';
    }

    std::string& out_;
    std::size_t indent_;
};

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto c = next_code_point(text, at).value_or(kReplacementCharacter);
        switch (c) {
            case U'"': out += "\\\""; break;
            case U'\\': out += "\\\\"; break;
            case U'\n': out += "\\n"; break;
            case U'\r': out += "\\r"; break;
            case U'\t': out += "\\t"; break;
            default:
                if (c < 0x20 || c == 0x7f) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    append_utf8(out, c);
                }
        }
    }
    out += '"';
}

void append_json(const DataSet& data_set, std::string& out, const JsonOptions& options) {
    Writer(out, options.indent).object(data_set.elements(), CharacterSet(), 0);
}

}  // namespace sagitta::dicom
