// All that a node does with procedure steps: taking them, waiting for what they name, telling others.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "app/configuration.h"
#include "app/tls_files.h"
#include "core/result.h"
#include "core/worker_pool.h"
#include "net/scu/client.h"
#include "net/ul/io_threads.h"
#include "service/availability_scu.h"
#include "service/completion_watch.h"
#include "service/procedure_step_scp.h"
#include "service/sender_rules.h"
#include "storage/archive.h"
#include "storage/notice_log.h"
#include "storage/procedure_step_log.h"

namespace sagitta::app {

/// Thread-safe once started. What it is given outlives it, but the I/O threads, which end first.
class StepServices {
public:
    /// Errors: of the logs in `configuration.node.data`.
    [[nodiscard]] static Result<std::unique_ptr<StepServices>> open(
        const Configuration& configuration, const net::scu::ClientSettings& client, const TlsContexts& tls,
        const std::vector<service::SenderRule>& senders, storage::Archive& archive, WorkerPool& workers);

    [[nodiscard]] Result<void> start(net::ul::IoThreads& io);
    /// What is on its way gets `grace`.
    void stop(std::chrono::milliseconds grace);
    [[nodiscard]] net::dimse::InstanceHandler& handler() noexcept { return scp_; }

private:
    StepServices(std::unique_ptr<storage::ProcedureStepLog> steps,
                 std::unique_ptr<storage::NoticeLog> notices, const Configuration& configuration,
                 const net::scu::ClientSettings& client, const TlsContexts& tls,
                 const std::vector<service::SenderRule>& senders, storage::Archive& archive,
                 WorkerPool& workers);

    std::unique_ptr<storage::ProcedureStepLog> steps_;
    std::unique_ptr<storage::NoticeLog> notices_;
    service::AvailabilityScu availability_;
    service::CompletionWatch completion_;
    service::ProcedureStepScp scp_;
};

}  // namespace sagitta::app
