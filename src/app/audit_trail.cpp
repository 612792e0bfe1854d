#include "app/audit_trail.h"

#include <utility>

namespace sagitta::app {

Result<std::unique_ptr<audit::AuditTrail>> open_audit_trail(const Configuration& configuration) {
    if (configuration.audit.file.empty() && configuration.audit.collector.empty())
        return std::unique_ptr<audit::AuditTrail>();
    audit::TrailSettings settings;
    settings.source_id = configuration.node.ae_title.str();
    settings.file = configuration.audit.file;
    settings.collector = configuration.audit.collector;
    settings.spool = configuration.node.data + "/audit-spool";
    settings.spool_bytes = configuration.audit.spool_size;
    return audit::open_trail(std::move(settings));
}

}  // namespace sagitta::app
