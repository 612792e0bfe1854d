// Storage Service Class as SCP (PS3.4 Annex B): an object off the wire is parsed, checked, and filed.
// Knows nothing of PDUs and nothing of volumes.
#pragma once

#include <cstdint>

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "storage/archive.h"

namespace sagitta::service {

struct StorageScpSettings {
    std::uint32_t sequence_depth = 64;
};

/// Thread-safe. `archive` and `workers` outlive it.
class StorageScp final : public net::dimse::StoreHandler {
public:
    StorageScp(storage::Archive& archive, WorkerPool& workers, StorageScpSettings settings)
        : archive_(archive), workers_(workers), settings_(settings) {}

    /// Bytes are filed as received. Success only after they would survive power loss.
    [[nodiscard]] Task<net::dimse::Outcome> store(const net::dimse::AssociationInfo& association,
                                                  net::dimse::StoreRequest request,
                                                  ByteBuffer data_set) override;

private:
    storage::Archive& archive_;
    WorkerPool& workers_;
    StorageScpSettings settings_;
};

}  // namespace sagitta::service
