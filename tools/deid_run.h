// De-identification of files and folders into a new tree: OUT/study/series/instance.dcm, named by the new
// UIDs, so that no name of a file or folder tells anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deid/deidentifier.h"
#include "deid/report.h"
#include "deid/vault.h"

namespace sagitta::tools {

struct DeidRun {
    std::vector<std::string> in;
    std::string out;
    bool dry_run = false;
    bool diff = false;
    bool show_values = false;
    unsigned threads = 1;
};

struct DeidCounts {
    std::uint64_t written = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t failed = 0;
    std::uint64_t no_dicom = 0;  ///< not DICOM, or a DICOMDIR
};

/// Every file below `run.in`; complaints go to standard error. `vault` may be null.
[[nodiscard]] DeidCounts deidentify_files(const DeidRun& run, const deid::Deidentifier& deidentifier,
                                          deid::Report& report, deid::Vault* vault);

}  // namespace sagitta::tools
