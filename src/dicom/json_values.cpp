#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "dicom/json_rows.h"
#include "dicom/text.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::dicom::json_rows {
namespace {

using Kind = Value::Kind;

constexpr std::size_t kMaxDecimalString = 16;  // PS3.5 6.2
constexpr std::size_t kMaxIntegerString = 12;

Error wrong(std::string_view what) {
    return {Errc::malformed, std::string(what)};
}

template <class T>
std::optional<T> parsed(std::string_view text) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    T number{};
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// The number as an integer of that type, when it is one: 5.0 and 1e3 are.
template <std::integral T>
std::optional<T> integer(const Table& table, const Value& value) {
    switch (value.kind) {
        case Kind::signed_integer: {
            const auto number = static_cast<std::int64_t>(value.bits);
            if (!std::in_range<T>(number)) return std::nullopt;
            return static_cast<T>(number);
        }
        case Kind::unsigned_integer:
            if (!std::in_range<T>(value.bits)) return std::nullopt;
            return static_cast<T>(value.bits);
        case Kind::real: {
            const auto number = parsed<double>(table.text_of(value));
            if (!number || std::trunc(*number) != *number || std::abs(*number) > 9007199254740992.0)
                return std::nullopt;
            const auto whole = static_cast<std::int64_t>(*number);
            if (!std::in_range<T>(whole)) return std::nullopt;
            return static_cast<T>(whole);
        }
        case Kind::text: return parsed<T>(table.text_of(value));
        case Kind::null: return std::nullopt;
    }
    return std::nullopt;
}

template <std::floating_point T>
std::optional<T> floating(const Table& table, const Value& value) {
    switch (value.kind) {
        case Kind::signed_integer: return static_cast<T>(static_cast<std::int64_t>(value.bits));
        case Kind::unsigned_integer: return static_cast<T>(value.bits);
        case Kind::null: return std::nullopt;
        // JSON has no word for what is no number or has no end; these are the usual ones, which
        // from_chars knows in any case of letters.
        case Kind::real:
        case Kind::text: return parsed<T>(table.text_of(value));
    }
    return std::nullopt;
}

template <class T>
void append_value(T number, std::string& out) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof bytes);
}

template <class T>
Result<void> binary_numbers(const Table& table, const Row& row, std::string& out) {
    for (std::uint64_t n = 0; n < row.count; ++n) {
        const Value& value = table.values[row.first + n];
        std::optional<T> number;
        if constexpr (std::floating_point<T>) {
            number = floating<T>(table, value);
        } else {
            number = integer<T>(table, value);
        }
        if (!number) return wrong("a value that is no number of this VR");
        append_value(*number, out);
    }
    return {};
}

// In at most 16 characters (PS3.5 6.2), as near as they allow.
std::string decimal_string(double number) {
    char text[40];
    for (int digits = 17; digits > 0; --digits) {
        const auto [end, ec] =
            std::to_chars(text, text + sizeof text, number, std::chars_format::general, digits);
        const auto size = static_cast<std::size_t>(end - text);
        if (ec == std::errc() && size <= kMaxDecimalString) return {text, size};
    }
    return {};
}

// A number for IS or DS: as it was spelled, where that fits.
Result<void> number_string(const Table& table, const Value& value, Vr vr, std::string& out) {
    if (vr == Vr::IS) {
        const auto number = integer<std::int64_t>(table, value);
        if (!number) return wrong("a number that is no integer");
        const auto text = std::to_string(*number);
        if (text.size() > kMaxIntegerString) return wrong("a number too long for an integer string");
        out += text;
        return {};
    }
    std::string text;
    if (value.kind == Kind::real) {
        text = table.text_of(value);
    } else {
        text = value.kind == Kind::signed_integer ? std::to_string(static_cast<std::int64_t>(value.bits))
                                                  : std::to_string(value.bits);
    }
    if (text.size() > kMaxDecimalString) {
        const auto number = parsed<double>(text);
        text = number ? decimal_string(*number) : std::string();
        if (text.empty()) return wrong("a number too long for a decimal string");
    }
    out += text;
    return {};
}

Result<void> check_text(std::string_view text, Vr vr) {
    if (!uses_character_set(vr) && !is_ascii(text)) return wrong("characters beyond ASCII in this VR");
    if (!is_single_valued_text(vr) && text.find('\\') != std::string_view::npos) {
        return wrong("a backslash, which separates values (PS3.18 F.2.4)");
    }
    return {};
}

Result<void> texts(const Table& table, const Row& row, std::string& out) {
    if (is_single_valued_text(row.vr) && row.count > 1) return wrong("several values where there is one");
    for (std::uint64_t n = 0; n < row.count; ++n) {
        if (n != 0) out += '\\';
        const Value& value = table.values[row.first + n];
        if (value.kind == Kind::null) continue;
        if (value.kind != Kind::text) {
            if (row.vr != Vr::IS && row.vr != Vr::DS) return wrong("a number in a VR of text");
            if (auto done = number_string(table, value, row.vr, out); !done) return done;
            continue;
        }
        const auto text = table.text_of(value);
        if (auto good = check_text(text, row.vr); !good) return good;
        out += text;
    }
    return {};
}

// Tags as JSON spells them: eight hexadecimal digits.
Result<void> tag_values(const Table& table, const Row& row, std::string& out) {
    for (std::uint64_t n = 0; n < row.count; ++n) {
        const Value& value = table.values[row.first + n];
        const auto text = value.kind == Kind::text ? table.text_of(value) : std::string_view();
        std::uint32_t tag = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), tag, 16);
        if (text.size() != 8 || ec != std::errc() || end != text.data() + 8) {
            return wrong("a tag that is not eight hexadecimal digits");
        }
        append_value(static_cast<std::uint16_t>(tag >> 16), out);
        append_value(static_cast<std::uint16_t>(tag), out);
    }
    return {};
}

Result<void> person_names(const Table& table, std::uint32_t at, std::string& out) {
    const Row& row = table.rows[at];
    bool first = true;
    for (std::uint32_t inner = at + 1; inner <= at + row.subtree; inner += 1 + table.rows[inner].subtree) {
        if (!first) out += '\\';
        first = false;
        const Row& name = table.rows[inner];
        if (!name.is_name && name.subtree != 0) return wrong("an item where a person name is expected");
        if (!name.is_name) continue;
        std::size_t pending = 0;
        for (std::uint64_t group = 0; group < 3; ++group, ++pending) {
            const Value& value = table.values[name.first + group];
            const auto text = value.kind == Kind::text ? table.text_of(value) : std::string_view();
            if (text.empty()) continue;
            if (text.find_first_of("=\\") != std::string_view::npos) {
                return wrong("a delimiter inside a component group");
            }
            out.append(std::exchange(pending, 0), '=');
            out += text;
        }
    }
    return {};
}

Result<void> scalars(const Table& table, const Row& row, std::string& out) {
    switch (row.vr) {
        case Vr::US: return binary_numbers<std::uint16_t>(table, row, out);
        case Vr::SS: return binary_numbers<std::int16_t>(table, row, out);
        case Vr::UL: return binary_numbers<std::uint32_t>(table, row, out);
        case Vr::SL: return binary_numbers<std::int32_t>(table, row, out);
        case Vr::UV: return binary_numbers<std::uint64_t>(table, row, out);
        case Vr::SV: return binary_numbers<std::int64_t>(table, row, out);
        case Vr::FL: return binary_numbers<float>(table, row, out);
        case Vr::FD: return binary_numbers<double>(table, row, out);
        case Vr::AT: return tag_values(table, row, out);
        case Vr::PN: return wrong("a person name that is no object");
        default: break;
    }
    if (is_text(row.vr)) return texts(table, row, out);
    return wrong("a Value where only InlineBinary or BulkDataURI can be");
}

bool all_null(const Table& table, const Row& row) {
    for (std::uint64_t n = 0; n < row.count; ++n) {
        if (table.values[row.first + n].kind != Kind::null) return false;
    }
    return true;
}

}  // namespace

Result<void> value_field(const Table& table, std::uint32_t at, std::string& out) {
    out.clear();
    const Row& row = table.rows[at];
    if (row.content == Row::Content::objects) {
        if (row.vr != Vr::PN) return wrong("an object in a VR that has none");
        return person_names(table, at, out);
    }
    const bool text = is_text(row.vr);
    if (!text && all_null(table, row)) return {};  // an empty value, however it was spelled
    if (row.vr == Vr::PN && all_null(table, row)) {
        if (row.count > 1) out.append(row.count - 1, '\\');
        return {};
    }
    return scalars(table, row, out);
}

Result<void> check_value_field(std::string_view bytes, Vr vr) {
    if (vr == Vr::SQ) return wrong("a sequence that is no array of objects");
    if (is_text(vr)) {
        if (!is_valid_utf8(bytes)) return wrong("text that is not UTF-8");
        if (!uses_character_set(vr) && !is_ascii(bytes)) return wrong("characters beyond ASCII in this VR");
        return {};
    }
    const bool is_other = vr == Vr::OB || vr == Vr::OW || vr == Vr::OF || vr == Vr::OD || vr == Vr::OL ||
                          vr == Vr::OV || vr == Vr::UN;
    const std::size_t unit = vr == Vr::AT ? 4 : number_bytes(vr);
    if (!is_other && bytes.size() % unit != 0) return wrong("a length that is no multiple of a value's");
    return {};
}

}  // namespace sagitta::dicom::json_rows
