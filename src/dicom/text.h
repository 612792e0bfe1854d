// Text made comparable: case and accents folded, for matching person names.
#pragma once

#include <string>
#include <string_view>

namespace sagitta::dicom {

/// Case- and accent-folded form of UTF-8 text (Unicode casefold, compatibility decomposition,
/// marks stripped). Invalid UTF-8 is folded byte-wise in its ASCII part and kept elsewhere.
[[nodiscard]] std::string fold(std::string_view utf8);

/// fold() of a PN value in the form names are compared and indexed in: trailing empty components
/// (`^`) and groups (`=`) dropped, spaces around components trimmed, runs of spaces made one.
[[nodiscard]] std::string fold_person_name(std::string_view utf8);

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace sagitta::dicom
