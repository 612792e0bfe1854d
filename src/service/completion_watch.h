// Waits for what procedure steps say was made: a thread of its own that looks at the index now and then, and
// never at what is being stored.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "core/result.h"
#include "service/completeness.h"
#include "storage/instance_index.h"
#include "storage/procedure_step_log.h"

namespace sagitta::service {

struct CompletionWatchSettings {
    std::chrono::milliseconds look = std::chrono::seconds(1);  ///< first pause; each is twice the one before
    std::chrono::milliseconds longest_look = std::chrono::seconds(30);
    std::chrono::milliseconds patience = std::chrono::minutes(10);  ///< then what is missing is logged
    std::chrono::milliseconds keep = std::chrono::hours(24 * 365);  ///< of steps, since their last change
    /// All that a step in a final state names is there. On the thread of the watch; when it fails it is asked
    /// again.
    std::function<Result<void>(const StepProgress&)> on_arrival;
};

/// Thread-safe. What it is given outlives it.
class CompletionWatch {
public:
    CompletionWatch(storage::ProcedureStepLog& log, const storage::InstanceIndex& index,
                    CompletionWatchSettings settings);
    ~CompletionWatch();

    /// Begins, with what an earlier run left. Errors: of the log.
    [[nodiscard]] Result<void> start();
    void stop();
    /// A step has come to its final state.
    void step_ended();

private:
    using Clock = std::chrono::steady_clock;
    struct Awaited {
        std::int64_t changed = 0;
        std::string one_missing;  ///< while this is not there, the rest need not be looked for
        Clock::time_point due;
        std::chrono::milliseconds pause{};
        bool told = false;
    };

    void run();
    [[nodiscard]] Result<void> take_new_ones();
    void forget_old_ones();
    [[nodiscard]] Clock::time_point look();
    /// True when it is awaited no longer.
    [[nodiscard]] Result<bool> look_at(std::int64_t id, Awaited& awaited);

    storage::ProcedureStepLog& log_;
    const storage::InstanceIndex& index_;
    const CompletionWatchSettings settings_;
    std::map<std::int64_t, Awaited> awaited_;  ///< by the step's id; of the thread alone
    Clock::time_point next_forgetting_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    bool step_ended_ = false;
    std::thread thread_;
};

}  // namespace sagitta::service
