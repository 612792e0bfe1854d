// Writes stored objects out as files: a folder by a naming pattern, a zip or tar file, a DICOMDIR medium.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "media/name_pattern.h"
#include "storage/instance_index.h"
#include "storage/instance_store.h"

namespace sagitta::media {

struct ExportOptions {
    std::string output;                    ///< a folder, made when absent; or *.zip, *.tar, *.tar.gz, *.tgz
    dicom::DataSet identifier;             ///< which instances: keys of any level (PS3.4 C.2.2.2)
    const NamePattern* pattern = nullptr;  ///< null: File IDs, and a DICOMDIR (PS3.10 8, PS3.3 F)
    std::string file_set_id;               ///< of the DICOMDIR
    const std::atomic<bool>* stop = nullptr;
};

struct ExportFailure {
    std::string what;  ///< the SOP Instance UID, or the file's name
    std::string reason;
};

struct ExportReport {
    std::uint64_t exported = 0;
    std::uint64_t already_there = 0;  ///< the same bytes under the same name
    std::uint64_t failed = 0;
    std::uint64_t bytes = 0;
    bool interrupted = false;
    std::vector<ExportFailure> failures;  ///< the first 10,000
    std::vector<std::string> warnings;    ///< of the DICOMDIR; the first 1,000
};

/// Files are the stored ones, byte for byte; what counts as exported is on stable storage. A file of that
/// name with other content is never written over. Another process may have the archive open: what it deletes
/// meanwhile has failed. So has what is damaged. Errors, before anything is written: invalid_argument for
/// the identifier, already_exists, io_failure …
[[nodiscard]] Result<ExportReport> export_instances(const storage::InstanceIndex& index,
                                                    const storage::InstanceStore& store,
                                                    const ExportOptions& options,
                                                    const std::function<void(const ExportReport&)>& progress);

}  // namespace sagitta::media
