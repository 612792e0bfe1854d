// The network threads: each has an event loop of its own, and everything about one association
// happens on one of them. Thread-safe.
#pragma once

#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include "core/task.h"

namespace sagitta::net::ul {

class IoThreads {
public:
    explicit IoThreads(std::size_t threads);
    /// Stops the loops and joins; stop listeners and clients first.
    ~IoThreads();
    IoThreads(const IoThreads&) = delete;
    IoThreads& operator=(const IoThreads&) = delete;

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] asio::any_io_executor executor(std::size_t index) const;
    /// One after the other.
    [[nodiscard]] asio::any_io_executor next_executor();

    /// Starts `task` on the next thread; an exception in it is logged.
    void spawn(Task<void> task);
    /// Runs `task` on the next thread and waits; not from an io thread. For tools and tests.
    template <class T>
    T run(Task<T> task) {
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(next_executor(), std::move(task), asio::use_future).get();
        } else {
            std::optional<T> answer;
            auto body = [&answer, held = std::move(task)]() mutable -> Task<void> {
                auto value = co_await std::move(held);
                answer.emplace(std::move(value));
            };
            asio::co_spawn(next_executor(), std::move(body), asio::use_future).get();
            return std::move(*answer);
        }
    }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Completion handler of every co_spawn: reports an exception, which only a bug can cause.
void report_exception(std::exception_ptr exception);

/// Starts the coroutine function `start` (kept as long as it runs) on `executor`.
template <class F>
void spawn_on(const asio::any_io_executor& executor, F start) {
    asio::co_spawn(executor, std::move(start), report_exception);
}

}  // namespace sagitta::net::ul
