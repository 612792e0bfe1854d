// The DICOM JSON model (PS3.18 Annex F), from data set to text. The way back is json_reader.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "dicom/data_set.h"

namespace sagitta::dicom {

/// Takes a value away and says where it went: the BulkDataURI (PS3.18 F.2.6). An empty answer keeps
/// the value inline. `path` names the element in its data set: "7FE00010", "00081140.0.00091001"
/// (tag, number of the item from 0, tag). `value` is the Value Field, little endian.
using BulkDataSink = std::function<std::string(std::string_view path, const Element& element,
                                               std::span<const std::byte> value)>;

struct JsonOptions {
    std::size_t indent = 0;                          ///< spaces per level; 0: all on one line
    BulkDataSink bulk_data;                          ///< asked for large values; none: all inline
    std::uint64_t bulk_data_threshold_bytes = 1024;  ///< values longer than this are large
};

/// Appends one JSON object: `{"00080018":{"vr":"UI","Value":["1.2.3"]},…}`. Text is decoded to
/// UTF-8, and (0008,0005), where present, says so (PS3.18 F.2.2). IS and DS become numbers where
/// JSON can spell them, strings elsewhere (F.2.3); PN objects by group. Bytes are InlineBinary,
/// little endian; encapsulated pixel data is the run of its items (PS3.5 A.4) without the delimiter.
/// Group lengths are left out. Without recursion.
void append_json(const DataSet& data_set, std::string& out, const JsonOptions& options = {});

/// Appends `text` (UTF-8) as a JSON string with its quotes; invalid bytes become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

}  // namespace sagitta::dicom
