// What a vault keeps of an original: the attributes that say who it was. Made and read back here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "deid/deidentifier.h"
#include "dicom/data_set.h"

namespace sagitta::deid {

/// The elements of group 0010, or those of the study (identifiers, dates, descriptions, people), as bytes.
[[nodiscard]] std::string original_attributes(const dicom::DataSet& original, Mapping::Kind kind,
                                              std::int32_t shift_days);

struct OriginalAttributes {
    dicom::DataSet data_set;      ///< with its Specific Character Set
    std::int32_t shift_days = 0;  ///< by which the dates were moved
};
/// Errors: corrupt.
[[nodiscard]] Result<OriginalAttributes> read_original_attributes(std::string_view stored);

}  // namespace sagitta::deid
