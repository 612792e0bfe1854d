// Deletes what an operator or a rule says, and tells the audit trail (PS3.15 A.5.3.8).
#pragma once

#include "audit/trail.h"
#include "core/result.h"
#include "storage/archive.h"
#include "storage/keeper.h"

namespace sagitta::app {

/// Thread-safe. What it is given outlives it.
class Deletion {
public:
    /// `trail` may be null. `by` is who deletes.
    Deletion(storage::Archive& archive, audit::AuditTrail* trail, audit::Node by);

    /// As Keeper::remove. One event for each study, with what of it was deleted; also of a failure, but not
    /// when nothing was there or it is protected.
    [[nodiscard]] Result<storage::KeeperReport> remove(const storage::Scope& scope,
                                                       const storage::RemovalOptions& options);

private:
    storage::Archive& archive_;
    audit::AuditTrail* trail_;
    audit::Node by_;
};

}  // namespace sagitta::app
