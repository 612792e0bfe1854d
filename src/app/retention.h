// Deletes studies whose time is over, as [[storage.retention]] says. Knows no clock: the caller says what
// time it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "app/configuration.h"
#include "app/deletion.h"
#include "core/result.h"
#include "storage/archive.h"

namespace sagitta::app {

struct RetentionReport {
    std::uint64_t studies = 0;  ///< deleted; they can be restored for storage.undelete_for
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;
    std::uint64_t kept_protected = 0;  ///< whose time is over, too
};

/// Each study that has received nothing for long enough is held against the rules, as its first instance
/// describes it (with ModalitiesInStudy); the first rule it matches decides. `now` in seconds since 1970,
/// UTC. Stops between two studies when `stopping` says so. Reads the index once and a header of each such
/// study; blocks. Errors: those of Keeper::remove, and of reading; what was deleted before stays deleted.
[[nodiscard]] Result<RetentionReport> apply_retention(const storage::Archive& archive, Deletion& deletion,
                                                      const std::string& data_dir,
                                                      std::span<const Retention> rules,
                                                      std::chrono::seconds undelete_for, std::int64_t now,
                                                      const std::function<bool()>& stopping);

}  // namespace sagitta::app
