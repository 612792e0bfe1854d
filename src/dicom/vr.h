// Value Representations (PS3.5 section 6.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sagitta::dicom {

/// `none` marks what has no VR: items and delimiters (PS3.5 7.5).
enum class Vr : std::uint8_t {
    none,
    AE,
    AS,
    AT,
    CS,
    DA,
    DS,
    DT,
    FD,
    FL,
    IS,
    LO,
    LT,
    OB,
    OD,
    OF,
    OL,
    OV,
    OW,
    PN,
    SH,
    SL,
    SQ,
    SS,
    ST,
    SV,
    TM,
    UC,
    UI,
    UL,
    UN,
    UR,
    US,
    UT,
    UV
};

/// The two letters; "--" for none.
[[nodiscard]] std::string_view to_string(Vr vr) noexcept;

/// Empty when the two letters name no VR.
[[nodiscard]] std::optional<Vr> vr_from_letters(char first, char second) noexcept;

/// Explicit encoding uses the 12-byte header with a 32-bit length (PS3.5 7.1.2).
[[nodiscard]] bool has_long_header(Vr vr) noexcept;

/// Bytes to swap between byte orders: 1, 2, 4 or 8 (PS3.5 7.3).
[[nodiscard]] std::size_t swap_unit(Vr vr) noexcept;

/// Character strings, person names, dates, numbers as text: what has a readable value.
[[nodiscard]] bool is_text(Vr vr) noexcept;

/// LO LT PN SH ST UC UT: what (0008,0005) Specific Character Set governs (PS3.5 6.1.2.3).
[[nodiscard]] bool uses_character_set(Vr vr) noexcept;

/// LT ST UT UR hold one value in which a backslash is an ordinary character (PS3.5 6.4).
[[nodiscard]] bool is_single_valued_text(Vr vr) noexcept;

/// The byte that pads a value to even length: space for text, NUL for UI and binary (PS3.5 6.2).
[[nodiscard]] char padding(Vr vr) noexcept;

}  // namespace sagitta::dicom
