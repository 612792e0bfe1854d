// An object of a C-STORE that is too large for memory: written as it arrives, checked when it is whole, then
// filed like any other. Internal to service.
#pragma once

#include <functional>
#include <memory>

#include "core/worker_pool.h"
#include "service/storage_scp.h"

namespace sagitta::service {

/// What it works with; all outlives it.
struct LargeObjectPlace {
    storage::Archive& archive;
    WorkerPool& writers;
    const StorageScpSettings& settings;
};

/// Writes on `place.writers`, one piece after the other. `association` outlives `finish`.
[[nodiscard]] std::unique_ptr<net::dimse::ObjectReceiver> receive_large_object(
    LargeObjectPlace place, const net::dimse::AssociationInfo& association, net::dimse::StoreRequest request,
    std::function<void()> on_room);

}  // namespace sagitta::service
