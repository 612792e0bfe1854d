// Storage Commitment Push Model as SCP (PS3.4 Annex J): takes requests durably, reads what they name again,
// and reports, over the association of the request or one of its own, until the requestor has answered.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "net/scu/client.h"
#include "net/ul/io_threads.h"
#include "service/commitment.h"
#include "service/retrieve_scp.h"
#include "storage/commitment_log.h"
#include "storage/instance_check.h"

namespace sagitta::service {

/// Under which other SOP Instance UIDs what `requestor` sent as `sop_instance_uid` may be filed:
/// de-identified. Thread-safe.
using FindOtherNames =
    std::function<std::vector<std::string>(std::string_view requestor, std::string_view sop_instance_uid)>;

struct CommitmentScpSettings {
    net::scu::ClientSettings client;  ///< for associations to requestors
    FindDestination find_requestor;
    FindOtherNames find_other_names = [](std::string_view, std::string_view) {
        return std::vector<std::string>();
    };
    std::chrono::milliseconds retry =
        std::chrono::seconds(30);  ///< first pause; each is twice the one before
    std::chrono::milliseconds longest_retry = std::chrono::minutes(10);
    std::chrono::milliseconds give_up = std::chrono::hours(24);  ///< since the request came
    std::size_t max_instances = 50'000;                          ///< that one request names
    std::size_t max_requests = 10'000;                           ///< that wait to be reported
};

/// Thread-safe. What it is given outlives it, but `io`, which ends first: with it what is on its way.
class CommitmentScp final : public net::dimse::ActionHandler {
public:
    CommitmentScp(storage::CommitmentLog& log, const storage::InstanceCheck& instances, WorkerPool& workers,
                  CommitmentScpSettings settings);
    ~CommitmentScp() override;

    /// Begins, with what an earlier run left. Errors: of the log.
    [[nodiscard]] Result<void> start(net::ul::IoThreads& io);
    /// No further report is begun; those on their way get `grace`. The rest stays in the log.
    void stop(std::chrono::milliseconds grace);

    /// Success: the request is on stable storage and will be reported.
    [[nodiscard]] Task<net::dimse::Outcome> action(const net::dimse::AssociationInfo& association,
                                                   net::dimse::NormalizedRequest request,
                                                   std::shared_ptr<net::dimse::EventChannel> back) override;

private:
    using Clock = std::chrono::steady_clock;
    enum class Stage : std::uint8_t { waiting, on_its_way, answered };
    struct Transaction {
        storage::CommitmentRequest request;              ///< without its references: the log keeps them
        std::shared_ptr<net::dimse::EventChannel> back;  ///< null: a new association
        Clock::time_point due;
        std::chrono::milliseconds pause;
        Stage stage = Stage::waiting;
        bool asked_again = false;  ///< while on its way
    };
    using Transactions = std::list<Transaction>;

    [[nodiscard]] Result<std::int64_t> keep(storage::CommitmentRequest request,
                                            std::shared_ptr<net::dimse::EventChannel> back);
    void enqueue(storage::CommitmentRequest request, std::shared_ptr<net::dimse::EventChannel> back);
    void run();
    void settle_answered();
    [[nodiscard]] Transactions::iterator find(Stage stage);
    [[nodiscard]] Transactions::iterator next_due();
    void begin_report(Transaction& transaction, std::unique_lock<std::mutex>& lock);
    void report_anew(Transaction& transaction, net::dimse::EventReport report);
    [[nodiscard]] Result<net::dimse::EventReport> check(const storage::CommitmentRequest& request) const;
    [[nodiscard]] Result<storage::InstanceState> state_of(const storage::CommitmentReference& reference,
                                                          std::string_view requestor) const;
    void concluded(Transaction& transaction, bool over_back_channel,
                   const Result<net::dimse::Outcome>& outcome);
    [[nodiscard]] bool is_given_up(const storage::CommitmentRequest& request) const;

    storage::CommitmentLog& log_;
    const storage::InstanceCheck& instances_;
    WorkerPool& workers_;
    const CommitmentScpSettings settings_;
    net::ul::IoThreads* io_ = nullptr;
    std::mutex log_mutex_;  ///< before mutex_: held while log and list change together
    std::mutex mutex_;
    std::condition_variable changed_;
    Transactions transactions_;   ///< an element stays where it is until it is settled
    std::set<std::string> busy_;  ///< requestors to whom an association of ours is open: one at a time
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace sagitta::service
