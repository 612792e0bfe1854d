// Storage commitment requests that have been accepted and not yet reported (PS3.4 Annex J). They are nowhere
// else: what this says is on stable storage. DATA/commitments.sqlite (docs/STORAGE_FORMAT.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace sagitta::storage {

struct CommitmentReference {
    std::string sop_class_uid;
    std::string sop_instance_uid;
    bool operator==(const CommitmentReference&) const = default;
};

struct CommitmentRequest {
    std::int64_t id = 0;  ///< given by the log
    std::string transaction_uid;
    std::string requestor;      ///< calling AE title
    std::int64_t received = 0;  ///< seconds since 1970, UTC
    std::vector<CommitmentReference> references;
};

/// Thread-safe; blocks on the disk. Errors everywhere: io_failure, no_space, corrupt.
class CommitmentLog {
public:
    virtual ~CommitmentLog() = default;

    /// Opens or creates `data_dir`/commitments.sqlite. Errors: unsupported (of a newer version).
    [[nodiscard]] static Result<std::unique_ptr<CommitmentLog>> open(const std::string& data_dir);

    /// The id; that of the request that is there already when the requestor repeats it. Errors:
    /// invalid_argument (the same transaction about other instances).
    [[nodiscard]] virtual Result<std::int64_t> add(const CommitmentRequest& request) = 0;
    /// It was reported, or given up.
    [[nodiscard]] virtual Result<void> remove(std::int64_t id) = 0;
    /// All of them, oldest first, without their references.
    [[nodiscard]] virtual Result<std::vector<CommitmentRequest>> open_requests() = 0;
    /// In the order of the request; none when it is not there.
    [[nodiscard]] virtual Result<std::vector<CommitmentReference>> references(std::int64_t id) = 0;
};

}  // namespace sagitta::storage
