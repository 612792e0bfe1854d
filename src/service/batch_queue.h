// Carries batches from a thread that may block to a coroutine that must not. Bounded: the thread
// waits while the coroutine is behind.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include "core/task.h"

namespace sagitta::service {

/// One producer, one consumer; both hold it by shared_ptr.
template <class T>
class BatchQueue {
public:
    /// Producer. False when the consumer has gone: stop.
    [[nodiscard]] bool push(std::vector<T> batch) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return abandoned_ || batches_.size() < kMaxBatches; });
        if (abandoned_) return false;
        batches_.push_back(std::move(batch));
        wake(lock);
        return true;
    }

    /// Producer: nothing more comes.
    void finish() {
        std::unique_lock lock(mutex_);
        finished_ = true;
        wake(lock);
    }

    /// Consumer: the next batch, or nothing when the producer has finished.
    [[nodiscard]] Task<std::optional<std::vector<T>>> pop() {
        auto executor = co_await asio::this_coro::executor;
        auto initiate = [this, executor](auto handler) {
            auto resume = std::make_shared<decltype(handler)>(std::move(handler));
            std::unique_lock lock(mutex_);
            waiter_ = [executor, resume] { asio::post(executor, [resume] { std::move (*resume)(); }); };
            if (!batches_.empty() || finished_) wake(lock);
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(std::move(initiate),
                                                                              asio::use_awaitable);
        std::unique_lock lock(mutex_);
        if (batches_.empty()) co_return std::nullopt;
        std::optional<std::vector<T>> batch(std::move(batches_.front()));
        batches_.pop_front();
        room_.notify_one();
        co_return batch;
    }

    /// Consumer: no longer interested; frees a waiting producer.
    void abandon() {
        const std::lock_guard lock(mutex_);
        abandoned_ = true;
        room_.notify_one();
    }

private:
    static constexpr std::size_t kMaxBatches = 4;

    void wake(std::unique_lock<std::mutex>& lock) {
        auto waiter = std::exchange(waiter_, nullptr);
        if (!waiter) return;
        lock.unlock();
        waiter();
    }

    std::mutex mutex_;
    std::condition_variable room_;
    std::deque<std::vector<T>> batches_;
    std::function<void()> waiter_;
    bool finished_ = false;
    bool abandoned_ = false;
};

}  // namespace sagitta::service
