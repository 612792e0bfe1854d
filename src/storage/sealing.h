// Gives full volumes their manifest and end-of-archive blocks, in the background. Internal to
// storage.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/layout.h"

namespace sagitta::storage {

/// Appends the manifest of all members, synced. True when done, false when `stop` was set meanwhile
/// and nothing was written. Errors: io_failure, no_space; then the volume is as it was.
[[nodiscard]] Result<bool> seal_volume(FileSystem& file_system, const Layout& layout, std::uint32_t number,
                                       const std::atomic<bool>& stop);

/// One background thread of low priority. A volume it does not finish is sealed after the next start.
class Sealer {
public:
    /// `sealed` is called on the background thread.
    Sealer(FileSystem& file_system, Layout layout, std::function<void(std::uint32_t)> sealed);
    ~Sealer();
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;

    /// Thread-safe.
    void enqueue(std::uint32_t number);

    /// Returns when nothing is queued or running.
    void drain();

private:
    void run();

    FileSystem& file_system_;
    Layout layout_;
    std::function<void(std::uint32_t)> sealed_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::uint32_t> queue_;
    bool busy_ = false;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace sagitta::storage
