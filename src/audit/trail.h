// Where audit events go. Who tells one is not kept waiting: a thread of its own writes and sends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "audit/event.h"
#include "core/result.h"

namespace sagitta::audit {

/// Thread-safe.
class AuditTrail {
public:
    virtual ~AuditTrail() = default;
    virtual void record(Event event) = 0;
};

struct TrailSettings {
    std::string source_id;  ///< AuditSourceID: our AE title
    std::string file;       ///< appended to, one framed message after the other; empty: none
    std::string collector;  ///< "tcp://HOST:PORT"; empty: none
    std::string spool;      ///< file for what the collector has not got yet
    std::uint64_t spool_bytes = 64ull << 20;
};

/// The real one. Destroyed, it first writes what was recorded and tries once more to send.
/// Errors: io_failure, invalid_argument.
[[nodiscard]] Result<std::unique_ptr<AuditTrail>> open_trail(TrailSettings settings);

}  // namespace sagitta::audit
