// The last look at what is about to go out: the encoded bytes, searched for everything that was known of
// the patient (identity.h). Pixel data is not looked at.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "core/result.h"
#include "deid/residue.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::deid {

/// Where something was found and of which kind, without saying what; nothing when the bytes are clean.
/// `bytes` is `data_set` as written in `syntax`. Errors: when it cannot be read again, which is a bug.
[[nodiscard]] Result<std::optional<std::string>> find_residue(const dicom::DataSet& data_set,
                                                              std::span<const std::byte> bytes,
                                                              const dicom::TransferSyntax& syntax,
                                                              const Residue& residue);

}  // namespace sagitta::deid
