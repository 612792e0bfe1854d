// What is still to be told others about instances that can be had (PS3.4 Annex R), and how far the archive's
// events have been told. Nowhere else. DATA/availability.sqlite (docs/STORAGE_FORMAT.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sagitta::storage {

struct Notice {
    std::int64_t id = 0;           ///< given by the log
    std::string peer;              ///< AE title of who is told
    std::string sop_instance_uid;  ///< of the notification
    std::string study_instance_uid;
    std::string step_instance_uid;  ///< what it names is told; empty: what no step names that has arrived
    std::int64_t created = 0;       ///< seconds since 1970, UTC
};

/// Thread-safe; blocks on the disk. Errors everywhere: io_failure, no_space, corrupt.
class NoticeLog {
public:
    virtual ~NoticeLog() = default;

    /// Opens or creates `data_dir`/availability.sqlite. Errors: unsupported (of a newer version).
    [[nodiscard]] static Result<std::unique_ptr<NoticeLog>> open(const std::string& data_dir);

    /// All or none. One that waits for the same peer, study and step already is begun anew.
    [[nodiscard]] virtual Result<void> add(const std::vector<Notice>& notices) = 0;
    /// The same, and that the study's events up to `event` have been seen to.
    [[nodiscard]] virtual Result<void> add(const std::vector<Notice>& notices,
                                           std::string_view study_instance_uid, std::uint64_t event) = 0;
    /// It was told, or given up; nothing happens when it was begun anew meanwhile.
    [[nodiscard]] virtual Result<void> remove(const Notice& notice) = 0;
    /// For that peer, oldest first, at most `limit`.
    [[nodiscard]] virtual Result<std::vector<Notice>> waiting(std::string_view peer, std::uint64_t limit) = 0;

    /// The event up to which all have been seen to; nothing before the first time.
    [[nodiscard]] virtual Result<std::optional<std::uint64_t>> cursor() = 0;
    /// Forgets the studies whose events are all before it.
    [[nodiscard]] virtual Result<void> set_cursor(std::uint64_t event) = 0;
    /// 0 when none of the study's events behind the cursor has been seen to.
    [[nodiscard]] virtual Result<std::uint64_t> seen_of(std::string_view study_instance_uid) = 0;
};

}  // namespace sagitta::storage
