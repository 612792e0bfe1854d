#include "dicom/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "dicom/base64.h"
#include "dicom/generated/tags.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;
constexpr std::size_t kMaxDecimalString = 16;  // PS3.5 6.2
constexpr std::size_t kMaxIntegerString = 12;

void append_hex(std::uint32_t value, std::string& out) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    char text[8];
    for (std::size_t i = 0; i < 8; ++i) text[i] = kDigits[(value >> (28 - 4 * i)) & 15u];
    out.append(text, sizeof text);
}

void append_number(std::uint64_t number, std::string& out) {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
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

// Readers take numbers for doubles: what one cannot hold stays a string.
bool fits_double(std::string_view number) {
    double value = 0;
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), value);
    return ec == std::errc() && end == number.data() + number.size();
}

// A value of IS or DS, as a number where that loses nothing and is one (PS3.18 F.2.3).
void append_number_string(std::string_view text, Vr vr, std::string& out) {
    const bool is_integer = vr == Vr::IS;
    if (text.size() <= (is_integer ? kMaxIntegerString : kMaxDecimalString)) {
        const bool plain = is_json_number(text);
        const std::string respelled = plain ? std::string() : json_number(text);
        const std::string_view number = plain ? text : std::string_view(respelled);
        const bool fraction = number.find_first_of(".eE") != std::string_view::npos;
        const bool negative_zero = number == "-0";  // JSON readers drop the sign
        if (!number.empty() && !(is_integer && fraction) && !negative_zero && fits_double(number)) {
            out += number;
            return;
        }
    }
    append_json_string(text, out);
}

bool is_binary(Vr vr) {
    switch (vr) {
        case Vr::OB:
        case Vr::OW:
        case Vr::OF:
        case Vr::OD:
        case Vr::OL:
        case Vr::OV:
        case Vr::UN: return true;
        default: return false;
    }
}

// VRs whose values may be elsewhere (PS3.18 F.2.2), but for those whose characters depend on (0008,0005).
bool may_be_bulk(Vr vr) {
    return is_binary(vr) || number_bytes(vr) != 0;
}

bool is_sequence(const Node& node) {
    return node.vr == Vr::SQ || (node.vr == Vr::UN && (node.undefined_length || node.subtree != 0));
}

// Decoding leaves it as it is in every repertoire: no escape sequences, none of the two places where
// JIS X 0201 differs from ASCII, no delimiter that a multi-byte character could hide.
bool is_plain(std::string_view text, bool governed) {
    return std::all_of(text.begin(), text.end(), [governed](char c) {
        return static_cast<unsigned char>(c) < 0x80 && c != '\x1b' && !(governed && (c == '\\' || c == '~'));
    });
}

std::string_view trimmed(std::string_view text, bool keep_leading) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!keep_leading && !text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

class Writer {
public:
    Writer(const DataSet& data_set, std::string& out, const JsonOptions& options)
        : data_set_(data_set), nodes_(data_set.nodes()), out_(out), options_(options) {}

    void run() {
        open_elements(0, static_cast<std::uint32_t>(nodes_.size()), CharacterSet());
        while (!levels_.empty()) {
            Level& level = levels_.back();
            if (level.next == level.end) {
                close();
            } else if (level.of_items) {
                next_item();
            } else {
                next_element();
            }
        }
    }

private:
    // The elements of the data set or an item, or the items of a sequence.
    struct Level {
        std::uint32_t next = 0;
        std::uint32_t end = 0;
        std::uint32_t owner = 0;  ///< the sequence, when its items are meant
        std::uint32_t count = 0;  ///< written so far
        bool of_items = false;
        CharacterSet character_set;
    };

    void open_elements(std::uint32_t first, std::uint32_t end, const CharacterSet& outer) {
        Level level;
        level.next = first;
        level.end = end;
        level.character_set = character_set_of(ElementRange(data_set_, first, end), outer);
        levels_.push_back(level);
        ++depth_;
        out_ += '{';
    }

    void close() {
        const Level& level = levels_.back();
        if (level.of_items) {
            out_ += "]}";
        } else {
            --depth_;
            if (level.count != 0) line_break();
            out_ += '}';
        }
        levels_.pop_back();
    }

    void next_item() {
        Level& level = levels_.back();
        const std::uint32_t row = level.next;
        level.next += 1 + nodes_[row].subtree;
        if (level.count++ != 0) out_ += ',';
        open_elements(row + 1, row + 1 + nodes_[row].subtree, CharacterSet(level.character_set));
    }

    void next_element() {
        Level& level = levels_.back();
        const std::uint32_t row = level.next;
        const Node& node = nodes_[row];
        level.next += 1 + node.subtree;
        if (node.tag.is_group_length()) return;
        if (level.count++ != 0) out_ += ',';
        line_break();
        out_ += '"';
        append_hex(node.tag.value, out_);
        out_ += options_.indent == 0 ? "\":{\"vr\":\"" : "\": {\"vr\":\"";
        if (!is_sequence(node)) {
            out_ += to_string(node.vr);
            out_ += '"';
            const Element element(data_set_, row);
            if (!element.empty()) value(element, level.character_set);
            out_ += '}';
            return;
        }
        out_ += "SQ\"";
        if (node.subtree == 0) {
            out_ += '}';
            return;
        }
        out_ += ",\"Value\":[";
        Level items;
        items.next = row + 1;
        items.end = row + 1 + node.subtree;
        items.owner = row;
        items.of_items = true;
        items.character_set = level.character_set;
        levels_.push_back(items);
    }

    void line_break() {
        if (options_.indent == 0) return;
        out_ += '\n';
        out_.append(depth_ * options_.indent, ' ');
    }

    void value(const Element& element, const CharacterSet& character_set) {
        const Vr vr = element.vr();
        const bool large = options_.bulk_data && may_be_bulk(vr) &&
                           std::max<std::uint64_t>(element.length(), element.value().size()) >
                               options_.bulk_data_threshold_bytes;
        if (is_binary(vr) || element.has_children() || large) return binary(element, large);
        if (vr == Vr::AT) return tag_values(element);
        if (number_bytes(vr) != 0) return numbers(element);
        if (element.tag() == tags::SpecificCharacterSet) {
            out_ += ",\"Value\":[\"ISO_IR 192\"]";
            return;
        }
        texts(element, character_set);
    }

    // The Value Field, little endian: `kept` holds it when it lies nowhere in that form.
    std::span<const std::byte> value_field(const Element& element, std::vector<std::byte>& kept) const {
        const auto bytes = element.value();
        if (element.has_children()) {
            for (const Element fragment : element.children()) {
                std::array<std::byte, 8> head{};
                store_le(head.data(), kItem.group());
                store_le(head.data() + 2, kItem.element());
                store_le(head.data() + 4, static_cast<std::uint32_t>(fragment.value().size()));
                kept.insert(kept.end(), head.begin(), head.end());
                kept.insert(kept.end(), fragment.value().begin(), fragment.value().end());
            }
            return kept;
        }
        const std::size_t unit = swap_unit(element.vr());
        if (!element.node().big_endian || unit == 1) return bytes;
        kept.assign(bytes.begin(), bytes.end());
        for (std::size_t at = 0; at + unit <= kept.size(); at += unit) {
            const auto from = kept.begin() + static_cast<std::ptrdiff_t>(at);
            std::reverse(from, from + static_cast<std::ptrdiff_t>(unit));
        }
        return kept;
    }

    void binary(const Element& element, bool large) {
        std::vector<std::byte> kept;
        const auto bytes = value_field(element, kept);
        if (large) {
            if (const auto uri = options_.bulk_data(path(element.tag()), element, bytes); !uri.empty()) {
                out_ += ",\"BulkDataURI\":";
                append_json_string(uri, out_);
                return;
            }
            if (!is_binary(element.vr()) && !element.has_children()) return numbers(element);
        }
        out_ += ",\"InlineBinary\":\"";
        append_base64(bytes, out_);
        out_ += '"';
    }

    [[nodiscard]] std::string path(Tag tag) const {
        std::string text;
        for (const Level& level : levels_) {
            if (!level.of_items) continue;
            append_hex(nodes_[level.owner].tag.value, text);
            text += '.';
            append_number(level.count - 1, text);
            text += '.';
        }
        append_hex(tag.value, text);
        return text;
    }

    void tag_values(const Element& element) {
        out_ += ",\"Value\":[";
        for (std::size_t n = 0; const auto tag = tag_value(element, n); ++n) {
            out_ += n == 0 ? "\"" : ",\"";
            append_hex(tag->value, out_);
            out_ += '"';
        }
        out_ += ']';
    }

    void numbers(const Element& element) {
        const bool is_float = element.vr() == Vr::FL || element.vr() == Vr::FD;
        const std::size_t count = element.value().size() / number_bytes(element.vr());
        if (count == 0) return;
        out_ += ",\"Value\":[";
        for (std::size_t n = 0; n < count; ++n) {
            if (n != 0) out_ += ',';
            if (is_float) {
                floating(element, n);
            } else {
                integer(element, n);
            }
        }
        out_ += ']';
    }

    void floating(const Element& element, std::size_t n) {
        auto number = *number_text(element, n);
        if (number == "-0") number = "-0.0";  // JSON readers drop the sign of an integer
        if (is_json_number(number)) {
            out_ += number;
        } else {
            append_json_string(number, out_);  // nan and inf, which JSON cannot say
        }
    }

    void integer(const Element& element, std::size_t n) {
        const auto exact = element.integer(n);
        const bool beyond = element.vr() == Vr::UV && exact && *exact < 0;
        if (beyond || !exact || *exact > kExactInDouble || *exact < -kExactInDouble) {
            append_json_string(*number_text(element, n), out_);
        } else {
            char text[24];
            out_.append(text, std::to_chars(text, text + sizeof text, *exact).ptr);
        }
    }

    void texts(const Element& element, const CharacterSet& character_set) {
        const Vr vr = element.vr();
        std::string decoded;
        std::string_view rest = element.text();
        if (!is_plain(rest, uses_character_set(vr))) {
            decoded = character_set.to_utf8(rest, vr);
            rest = decoded;
        }
        if (rest.empty()) return;
        const std::size_t before = out_.size();
        out_ += ",\"Value\":[";
        if (is_single_valued_text(vr)) {
            append_json_string(rest, out_);
        } else {
            bool only_empty = true;
            for (std::size_t n = 0;; ++n) {
                const auto slash = rest.find('\\');
                if (n != 0) out_ += ',';
                const bool said = one_text(trimmed(rest.substr(0, slash), vr == Vr::UC), vr);
                only_empty = only_empty && !said && n == 0 && slash == std::string_view::npos;
                if (slash == std::string_view::npos) break;
                rest.remove_prefix(slash + 1);
            }
            if (only_empty) return out_.resize(before);  // one empty value is no value (PS3.18 F.2.5)
        }
        out_ += ']';
    }

    bool one_text(std::string_view text, Vr vr) {
        if (vr == Vr::PN) return person_name(text);
        if (text.empty()) {
            out_ += "null";
        } else if (vr == Vr::IS || vr == Vr::DS) {
            append_number_string(text, vr, out_);
        } else {
            append_json_string(text, out_);
        }
        return !text.empty();
    }

    bool person_name(std::string_view value) {
        constexpr std::array<std::string_view, 3> kGroups{
            "\"Alphabetic\":", "\"Ideographic\":", "\"Phonetic\":"};
        bool any = false;
        for (const auto group : kGroups) {
            const auto equals = value.find('=');
            const auto part = value.substr(0, equals);
            if (!part.empty()) {
                out_ += any ? ',' : '{';
                out_ += group;
                append_json_string(part, out_);
                any = true;
            }
            if (equals == std::string_view::npos) break;
            value.remove_prefix(equals + 1);
        }
        out_ += any ? "}" : "null";
        return any;
    }

    const DataSet& data_set_;
    std::span<const Node> nodes_;
    std::string& out_;
    const JsonOptions& options_;
    std::vector<Level> levels_;
    std::size_t depth_ = 0;
};

bool is_safe(char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void append_escaped(char32_t c, std::string& out) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    switch (c) {
        case U'"': out += "\\\""; return;
        case U'\\': out += "\\\\"; return;
        case U'\n': out += "\\n"; return;
        case U'\r': out += "\\r"; return;
        case U'\t': out += "\\t"; return;
        default: break;
    }
    if (c >= 0x20 && c != 0x7f) return append_utf8(out, c);
    out += "\\u00";
    out += kDigits[(c >> 4) & 15u];
    out += kDigits[c & 15u];
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && is_safe(text[end])) ++end;
        out.append(text.substr(at, end - at));
        at = end;
        if (at == text.size()) break;
        append_escaped(next_code_point(text, at).value_or(kReplacementCharacter), out);
    }
    out += '"';
}

void append_json(const DataSet& data_set, std::string& out, const JsonOptions& options) {
    Writer(data_set, out, options).run();
}

}  // namespace sagitta::dicom
