// Modality Worklist items (PS3.4 Annex K) as an information system or an operator leaves them: files in a
// folder, DICOM (*.wl, *.dcm) or DICOM JSON (*.json, one or an array).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::service {

/// Thread-safe. Files are read again when they have changed.
class Worklist {
public:
    explicit Worklist(std::string folder) : folder_(std::move(folder)) {}

    /// All items there are now, in the order of the files' names; none when there is no folder. A file that
    /// cannot be read is logged once and passed over. Blocks.
    [[nodiscard]] std::vector<dicom::DataSet> items();

private:
    struct Known {
        std::int64_t modified = 0;  ///< nanoseconds
        std::uint64_t length = 0;
        std::vector<dicom::DataSet> items;
    };

    std::string folder_;
    std::mutex mutex_;
    std::map<std::string, Known> files_;  // by path
};

/// What `worklist add` checks, too. Errors: unsupported (its name says no format), malformed (no item:
/// Patient ID and Scheduled Procedure Step Sequence are required), those of reading.
[[nodiscard]] Result<std::vector<dicom::DataSet>> read_worklist_file(const std::string& path);

}  // namespace sagitta::service
