// Storage Service Class as SCP (PS3.4 Annex B): an object off the wire is parsed, checked, de-identified
// where a rule says so, and filed. Knows nothing of PDUs and nothing of volumes.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "service/sender_rules.h"
#include "storage/archive.h"

namespace sagitta::service {

struct StorageScpSettings {
    std::uint32_t sequence_depth = 64;
    std::vector<SenderRule> senders;  ///< the first that applies decides
};

/// Thread-safe. `archive` and `workers` outlive it.
class StorageScp final : public net::dimse::StoreHandler {
public:
    StorageScp(storage::Archive& archive, WorkerPool& workers, StorageScpSettings settings)
        : archive_(archive), workers_(workers), settings_(std::move(settings)) {}

    /// Bytes are filed as received, or, where a rule wants it, only what de-identification made of them; what
    /// it could not make fit is kept encrypted instead. Success only after that would survive power loss.
    [[nodiscard]] Task<net::dimse::Outcome> store(const net::dimse::AssociationInfo& association,
                                                  net::dimse::StoreRequest request,
                                                  ByteBuffer data_set) override;

private:
    storage::Archive& archive_;
    WorkerPool& workers_;
    StorageScpSettings settings_;
};

}  // namespace sagitta::service
