// Modality Worklist as SCP (PS3.4 Annex K): C-FIND over the items of a folder.
#pragma once

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "service/worklist.h"

namespace sagitta::service {

/// Answers queries for worklists itself and hands all others on. Thread-safe; what it is given outlives it.
class WorklistScp final : public net::dimse::FindHandler {
public:
    WorklistScp(Worklist& worklist, WorkerPool& workers, net::dimse::FindHandler& others,
                std::uint64_t max_matches)
        : worklist_(worklist), workers_(workers), others_(others), max_matches_(max_matches) {}

    [[nodiscard]] Task<net::dimse::Outcome> find(const net::dimse::AssociationInfo& association,
                                                 net::dimse::QueryRequest request,
                                                 net::dimse::FindResponder& out) override;

private:
    /// Blocks: all answers.
    [[nodiscard]] Result<std::vector<dicom::DataSet>> answers(const net::dimse::QueryRequest& request);

    Worklist& worklist_;
    WorkerPool& workers_;
    net::dimse::FindHandler& others_;
    std::uint64_t max_matches_;  ///< 0: as many as there are
};

}  // namespace sagitta::service
