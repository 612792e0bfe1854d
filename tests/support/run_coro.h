// Runs a coroutine to its end inside a test and gives what it returned. ASSERT_* cannot be used in
// a coroutine: return what is to be looked at.
#pragma once

#include <future>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include "core/task.h"

namespace sagitta::test {

/// On an event loop of its own, in the calling thread.
template <class T>
T run_coro(Task<T> task) {
    asio::io_context context{1};
    auto answer = asio::co_spawn(context, std::move(task), asio::use_future);
    context.run();
    return answer.get();
}

}  // namespace sagitta::test
