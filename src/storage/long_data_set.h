// Parses a data set that lies in a file and is too long for memory: its bulk values are stepped over.
// Internal to storage and its callers; changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"
#include "storage/instance_record.h"
#include "storage/spooled_instance.h"

namespace sagitta::storage {

struct LongDataSetOptions {
    std::uint32_t max_depth = 64;                  ///< nested sequences
    std::uint64_t large_value_bytes = 256u << 10;  ///< values of the top level that are stepped over
    std::uint64_t most_bytes = 256ull << 20;       ///< of all others together
};

/// What is in memory of it. Values stepped over are empty.
struct LongDataSet {
    dicom::DataSet data_set;
    std::uint64_t before_pixels = 0;  ///< bytes of the data set up to the pixel data's value, or all
};

/// Reads all of it, pixel data by its fragments, and refuses what parse_data_set would refuse. Not for a
/// deflated one. Errors: those of parse_data_set, io_failure, and limit_exceeded beyond `most_bytes`.
[[nodiscard]] Result<LongDataSet> read_long_data_set(const SpooledInstance& spooled,
                                                     const dicom::TransferSyntax& syntax,
                                                     const LongDataSetOptions& options = {});

/// As extract_record of the whole.
[[nodiscard]] Result<InstanceRecord> record_of_spooled(const SpooledInstance& spooled,
                                                       const LongDataSet& read,
                                                       std::string_view transfer_syntax_uid);

}  // namespace sagitta::storage
