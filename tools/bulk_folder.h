// Bulk data of JSON as files in a folder: the values that `json --bulk` takes out, and those that
// `json --from-json` brings in again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/json.h"

namespace sagitta::tools {

/// Writes values as new files of a folder. The BulkDataURI is FOLDER's own name and the file's: the
/// JSON belongs beside the folder.
class BulkFolder {
public:
    /// `prefix` begins each file name, so that several objects can share the folder.
    BulkFolder(std::string folder, std::string prefix);

    /// For JsonOptions; this object must outlive it.
    [[nodiscard]] dicom::BulkDataSink sink();

    /// The first file that could not be written.
    [[nodiscard]] const std::optional<Error>& failed() const { return failed_; }

private:
    std::string folder_;
    std::string name_;
    std::string prefix_;
    std::optional<Error> failed_;
};

/// The file that a relative URI means, below `folder` also when links are followed. Errors: refused
/// (absolute, with a scheme, with ".."), not_found, io_failure, limit_exceeded (longer than a value).
[[nodiscard]] Result<ByteBuffer> read_bulk_file(const std::string& folder, std::string_view uri);

}  // namespace sagitta::tools
