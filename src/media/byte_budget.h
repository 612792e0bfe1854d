// How many bytes may be in memory at once. Knows nothing of what they are.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sagitta::media {

/// Thread-safe.
class ByteBudget {
public:
    explicit ByteBudget(std::uint64_t bytes) : bytes_(bytes) {}

    /// Waits until there is room. What is larger than the whole budget gets in alone.
    void take(std::uint64_t bytes) {
        std::unique_lock lock(mutex_);
        given_back_.wait(lock, [&] { return taken_ == 0 || taken_ + bytes <= bytes_; });
        taken_ += bytes;
    }
    /// Without waiting: what is read already must go somewhere.
    void take_more(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        taken_ += bytes;
    }
    void give_back(std::uint64_t bytes) {
        {
            const std::lock_guard lock(mutex_);
            taken_ -= std::min(bytes, taken_);
        }
        given_back_.notify_all();
    }
    void wait_until_empty() {
        std::unique_lock lock(mutex_);
        given_back_.wait(lock, [&] { return taken_ == 0; });
    }

private:
    const std::uint64_t bytes_;
    std::uint64_t taken_ = 0;
    std::mutex mutex_;
    std::condition_variable given_back_;
};

}  // namespace sagitta::media
