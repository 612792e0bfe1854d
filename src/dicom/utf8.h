// UTF-8 one code point at a time: what character_set, text and their tests share.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sagitta::dicom {

inline constexpr char32_t kReplacementCharacter = 0xfffd;

inline void append_utf8(std::string& to, char32_t code_point) {
    const auto byte = [&](char32_t bits) {
        to.push_back(static_cast<char>(static_cast<unsigned char>(bits)));
    };
    if (code_point < 0x80) {
        byte(code_point);
    } else if (code_point < 0x800) {
        byte(0xc0 | (code_point >> 6));
        byte(0x80 | (code_point & 0x3f));
    } else if (code_point < 0x10000) {
        byte(0xe0 | (code_point >> 12));
        byte(0x80 | ((code_point >> 6) & 0x3f));
        byte(0x80 | (code_point & 0x3f));
    } else {
        byte(0xf0 | (code_point >> 18));
        byte(0x80 | ((code_point >> 12) & 0x3f));
        byte(0x80 | ((code_point >> 6) & 0x3f));
        byte(0x80 | (code_point & 0x3f));
    }
}

/// The code point at `text[at]`, moving `at` behind it. Empty, and `at` one byte further, when the
/// bytes there are no UTF-8 (overlong forms and surrogates are none). `at` must be inside `text`.
[[nodiscard]] inline std::optional<char32_t> next_code_point(std::string_view text,
                                                             std::size_t& at) noexcept {
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80) return lead;
    if (lead < 0xc2 || lead > 0xf4) return std::nullopt;
    const std::size_t more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (text.size() - at < more) return std::nullopt;
    char32_t code_point = lead & (0x3fu >> more);
    for (std::size_t i = 0; i < more; ++i) {
        const auto byte = static_cast<unsigned char>(text[at + i]);
        if ((byte & 0xc0) != 0x80) return std::nullopt;
        code_point = (code_point << 6) | (byte & 0x3fu);
    }
    if (more == 2 && (code_point < 0x800 || (code_point >= 0xd800 && code_point <= 0xdfff)))
        return std::nullopt;
    if (more == 3 && (code_point < 0x10000 || code_point > 0x10ffff)) return std::nullopt;
    at += more;
    return code_point;
}

[[nodiscard]] inline bool is_ascii(std::string_view text) noexcept {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return true;
}

}  // namespace sagitta::dicom
