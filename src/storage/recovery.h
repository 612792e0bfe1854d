// Brings index and volumes together at start-up, and builds an index from nothing. Internal to
// storage; nobody else may use the data directory meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/archive.h"
#include "storage/file_system.h"
#include "storage/index_writer.h"
#include "storage/layout.h"

namespace sagitta::storage {

struct RecoveredVolumes {
    RecoveryReport report;
    std::uint64_t superseded = 0;
    std::vector<std::uint32_t> unsealed;  ///< without a manifest, but for the last one
    std::uint32_t open_volume = 1;        ///< where to go on
    std::uint64_t open_tail = 0;
    bool open_exists = false;
};

/// Indexes what lies behind each volume's mark, cuts torn ends. `from_nothing`: the index has no
/// marks at all, so a torn end may be all that is left of something once acknowledged: a copy is
/// kept in quarantine. Errors: corrupt (a volume is missing or too short), io_failure, no_space.
[[nodiscard]] Result<RecoveredVolumes> recover(FileSystem& file_system, const Layout& layout,
                                               IndexWriter& index, bool from_nothing,
                                               const std::function<void(std::string_view)>& progress);

/// A new index from the volumes, put in the place of the old one.
[[nodiscard]] Result<RecoveredVolumes> rebuild_index(FileSystem& file_system, const Layout& layout,
                                                     const std::function<void(std::string_view)>& progress);

}  // namespace sagitta::storage
