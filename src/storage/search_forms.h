// Which attributes are found through rows of patient_key and study_key, and under which texts.
// Internal to storage; pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/vr.h"
#include "storage/instance_record.h"

namespace sagitta::storage {

/// The searched attributes, best first: how few entities one value of each is likely to name.
[[nodiscard]] std::span<const IndexColumn> searched_columns() noexcept;

/// Every text a key of that VR may be compared with as a string: each of the values by
/// dicom::comparable, and of a name each component group too. Sorted, distinct, none empty.
[[nodiscard]] std::vector<std::string> search_forms(dicom::Vr vr, std::string_view utf8_value);

}  // namespace sagitta::storage
