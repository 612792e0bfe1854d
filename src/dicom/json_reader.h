// The DICOM JSON model (PS3.18 Annex F), from text to data set: the inverse of json.h. The text
// comes from outside; nothing here recurses over its depth or believes a count in it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::dicom {

/// Fetches what a BulkDataURI names (PS3.18 F.2.6): the Value Field, little endian.
using BulkDataSource = std::function<Result<ByteBuffer>(std::string_view uri)>;

struct JsonReadOptions {
    BulkDataSource bulk_data;               ///< none: a BulkDataURI is refused
    std::uint32_t max_depth = 64;           ///< nested sequences
    std::uint32_t max_elements = 8u << 20;  ///< elements, items and objects in all
    std::uint64_t max_bytes = 1ull << 30;   ///< of text
    /// The pixel data is a run of items (PS3.5 A.4) and becomes fragments. When false, a run of items
    /// is refused: as native pixels it would be noise.
    bool encapsulated = false;
};

struct JsonDataSet {
    DataSet meta;  ///< group 0002, when the text had any
    DataSet data_set;
};

/// One data set: a JSON object, or an array of just one. Attributes may come in any order. Text is
/// kept as UTF-8, and (0008,0005) says so when there is any beyond ASCII or there was one; those of
/// items are dropped. Group lengths are dropped (PS3.18 F.2.2). Errors: malformed, limit_exceeded,
/// unsupported (a BulkDataURI without a source), and those of the source; all name the element.
[[nodiscard]] Result<JsonDataSet> read_json(std::string_view text, const JsonReadOptions& options = {});

/// An array of data sets, as PS3.18 8.7.3.2 has several answers; also a single object.
[[nodiscard]] Result<std::vector<JsonDataSet>> read_json_list(std::string_view text,
                                                              const JsonReadOptions& options = {});

}  // namespace sagitta::dicom
