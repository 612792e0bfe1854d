// Takes objects into an archive from wherever they lie on disk. Many threads read, one archive files.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "media/object.h"
#include "storage/archive.h"

namespace sagitta::media {

struct ImportOptions {
    /// Folders (recursively), files, tar and zip files, DICOMDIRs, data directories of ours.
    std::vector<std::string> paths;
    std::string own_data_dir;  ///< not read, should it lie below one of them
    unsigned threads = 4;
    std::uint64_t memory_bytes = 256ull << 20;  ///< of objects read and not yet filed
    ObjectLimits limits;
    const std::atomic<bool>* stop = nullptr;  ///< set: finish what was read, and no more
};

struct ImportFailure {
    std::string path;  ///< of the file; "FILE!MEMBER" inside another
    std::string reason;
};

struct ImportReport {
    std::uint64_t imported = 0;
    std::uint64_t already_there = 0;  ///< identical
    std::uint64_t conflicts = 0;      ///< other content under a stored UID: on_conflict decided
    std::uint64_t passed_over = 0;    ///< no DICOM objects
    std::uint64_t failed = 0;
    std::uint64_t bytes = 0;  ///< of imported objects
    bool interrupted = false;
    std::vector<ImportFailure> failures;     ///< the first 10,000
    std::vector<ImportFailure> conflicting;  ///< the same of the conflicts
};

/// Returns when everything counted as imported is durable. `progress` is called now and then on this
/// thread. Doing it again takes up what is missing: what is there already costs a look.
[[nodiscard]] ImportReport import_paths(storage::Archive& archive, const ImportOptions& options,
                                        const std::function<void(const ImportReport&)>& progress);

}  // namespace sagitta::media
