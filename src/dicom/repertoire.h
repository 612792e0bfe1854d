// The coded character sets that (0008,0005) names, as tables between codes and Unicode. Built once
// from glibc's iconv, read-only afterwards. Knows nothing of escape sequences: see iso2022.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sagitta::dicom {

/// One graphic set that can stand in G0 or G1 (PS3.3 Tables C.12-2 to C.12-4).
enum class Repertoire : std::uint8_t {
    none,
    ascii,     ///< ISO-IR 6
    romaji,    ///< ISO-IR 14, JIS X 0201; 05/12 stays the backslash that DICOM needs
    katakana,  ///< ISO-IR 13, JIS X 0201
    latin1,
    latin2,
    latin3,
    latin4,
    latin5,
    latin9,
    cyrillic,
    arabic,
    greek,
    hebrew,
    thai,
    jis_x0208,  ///< ISO-IR 87
    jis_x0212,  ///< ISO-IR 159
    ks_x1001,   ///< ISO-IR 149
    gb_2312,    ///< ISO-IR 58
};
inline constexpr std::size_t kRepertoires = 19;

/// Codes are pairs of bytes, 94 x 94.
[[nodiscard]] constexpr bool is_double_byte(Repertoire repertoire) noexcept {
    return repertoire >= Repertoire::jis_x0208;
}

/// The code point of `code`: one byte 21-7E for ascii and romaji, A0-FF for the other single byte
/// sets, two bytes 2121-7E7E for the rest. Empty when nothing is assigned. Thread-safe.
[[nodiscard]] std::optional<char32_t> decode_code(Repertoire repertoire, std::uint16_t code);

/// The inverse. Thread-safe.
[[nodiscard]] std::optional<std::uint16_t> encode_code(Repertoire repertoire, char32_t code_point);

/// A character of GB 18030 at the beginning of `bytes`, and its length of 1, 2 or 4. Where nothing
/// is assigned the code point is U+FFFD; a byte that begins no character has length 1. Thread-safe.
struct GbCharacter {
    char32_t code_point;
    std::uint8_t length;
};
[[nodiscard]] GbCharacter decode_gb18030(std::string_view bytes);

/// The code of a character in GB 18030: one, two or four bytes, big endian. Empty for surrogates.
[[nodiscard]] std::optional<std::uint32_t> encode_gb18030(char32_t code_point);
/// The same for GBK: one or two bytes; empty when it is not in GBK.
[[nodiscard]] std::optional<std::uint32_t> encode_gbk(char32_t code_point);

}  // namespace sagitta::dicom
