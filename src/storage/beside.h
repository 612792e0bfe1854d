// One piece of work at a time on a thread of its own, beside what its owner does. Internal to storage.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace sagitta::storage {

/// For one owner: `begin` and `wait` in turn, on one thread. Work does not throw.
class Beside {
public:
    Beside() : thread_([this] { run(); }) {}
    ~Beside() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;

    void begin(std::function<void()> work) {
        {
            const std::lock_guard lock(mutex_);
            work_ = std::move(work);
        }
        changed_.notify_all();
    }

    /// Until it is done; everything it did is seen then.
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !work_; });
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return ending_ || work_; });
            if (!work_) return;
            lock.unlock();
            work_();
            lock.lock();
            work_ = nullptr;
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> work_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace sagitta::storage
