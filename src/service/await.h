// Turns "call me back once, from any thread" into something a coroutine can await.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include "core/result.h"
#include "core/task.h"

namespace sagitta::service {

/// `start(done)` begins something and returns Result<void>: a failure is the answer at once, and then
/// `done` is never called; otherwise `done(Answer)` comes exactly once, on any thread. Resumes on the
/// caller's executor. What `start` refers to must live until then.
template <class Answer, class Start>
Task<Answer> await_callback(Start start) {
    auto executor = co_await asio::this_coro::executor;
    std::optional<Answer> answer;
    auto initiate = [&start, &answer, executor](auto handler) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        auto done = [&answer, executor, resume](Answer value) {
            answer.emplace(std::move(value));
            asio::post(executor, [resume] { std::move (*resume)(); });
        };
        if (auto started = start(done); !started) done(Answer(std::move(started).error()));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(std::move(initiate),
                                                                          asio::use_awaitable);
    co_return std::move(*answer);
}

}  // namespace sagitta::service
