#include "dicom/edit_value.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <system_error>
#include <utility>

#include "core/bytes.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"

namespace sagitta::dicom {
namespace {

constexpr std::string_view kHex = "hex:";

Error wrong(std::string what) {
    return {Errc::invalid_argument, std::move(what)};
}

std::string_view trimmed(std::string_view text) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    return text;
}

template <std::unsigned_integral T>
void append(std::string& bytes, T value) {
    std::array<std::byte, sizeof(T)> little{};
    store_le(little.data(), value);
    bytes.append(as_text(little));
}

template <class T>
bool append_number(std::string& bytes, std::string_view text) {
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    T number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return false;
    if constexpr (std::same_as<T, float>) {
        append(bytes, std::bit_cast<std::uint32_t>(number));
    } else if constexpr (std::same_as<T, double>) {
        append(bytes, std::bit_cast<std::uint64_t>(number));
    } else {
        append(bytes, static_cast<std::make_unsigned_t<T>>(number));
    }
    return true;
}

bool append_tag(std::string& bytes, std::string_view text) {
    const auto tag = parse_tag(text);
    if (!tag) return false;
    append(bytes, tag->group());
    append(bytes, tag->element());
    return true;
}

using AppendOne = bool (*)(std::string& bytes, std::string_view text);

// Null for a VR whose values are not written as numbers or tags.
AppendOne appender_for(Vr vr) {
    switch (vr) {
        case Vr::AT: return append_tag;
        case Vr::US: return append_number<std::uint16_t>;
        case Vr::SS: return append_number<std::int16_t>;
        case Vr::UL:
        case Vr::OL: return append_number<std::uint32_t>;
        case Vr::SL: return append_number<std::int32_t>;
        case Vr::UV:
        case Vr::OV: return append_number<std::uint64_t>;
        case Vr::SV: return append_number<std::int64_t>;
        case Vr::FL:
        case Vr::OF: return append_number<float>;
        case Vr::FD:
        case Vr::OD: return append_number<double>;
        default: return nullptr;
    }
}

bool takes_hex(Vr vr) {
    switch (vr) {
        case Vr::OB:
        case Vr::OD:
        case Vr::OF:
        case Vr::OL:
        case Vr::OV:
        case Vr::OW:
        case Vr::UN: return true;
        default: return false;
    }
}

Result<std::string> bytes_of_hex(std::string_view digits) {
    std::string bytes;
    bytes.reserve(digits.size() / 2);
    for (std::size_t at = 0; at < digits.size(); at += 2) {
        unsigned value = 0;
        const auto pair = digits.substr(at, 2);
        const auto [end, error] = std::from_chars(pair.data(), pair.data() + pair.size(), value, 16);
        if (pair.size() != 2 || error != std::errc() || end != pair.data() + 2)
            return wrong("hex: is followed by two hexadecimal digits for each byte");
        bytes.push_back(static_cast<char>(value));
    }
    return bytes;
}

Vr word_or_byte(Tag tag, const ValueContext& context) {
    const bool implicit = context.syntax != nullptr && !context.syntax->explicit_vr;
    if (implicit) return Vr::OW;
    if (tag != tags::PixelData) return Vr::OW;
    const bool encapsulated = context.syntax != nullptr && context.syntax->encapsulated;
    return encapsulated || !context.wide_pixels ? Vr::OB : Vr::OW;
}

}  // namespace

std::optional<Vr> vr_of_new_value(Tag tag, std::string_view text, const ValueContext& context) {
    if (tag.is_group_length()) return Vr::UL;
    if (tag.is_private_creator()) return Vr::LO;
    const auto* entry = find_tag(tag);
    if (entry == nullptr || entry->vr == Vr::none) return std::nullopt;
    if (!entry->ambiguous_vr) return entry->vr;
    if (entry->vr == Vr::OB) return word_or_byte(tag, context);
    if (entry->vr == Vr::US && tag == tags::LUTData) return text.starts_with(kHex) ? Vr::OW : Vr::US;
    return entry->vr == Vr::US && context.signed_pixels ? Vr::SS : entry->vr;
}

Result<std::string> encode_value(Vr vr, std::string_view text, const CharacterSet& character_set) {
    if (is_text(vr)) return character_set.from_utf8(text, vr);
    std::string bytes;
    if (text.empty()) return bytes;
    if (takes_hex(vr) && text.starts_with(kHex)) return bytes_of_hex(text.substr(kHex.size()));
    const auto append_one = appender_for(vr);
    const std::string name(to_string(vr));
    if (append_one == nullptr) return wrong("a value of VR " + name + " is given as hex:0a0b");
    std::size_t number = 1;
    while (true) {
        const auto one = text.substr(0, text.find('\\'));
        if (!append_one(bytes, trimmed(one))) {
            const char* kind = vr == Vr::AT ? " is no tag and no keyword" : " is no number of VR ";
            return wrong("value " + std::to_string(number) + kind + (vr == Vr::AT ? "" : name));
        }
        if (one.size() == text.size()) return bytes;
        text.remove_prefix(one.size() + 1);
        ++number;
    }
}

}  // namespace sagitta::dicom
