// Whether an instance may show or hold what no attribute tells: drawn into pixels, or in a document.
#pragma once

#include <optional>
#include <string_view>

#include "dicom/data_set.h"

namespace sagitta::deid {

/// Why its pixels may hold text about the patient; nothing when there is no reason to think so.
[[nodiscard]] std::optional<std::string_view> pixel_risk(const dicom::DataSet& instance);

/// It carries a document of another format (PS3.3 A.45 and A.85), which nobody here can read.
[[nodiscard]] bool has_encapsulated_document(const dicom::DataSet& instance);

}  // namespace sagitta::deid
