// What recovery.h does for volumes, for an archive with `layout = "files"`. Internal to storage.
#pragma once

#include <functional>
#include <string_view>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/index_writer.h"
#include "storage/layout.h"
#include "storage/maintenance.h"
#include "storage/recovery.h"

namespace sagitta::storage {

/// Indexes what the list has behind the index's mark, each file proved. Errors: corrupt when the list is
/// missing or too short (rebuild_files), io_failure, no_space.
[[nodiscard]] Result<RecoveredVolumes> recover_files(FileSystem& file_system, const Layout& layout,
                                                     IndexWriter& index);

/// A new index in the place of the old one, from the list; when that is missing or damaged, a new list, too,
/// from the tree. Of several files with one SOP Instance UID the one modified last is then served.
[[nodiscard]] Result<RecoveredVolumes> rebuild_files(FileSystem& file_system, const Layout& layout,
                                                     const std::function<void(std::string_view)>& progress);

/// As verify of maintenance.h, without the lock.
[[nodiscard]] Result<VerifyReport> verify_files(FileSystem& file_system, const Layout& layout,
                                                const std::function<void(std::string_view)>& problem);

}  // namespace sagitta::storage
