#include "net/ul/io_threads.h"

#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include "core/log.h"

namespace sagitta::net::ul {

struct IoThreads::Impl {
    /// What waits in one loop may hold timers of another: all are emptied before the first is freed.
    struct Context : asio::io_context {
        using asio::execution_context::shutdown;
        using asio::io_context::io_context;
    };
    struct Loop {
        Context context{1};
        asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
        std::thread thread;
    };
    std::vector<std::unique_ptr<Loop>> loops;
    std::atomic<std::size_t> next{0};
};

IoThreads::IoThreads(std::size_t threads) : impl_(std::make_unique<Impl>()) {
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
        auto loop = std::make_unique<Impl::Loop>();
        loop->thread = std::thread([&context = loop->context] { context.run(); });
        impl_->loops.push_back(std::move(loop));
    }
}

IoThreads::~IoThreads() {
    for (auto& loop : impl_->loops) loop->context.stop();
    for (auto& loop : impl_->loops) loop->thread.join();
    for (auto& loop : impl_->loops) loop->context.shutdown();
}

std::size_t IoThreads::size() const noexcept {
    return impl_->loops.size();
}

asio::any_io_executor IoThreads::executor(std::size_t index) const {
    return impl_->loops[index % impl_->loops.size()]->context.get_executor();
}

asio::any_io_executor IoThreads::next_executor() {
    return executor(impl_->next++);
}

void IoThreads::spawn(Task<void> task) {
    asio::co_spawn(next_executor(), std::move(task), report_exception);
}

void report_exception(std::exception_ptr exception) {
    if (!exception) return;
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        log::error("net: unexpected exception: {}", log::escaped(error.what()));
    }
}

}  // namespace sagitta::net::ul
