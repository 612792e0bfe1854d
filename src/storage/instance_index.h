// Answers questions about what is stored. Knows nothing of bytes (instance_store.h) and is derived:
// all of it can be rebuilt from the volumes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/result.h"
#include "storage/query.h"

namespace sagitta::storage {

struct Event;

struct IndexCounts {
    std::uint64_t patients = 0;
    std::uint64_t studies = 0;
    std::uint64_t series = 0;
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;  ///< of stored Part 10 files
};

/// Thread-safe; each call reads one consistent state and blocks on the disk. Errors everywhere:
/// io_failure, corrupt.
class InstanceIndex {
public:
    virtual ~InstanceIndex() = default;

    /// Calls `each` per match as rows come, without sorting; `each` says false to stop. Keys that
    /// are no column do not restrict: see `unindexed`.
    [[nodiscard]] virtual Result<FindSummary> find(const Query& query,
                                                   const std::function<bool(const Match&)>& each) const = 0;

    /// Those keys of `query` the index cannot judge: the caller tests them (dicom::matches) on the
    /// header of Match::instance.
    [[nodiscard]] virtual std::vector<dicom::MatchKey> unindexed(const Query& query) const = 0;

    /// All instances in `scope`, in the order they lie on disk.
    [[nodiscard]] virtual Result<std::vector<InstanceLocation>> locate(const Scope& scope) const = 0;

    /// Empty when no such instance is stored.
    [[nodiscard]] virtual Result<std::optional<InstanceLocation>> find_instance(
        const dicom::Uid& sop_instance_uid) const = 0;

    [[nodiscard]] virtual Result<IndexCounts> counts() const = 0;

    /// The next `limit` events with numbers greater than `after` (change_feed.h), ascending. Once an
    /// event was read, none with a smaller number comes.
    [[nodiscard]] virtual Result<std::vector<Event>> events(std::uint64_t after,
                                                            std::uint64_t limit) const = 0;
};

}  // namespace sagitta::storage
