// What a running node does with its archive by itself: deletes what is kept no longer, purges what was
// deleted, keeps within its quota.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "app/configuration.h"
#include "app/deletion.h"
#include "storage/archive.h"
#include "storage/room.h"

namespace sagitta::app {

/// One thread. What it is given outlives it.
class HouseKeeping {
public:
    HouseKeeping(storage::Archive& archive, Deletion& deletion, std::string data_dir,
                 const StorageSettings& settings, std::span<const Retention> retentions);
    ~HouseKeeping();
    HouseKeeping(const HouseKeeping&) = delete;
    HouseKeeping& operator=(const HouseKeeping&) = delete;

private:
    /// Counting reads the whole index: done when a quota may be passed, and now and then while it is.
    static constexpr int kTicksPerCount = 10;

    /// What there is, and how much had been stored when it was counted.
    struct Count {
        std::uint64_t used = 0;  ///< bytes of what is served or can be restored
        std::uint64_t studies = 0;
        std::uint64_t stored_bytes = 0, stored_instances = 0;  ///< of ArchiveStatus
    };
    /// What is beyond the quotas, and how much may still come.
    struct Balance {
        std::uint64_t bytes = 0, studies = 0;
        storage::Room room;
        [[nodiscard]] bool is_passed() const noexcept {
            return bytes != 0 || studies != 0 || room.bytes == 0 || room.studies == 0;
        }
    };

    void run();
    void purge();
    void delete_what_is_over();
    void keep_quota();
    [[nodiscard]] Result<Count> count() const;
    [[nodiscard]] Balance balance(const Count& count) const;
    [[nodiscard]] std::uint64_t waiting(const storage::ArchiveStatus& status) const;
    [[nodiscard]] Count at_most(const storage::ArchiveStatus& status) const;
    void refuse_beyond(const Balance& balance);
    [[nodiscard]] Result<void> recycle(const Balance& beyond);
    [[nodiscard]] bool has_quota() const noexcept;

    storage::Archive& archive_;
    Deletion& deletion_;
    const std::string data_dir_;
    const StorageSettings settings_;
    const std::span<const Retention> retentions_;
    std::uint64_t seen_batches_ = UINT64_MAX;
    std::optional<Count> counted_;
    int ticks_since_count_ = 0;  ///< while something is refused
    std::string_view full_;      ///< what is refused; empty: nothing
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sagitta::app
