// Values as people and JSON read them: binary numbers in decimal, text decoded to UTF-8, anything
// else as hexadecimal. Knows one element at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/character_set.h"
#include "dicom/data_set.h"

namespace sagitta::dicom {

/// Bytes of one number of this VR; 0 when its values are not binary numbers (AT counts as none).
[[nodiscard]] std::size_t number_bytes(Vr vr) noexcept;

/// The n-th binary number in the fewest digits that read back the same; "nan", "inf" as they are.
/// Empty when there is none.
[[nodiscard]] std::optional<std::string> number_text(const Element& element, std::size_t n);

/// The n-th tag of an AT value.
[[nodiscard]] std::optional<Tag> tag_value(const Element& element, std::size_t n) noexcept;

/// The whole value of a text element in UTF-8, trimmed; backslashes in it are delimiters, except
/// in LT ST UT UR.
[[nodiscard]] std::string decoded_text(const Element& element, const CharacterSet& character_set);

/// The values of a text element, each in UTF-8 and trimmed. Empty for an empty value.
[[nodiscard]] std::vector<std::string> decoded_values(const Element& element,
                                                      const CharacterSet& character_set);

/// How many values there are (PS3.5 6.4): items of a sequence, 1 for opaque bytes, 0 when empty.
[[nodiscard]] std::uint64_t value_count(const Element& element);

/// The character set of a data set or item, or `outer` when it does not state one (PS3.3 C.12.1.1.2).
[[nodiscard]] CharacterSet character_set_of(const ElementRange& elements, const CharacterSet& outer);

/// Fit for one line of a terminal: line breaks become "↵"; control characters, also those of
/// Unicode that turn the direction of text, become \x.. or \u....
[[nodiscard]] std::string printable(std::string_view utf8);

/// Columns of a terminal: two for wide East Asian characters, none for combining marks.
[[nodiscard]] std::size_t display_width(char32_t character) noexcept;
[[nodiscard]] std::size_t display_width(std::string_view utf8) noexcept;

}  // namespace sagitta::dicom
