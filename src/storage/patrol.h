// Reads a whole archive again while it is served, slowly, and over and over: damage that a disk does in
// silence is found while there is still another copy somewhere.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/result.h"
#include "storage/instance_check.h"
#include "storage/instance_index.h"

namespace sagitta::storage {

/// How far it is; kept in DATA/patrol, so that a restart goes on where the last run was. Times are seconds
/// since 1970, UTC; 0: never.
struct PatrolState {
    std::int64_t began = 0;  ///< the pass that is on its way, or else the last one
    bool is_under_way = false;
    std::uint64_t after = 0;  ///< number of the event up to which instances were read (change_feed.h)
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;
    std::uint64_t damaged = 0;
    std::int64_t completed = 0;  ///< when the last whole pass ended
    std::uint64_t completed_instances = 0;
    std::uint64_t completed_damaged = 0;
};

/// Empty when there is none, or one that cannot be read: it holds nothing that is not found out again.
[[nodiscard]] std::optional<PatrolState> read_patrol_state(const std::string& data_dir);

struct PatrolSettings {
    std::string data_dir;
    /// From the beginning of one pass to that of the next, the first so long after the first start; 0: never.
    std::chrono::milliseconds every = std::chrono::hours(24 * 30);
    std::uint64_t bytes_per_second = 10ull << 20;  ///< 0: as fast as the disk is
};

/// A thread of its own. Each instance that is damaged is one log line, by its place. What it is given
/// outlives it.
class Patrol {
public:
    Patrol(const InstanceIndex& index, const InstanceCheck& check, PatrolSettings settings);
    ~Patrol();
    Patrol(const Patrol&) = delete;
    Patrol& operator=(const Patrol&) = delete;

    void start();
    /// Waits for the instance that is being read. Idempotent.
    void stop();

private:
    using Clock = std::chrono::steady_clock;

    void run();
    /// False when it is to stop.
    [[nodiscard]] bool wait_for_the_next_pass();
    [[nodiscard]] bool read_some();
    void read_again(const std::string& sop_instance_uid);
    void complete();
    void save();
    [[nodiscard]] bool pause(Clock::duration time);

    const InstanceIndex& index_;
    const InstanceCheck& check_;
    const PatrolSettings settings_;
    PatrolState state_;  ///< of the thread alone
    Clock::time_point paid_until_;
    Clock::time_point next_save_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sagitta::storage
