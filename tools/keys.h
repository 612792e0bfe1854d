// Attributes as they are written on the command line: `PatientName=DOE*`, `StudyDate`, `0020,000d=…`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::tools {

/// A keyword of PS3.6 or a tag. Errors: invalid_argument, with the nearest keyword.
[[nodiscard]] Result<dicom::Tag> parse_keyword(std::string_view text);

/// Adds `Keyword=value` or `Keyword` (an empty value: please return it) to an identifier. Errors:
/// invalid_argument.
[[nodiscard]] Result<void> add_key(std::string_view text, dicom::DataSet& identifier);

/// An identifier from all of them, also `Sequence.Keyword=value`; says ISO_IR 192 when a value needs it.
/// Errors: invalid_argument.
[[nodiscard]] Result<dicom::DataSet> make_identifier(std::span<const std::string> keys);

/// "STUDY" for "study" and so on; empty when it is no level.
[[nodiscard]] std::string level_name(std::string_view word);

/// The deepest level of which the identifier names a unique key ("IMAGE" for a SOP Instance UID);
/// empty when it names none.
[[nodiscard]] std::string deepest_level(const dicom::DataSet& identifier);

}  // namespace sagitta::tools
