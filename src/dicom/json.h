// The DICOM JSON model (PS3.18 Annex F), from data set to text.
#pragma once

#include <cstddef>
#include <string>

#include "dicom/data_set.h"

namespace sagitta::dicom {

struct JsonOptions {
    std::size_t indent = 0;  ///< spaces per level; 0: all on one line
};

/// Appends one JSON object: `{"00080018":{"vr":"UI","Value":["1.2.3"]},…}`. Text is decoded to
/// UTF-8, and (0008,0005), where present, says so (PS3.18 F.2.2). IS and DS become numbers where
/// they are some, PN objects by group. Bytes are InlineBinary, little endian. Group lengths are left
/// out.
void append_json(const DataSet& data_set, std::string& out, const JsonOptions& options = {});

/// Appends `text` (UTF-8) as a JSON string with its quotes; invalid bytes become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

}  // namespace sagitta::dicom
