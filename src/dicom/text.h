// Text made comparable: case and accents folded, for matching person names.
#pragma once

#include <string>
#include <string_view>

namespace sagitta::dicom {

/// Case- and accent-folded form of UTF-8 text: Unicode casefold, compatibility forms made equal
/// (half-width kana, ligatures, full-width Latin), accents and vowel points of Latin, Greek,
/// Cyrillic, Hebrew and Arabic stripped, letters such as ø and ł spelled plainly. The answer is
/// composed, so that a syllable of kana or Hangul is one character. `* ? \ ^ =` never appear where
/// they did not stand before. Invalid UTF-8 is folded byte-wise in its ASCII part and kept
/// elsewhere. fold(fold(x)) == fold(x).
[[nodiscard]] std::string fold(std::string_view utf8);

/// fold() of a PN value in the form names are compared and indexed in: trailing empty components
/// (`^`) and groups (`=`) dropped, spaces around components trimmed, runs of spaces made one.
/// Several values (backslashes) stay several.
[[nodiscard]] std::string fold_person_name(std::string_view utf8);

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace sagitta::dicom
