// Retrieve as SCP (PS3.4 C.4.2 and C.4.3): what is stored goes back as it was stored, or transcoded without
// loss when the peer does not take that, on the same association (C-GET) or to a configured peer (C-MOVE).
// A peer with a project of de-identification gets nothing else than what that makes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/worker_pool.h"
#include "deid/project.h"
#include "net/dimse/handlers.h"
#include "net/scu/client.h"
#include "net/scu/pool.h"
#include "storage/instance_index.h"
#include "storage/instance_store.h"

namespace sagitta::service {

/// The node behind an AE title, or nothing when it is not configured. Thread-safe.
using FindDestination = std::function<std::optional<net::scu::Address>(const net::ul::AeTitle&)>;

/// What stands between the archive and the peer of that AE title; null: nothing. Thread-safe.
using FindProject = std::function<deid::Project*(const net::ul::AeTitle&)>;

struct RetrieveScpSettings {
    net::scu::ClientSettings client;  ///< for associations to move destinations
    net::scu::PoolSettings pool;
    FindDestination find_destination;
    FindProject find_project = [](const net::ul::AeTitle&) -> deid::Project* { return nullptr; };
};

/// Thread-safe. `index`, `store` and `workers` outlive it.
class RetrieveScp final : public net::dimse::GetHandler, public net::dimse::MoveHandler {
public:
    RetrieveScp(const storage::InstanceIndex& index, const storage::InstanceStore& store, WorkerPool& workers,
                RetrieveScpSettings settings)
        : index_(index),
          store_(store),
          workers_(workers),
          settings_(std::move(settings)),
          pool_(settings_.pool) {}

    [[nodiscard]] Task<net::dimse::RetrieveOutcome> get(const net::dimse::AssociationInfo& association,
                                                        net::dimse::QueryRequest request,
                                                        net::dimse::GetResponder& out) override;

    /// Status A801 for a destination that is not configured.
    [[nodiscard]] Task<net::dimse::RetrieveOutcome> move(const net::dimse::AssociationInfo& association,
                                                         net::dimse::QueryRequest request,
                                                         net::ul::AeTitle destination,
                                                         net::dimse::MoveResponder& out) override;

    /// Associations that are kept open end; before the io threads do, when no handler runs any more.
    void close() { pool_.close(); }

private:
    /// What the identifier asks for, in the order it lies on disk.
    Task<Result<std::vector<storage::InstanceLocation>>> located(const net::dimse::QueryRequest& request);

    const storage::InstanceIndex& index_;
    const storage::InstanceStore& store_;
    WorkerPool& workers_;
    RetrieveScpSettings settings_;
    net::scu::ClientPool pool_;
};

}  // namespace sagitta::service
