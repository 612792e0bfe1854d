// An instance before and after, attribute by attribute.
#pragma once

#include <string>

#include "dicom/data_set.h"

namespace sagitta::tools {

/// A line for each attribute that is not the same. Values are shown only when `show_values`.
[[nodiscard]] std::string diff(const dicom::DataSet& before, const dicom::DataSet& after, bool show_values);

}  // namespace sagitta::tools
