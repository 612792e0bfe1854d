// Data set to bytes (PS3.5 section 7): the inverse of parser.h, without recursion.
#pragma once

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::dicom {

/// Appends the data set to `out` in the given syntax: even lengths, big-endian numbers swapped,
/// sequences with the kind of length they were read with. A deflated syntax deflates.
/// Errors: limit_exceeded when a value does not fit its length field.
[[nodiscard]] Result<void> write_data_set(const DataSet& data_set, const TransferSyntax& syntax,
                                          ByteBuffer& out);

}  // namespace sagitta::dicom
