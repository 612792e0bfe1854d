// What a de-identified instance says of itself: Patient Identity Removed, by which method, by whom
// (PS3.15 E.1.1, PS3.3 C.7.1.1, C.12.1).
#pragma once

#include "deid/profile.h"
#include "dicom/builder.h"
#include "dicom/data_set.h"

namespace sagitta::deid {

/// The top-level attributes that every result of this profile has.
[[nodiscard]] dicom::DataSet make_markers(const Profile& profile);

/// They are made anew, whatever the original says.
[[nodiscard]] bool is_marker(dicom::Tag tag) noexcept;

/// The item of Contributing Equipment Sequence (0018,A001) that says who did it. No date: the same original
/// gives the same result on another day.
void add_contributing_equipment(dicom::DataSetBuilder& builder);

}  // namespace sagitta::deid
