// A condition to wait for inside one executor: waiters look at what they wait for, wait, and look
// again. Not thread-safe.
#pragma once

#include <cstddef>

#include <asio/steady_timer.hpp>

#include "core/task.h"

namespace sagitta::net::ul {

class Signal {
public:
    explicit Signal(asio::any_io_executor executor)
        : timer_(std::move(executor), asio::steady_timer::time_point::max()) {}

    /// Returns after the next notify().
    Task<void> wait() {
        ++waiting_;
        auto done = co_await timer_.async_wait(no_throw);
        static_cast<void>(done);
        --waiting_;
    }
    /// Wakes all who wait now.
    void notify() {
        if (waiting_ != 0) timer_.cancel();
    }

private:
    asio::steady_timer timer_;
    std::size_t waiting_ = 0;
};

}  // namespace sagitta::net::ul
