// Query as SCP (PS3.4 C.4.1): asks the index, completes from stored headers, sends match by match.
#pragma once

#include <cstdint>
#include <string>

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "storage/instance_index.h"
#include "storage/instance_store.h"

namespace sagitta::service {

struct QueryScpSettings {
    std::string retrieve_ae_title;  ///< (0008,0054) of every match: ours
    std::uint64_t max_matches = 0;  ///< beyond them A700; 0: no limit
};

/// Thread-safe. `index`, `store` and `workers` outlive it.
class QueryScp final : public net::dimse::FindHandler {
public:
    QueryScp(const storage::InstanceIndex& index, const storage::InstanceStore& store, WorkerPool& workers,
             QueryScpSettings settings)
        : index_(index), store_(store), workers_(workers), settings_(std::move(settings)) {}

    [[nodiscard]] Task<net::dimse::Outcome> find(const net::dimse::AssociationInfo& association,
                                                 net::dimse::QueryRequest request,
                                                 net::dimse::FindResponder& out) override;

private:
    const storage::InstanceIndex& index_;
    const storage::InstanceStore& store_;
    WorkerPool& workers_;
    QueryScpSettings settings_;
};

}  // namespace sagitta::service
