// The one place where a third party's coroutine type gets our name: Task<T>. A Task runs on the
// executor it was spawned on; blocking work is handed to WorkerPool and awaited.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

namespace sagitta {

template <class T>
using Task = asio::awaitable<T>;

/// Completion token: `auto [ec, n] = …` as values, no exception. Bind the tuple to a name first
/// (`auto done = co_await …; auto& [ec, n] = done;`): g++ 12 mishandles the direct form.
inline constexpr asio::experimental::as_tuple_t<asio::use_awaitable_t<>> no_throw{};

}  // namespace sagitta
