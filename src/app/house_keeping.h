// What a running node does with its archive by itself: deletes what is kept no longer, purges what was
// deleted, keeps within its quota.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "app/configuration.h"
#include "storage/archive.h"

namespace sagitta::app {

/// One thread. The archive and the rules outlive it.
class HouseKeeping {
public:
    HouseKeeping(storage::Archive& archive, std::string data_dir, const StorageSettings& settings,
                 std::span<const Retention> retentions);
    ~HouseKeeping();
    HouseKeeping(const HouseKeeping&) = delete;
    HouseKeeping& operator=(const HouseKeeping&) = delete;

private:
    /// What is stored, or free, beyond what may be.
    struct Excess {
        std::uint64_t bytes = 0;
        std::uint64_t studies = 0;
        std::uint64_t room = UINT64_MAX;  ///< bytes that may still come
    };

    void run();
    void purge();
    void delete_what_is_over();
    void keep_quota();
    [[nodiscard]] Result<Excess> measure();
    [[nodiscard]] Result<void> recycle(Excess excess);
    [[nodiscard]] bool has_quota() const noexcept;

    storage::Archive& archive_;
    const std::string data_dir_;
    const StorageSettings settings_;
    const std::span<const Retention> retentions_;
    std::uint64_t seen_batches_ = UINT64_MAX;
    bool full_ = false;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sagitta::app
