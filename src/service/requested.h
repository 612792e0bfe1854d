// What an identifier asks to be returned, read out of one data set (PS3.4 C.2.2.1.3, K.4.1.2.2). Pure.
#pragma once

#include "dicom/data_set.h"

namespace sagitta::service {

/// The attributes of `identifier` with the values that `instance` has, empty where it has none. Of a sequence
/// with keys inside, every item reduced to those; with none, the items whole. Text is ISO_IR 192 when it is
/// not all ASCII. Numbers of both are little endian.
[[nodiscard]] dicom::DataSet requested(const dicom::DataSet& identifier, const dicom::DataSet& instance);

}  // namespace sagitta::service
