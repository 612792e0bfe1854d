// Threads for work that blocks: SQLite, fsync, codecs. Network threads never wait for a disk.
#pragma once

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/task.h"

namespace sagitta {

/// Thread-safe. Destruction waits for running work.
class WorkerPool {
public:
    explicit WorkerPool(std::size_t threads) : pool_(threads) {}
    ~WorkerPool() { pool_.join(); }
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Runs `work` on a pool thread; nobody waits. `work` must not throw.
    template <class F>
    void post(F work) {
        asio::post(pool_, std::move(work));
    }

    /// Runs `work` on a pool thread and resumes the caller on its own executor with the answer.
    /// `work` must not throw and must stay valid until then (pass by value, capture by value).
    template <class F>
    Task<std::invoke_result_t<F&>> run(F work) {
        using R = std::invoke_result_t<F&>;
        auto caller = co_await asio::this_coro::executor;
        std::optional<R> answer;
        auto initiate = [this, &work, &answer, caller](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            asio::post(pool_, [&work, &answer, caller, shared] {
                answer.emplace(work());
                asio::post(caller, [shared] { std::move (*shared)(); });
            });
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(std::move(initiate),
                                                                              asio::use_awaitable);
        co_return std::move(*answer);
    }

private:
    asio::thread_pool pool_;
};

}  // namespace sagitta
