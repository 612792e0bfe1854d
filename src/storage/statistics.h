// How much an archive holds, for an operator. Also beside a running node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/instance_index.h"
#include "storage/patrol.h"

namespace sagitta::storage {

/// The instances that have a value in common.
struct Share {
    std::string value;  ///< empty: those that have none
    std::uint64_t series = 0;
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;  ///< of their Part 10 files
};

/// Files of one kind.
struct Heap {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t on_disk = 0;  ///< what the file system has given them; holes take none
};

struct Statistics {
    IndexCounts counts;
    std::int64_t first_received = 0;  ///< seconds since 1970, UTC; 0: nothing is stored
    std::int64_t last_received = 0;
    std::uint64_t superseded = 0;  ///< members whose SOP Instance UID came again
    std::uint64_t superseded_bytes = 0;
    std::uint64_t deleted = 0;  ///< instances that can be restored still
    std::uint64_t deleted_bytes = 0;
    Heap volumes;
    std::uint64_t sealed_volumes = 0;
    Heap index;       ///< with its write-ahead log
    Heap quarantine;  ///< whole instances, torn ends and unfinished ones
    std::uint64_t free_bytes = 0;
    std::optional<PatrolState> patrol;  ///< nothing when none has begun
    /// Each with the largest share first.
    std::vector<Share> modalities;
    std::vector<Share> sop_classes;
    std::vector<Share> transfer_syntaxes;
};

/// Reads each row of the index once. Errors: not_found (no archive), unsupported (another version's),
/// io_failure, corrupt.
[[nodiscard]] Result<Statistics> statistics_of(const std::string& data_dir);

}  // namespace sagitta::storage
