// What the index keeps of one SOP Instance, read out of its data set once. Knows the columns of the
// index (index_columns), not the database behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/tag.h"
#include "dicom/uid.h"
#include "dicom/vr.h"

namespace sagitta::storage {

/// Levels of the query/retrieve information models (PS3.4 C.6.1.1), top down.
enum class Level : std::uint8_t { patient, study, series, image };

/// One attribute that is a typed column of the index.
struct IndexColumn {
    dicom::Tag tag;
    dicom::Vr vr;
    Level level;
    std::string_view name;  ///< in the database
};

/// All of them, top down. An attribute that is not here is answered from the stored header.
[[nodiscard]] std::span<const IndexColumn> index_columns() noexcept;

/// XXH3-128 of the encoded data set: two instances with equal digest and length are the same.
struct DataSetDigest {
    std::array<std::byte, 16> bytes{};
    bool operator==(const DataSetDigest&) const = default;
};

/// A row of the index before it has a place. A plain value.
struct InstanceRecord {
    dicom::Uid study_instance_uid;
    dicom::Uid series_instance_uid;
    dicom::Uid sop_instance_uid;
    std::string sop_class_uid;
    std::string transfer_syntax_uid;

    /// UTF-8 values in the order of index_columns(), whole; empty where absent or beyond 64 KiB.
    std::vector<std::string> values;

    std::uint64_t data_set_offset = 0;  ///< bytes of preamble and File Meta Information
    std::uint64_t data_set_length = 0;  ///< bytes of the encoded data set
    std::uint64_t header_length = 0;    ///< bytes of the file that hold everything before the pixel data
    DataSetDigest digest;

    /// The value of a column by its tag; empty when it is absent or no column.
    [[nodiscard]] std::string_view value(dicom::Tag tag) const noexcept;
};

/// The encoded form a record is taken from.
struct EncodedInstance {
    std::string_view transfer_syntax_uid;
    std::uint64_t file_header_length = 0;  ///< bytes of preamble and File Meta Information
    std::span<const std::byte> data_set;   ///< as received, whole
};

/// The UIDs and columns only; the beginning of a data set is enough. Errors as extract_record.
[[nodiscard]] Result<InstanceRecord> extract_columns(const dicom::DataSet& data_set);

/// Reads the index columns out of a data set parsed from `encoded.data_set` (the whole of it) and
/// takes the digest. Pure; any thread. Errors: malformed, naming the tag, when the Study, Series or
/// SOP Instance UID or the SOP Class UID is missing or is no UID.
[[nodiscard]] Result<InstanceRecord> extract_record(const dicom::DataSet& data_set,
                                                    const EncodedInstance& encoded);

}  // namespace sagitta::storage
