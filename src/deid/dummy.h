// Values that mean nothing and are valid for their VR (PS3.15 E.1, action D).
#pragma once

#include <string_view>

#include "dicom/builder.h"
#include "dicom/data_set.h"

namespace sagitta::deid {

/// What stands for a text.
inline constexpr std::string_view kRemovedText = "REMOVED";

/// Empty for what is no text.
[[nodiscard]] std::string_view dummy_text(dicom::Vr vr) noexcept;

/// Adds a value that stands for any other. Not for sequences and UIDs.
void add_dummy(dicom::DataSetBuilder& builder, dicom::Tag tag, dicom::Vr vr);

/// Content Sequence (PS3.3 C.17.3) with one text item, Graphic Annotation Sequence (C.10.5) with one point:
/// nothing of `original` is left. False when it is another sequence.
[[nodiscard]] bool add_dummy_content(dicom::DataSetBuilder& builder, const dicom::Element& original);

/// A sequence of one coded concept (PS3.3 Table 8.8-1).
struct Code {
    std::string_view value;
    std::string_view scheme;
    std::string_view meaning;
};
void add_code_item(dicom::DataSetBuilder& builder, const Code& code);

}  // namespace sagitta::deid
