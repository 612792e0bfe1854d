// The audit trail that a configuration asks for.
#pragma once

#include <memory>

#include "app/configuration.h"
#include "audit/trail.h"
#include "core/result.h"

namespace sagitta::app {

/// Null when neither a file nor a collector is configured. Errors: of audit::open_trail.
[[nodiscard]] Result<std::unique_ptr<audit::AuditTrail>> open_audit_trail(const Configuration& configuration);

}  // namespace sagitta::app
