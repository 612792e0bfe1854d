// Specific Character Set (0008,0005): bytes of a data set to UTF-8 and back (PS3.5 6.1, PS3.3
// C.12.1.1.2), with ISO 2022 code extensions. Knows values, not data sets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

/// A parsed value of (0008,0005). Cheap to copy; thread-safe.
class CharacterSet {
public:
    /// ISO_IR 6, the default repertoire.
    CharacterSet() = default;

    /// From the undecoded value, backslash-separated. Unknown terms are noted and make text with
    /// bytes beyond ASCII decode to U+FFFD; common misspellings ("ISO-IR 100", "ISO 2022 IR 100"
    /// alone, "UTF-8") are understood.
    [[nodiscard]] static CharacterSet parse(std::string_view specific_character_set);

    [[nodiscard]] static CharacterSet utf8();

    [[nodiscard]] bool is_utf8() const noexcept { return kind_ == Kind::utf8; }
    /// All terms known, so that decoding loses nothing that was valid.
    [[nodiscard]] bool is_known() const noexcept { return !unknown_; }

    /// Text of a value with this VR in UTF-8. Escape sequences are followed, also undeclared ones,
    /// and reset at the delimiters of PS3.5 6.1.2.5.3 (with `^` and `=` for PN). Bytes that fit no
    /// repertoire become U+FFFD. A backslash inside a multi-byte character is not a delimiter and is
    /// not in the answer; every backslash in the answer is one. Not for VRs that (0008,0005) does
    /// not govern: those decode as ASCII. Padding is kept.
    [[nodiscard]] std::string to_utf8(std::string_view bytes, Vr vr) const;

    /// The inverse: to_utf8 of the answer is `text` again. Errors: unsupported when a character is
    /// outside this repertoire, malformed when `text` is no UTF-8.
    [[nodiscard]] Result<std::string> from_utf8(std::string_view text, Vr vr) const;

private:
    enum class Kind : std::uint8_t { iso2022, utf8, gb18030, gbk };

    void add(std::string_view term);

    std::array<std::uint8_t, 17> terms_{};  ///< rows of the table of terms, each once, in order
    std::uint8_t count_ = 0;
    Kind kind_ = Kind::iso2022;
    bool extended_ = false;  ///< several terms, or one of the ISO 2022 kind
    bool unknown_ = false;
};

}  // namespace sagitta::dicom
