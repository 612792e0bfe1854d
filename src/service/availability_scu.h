// Instance Availability Notification as SCU (PS3.4 Annex R): tells peers what can be had, when a procedure
// step has arrived or a study has been quiet for a while, durably and until each has answered.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/result.h"
#include "net/scu/client.h"
#include "net/ul/io_threads.h"
#include "service/availability.h"
#include "storage/change_feed.h"
#include "storage/instance_index.h"
#include "storage/notice_log.h"
#include "storage/procedure_step_log.h"

namespace sagitta::service {

struct AvailabilityScuSettings {
    net::scu::ClientSettings client;
    std::vector<net::scu::Address> peers;  ///< who is told; when none, nothing is looked at
    std::string retrieve_ae_title;
    /// After so long without a further instance a study is told without a step; 0: never.
    std::chrono::milliseconds quiet = std::chrono::seconds(60);
    std::chrono::milliseconds look = std::chrono::seconds(1);  ///< how often the archive is looked at
    std::chrono::milliseconds retry =
        std::chrono::seconds(30);  ///< first pause; each is twice the one before
    std::chrono::milliseconds longest_retry = std::chrono::minutes(10);
    std::chrono::milliseconds give_up = std::chrono::hours(24);  ///< since the notice came up
    std::size_t max_instances = 10'000;                          ///< of one N-CREATE
};

/// Thread-safe. What it is given outlives it, but `io`, which ends first: with it what is on its way.
class AvailabilityScu {
public:
    AvailabilityScu(storage::NoticeLog& notices, storage::ProcedureStepLog& steps,
                    const storage::InstanceIndex& index, AvailabilityScuSettings settings);
    ~AvailabilityScu();

    /// Begins, with what an earlier run left; the first time ever with what comes from now on. Errors: of log
    /// and index.
    [[nodiscard]] Result<void> start(net::ul::IoThreads& io);
    /// Nothing further is begun; what is on its way gets `grace`. The rest stays in the log.
    void stop(std::chrono::milliseconds grace);

    /// All that a step names is there: success means that it will be told.
    [[nodiscard]] Result<void> step_arrived(const StepProgress& progress);

private:
    using Clock = std::chrono::steady_clock;
    /// With events behind the cursor.
    struct Study {
        std::uint64_t first = 0;   ///< event
        std::uint64_t last = 0;    ///< event
        std::uint64_t seen = 0;    ///< events up to this one have been seen to
        std::int64_t changed = 0;  ///< seconds since 1970, UTC
    };
    struct Peer {
        net::scu::Address address;
        Clock::time_point due;
        std::chrono::milliseconds pause{};
        bool busy = false;
    };
    struct Message {
        storage::Notice notice;
        std::vector<dicom::DataSet> parts;  ///< an N-CREATE each
        bool told = false;
    };
    struct Delivery {
        std::string peer;
        std::vector<Message> messages;
        Result<void> outcome;
    };
    using Deliveries = std::vector<std::shared_ptr<Delivery>>;

    void run();
    [[nodiscard]] Result<void> read_events();
    [[nodiscard]] Result<void> take(const storage::Event& event);
    [[nodiscard]] Result<void> tell_quiet_studies();
    [[nodiscard]] std::vector<storage::Notice> notices_of(const std::string& study_instance_uid,
                                                          const std::string& step_instance_uid) const;
    [[nodiscard]] Result<void> send_due();
    [[nodiscard]] Result<std::shared_ptr<Delivery>> delivery_to(const std::string& peer);
    [[nodiscard]] Result<std::vector<dicom::DataSet>> parts_of(const storage::Notice& notice);
    [[nodiscard]] Task<Result<void>> deliver(net::scu::Address address, Delivery& delivery) const;
    void settle_finished();
    [[nodiscard]] Result<void> settle(const Delivery& delivery);

    storage::NoticeLog& notices_;
    storage::ProcedureStepLog& steps_;
    const storage::InstanceIndex& index_;
    const AvailabilityScuSettings settings_;
    net::ul::IoThreads* io_ = nullptr;
    // Of the thread alone.
    std::map<std::string, Study> studies_;
    std::uint64_t read_to_ = 0;
    std::uint64_t cursor_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Peer> peers_;  ///< by AE title
    Deliveries finished_;
    bool stopping_ = false;
    bool wanted_ = false;  ///< there is something to look at now
    std::thread thread_;
};

}  // namespace sagitta::service
