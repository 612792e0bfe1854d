// An object for a receiver that does not take the transfer syntax it is stored in: the cheapest way without a
// loss (PS3.4 B.4.1, PS3.5 section 10).
#pragma once

#include <span>
#include <string>

#include "codec/transcode.h"
#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

struct EncodedDataSet {
    std::string transfer_syntax_uid;
    ByteBuffer bytes;  ///< the data set, without file meta information
};

/// Errors: unsupported when none of `accepted` can hold the object without loss, or is none we write; those
/// of transcode and of write_data_set.
[[nodiscard]] Result<EncodedDataSet> transcode_for(const dicom::DataSet& data_set, std::string_view source,
                                                   std::span<const std::string> accepted,
                                                   const TranscodeOptions& options = {});

}  // namespace sagitta::codec
