#include "core/worker_pool.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

namespace sagitta {
namespace {

struct Seen {
    std::thread::id worked;
    std::thread::id resumed;
    int answer = 0;
};

TEST(WorkerPool, WorksElsewhereAndResumesOnTheCallersThread) {
    WorkerPool pool(2);
    asio::io_context loop(1);
    auto ask = [&pool]() -> Task<Seen> {
        Seen seen;
        auto work = [&seen] {
            seen.worked = std::this_thread::get_id();
            return 42;
        };
        seen.answer = co_await pool.run(std::move(work));
        seen.resumed = std::this_thread::get_id();
        co_return seen;
    };
    auto answer = asio::co_spawn(loop, ask, asio::use_future);
    loop.run();
    const Seen seen = answer.get();
    EXPECT_EQ(seen.answer, 42);
    EXPECT_EQ(seen.resumed, std::this_thread::get_id());
    EXPECT_NE(seen.worked, std::this_thread::get_id());
}

TEST(WorkerPool, DestructionWaitsForPostedWork) {
    std::atomic<int> done = 0;
    {
        WorkerPool pool(2);
        for (int n = 0; n < 100; ++n) pool.post([&done] { ++done; });
    }
    EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace sagitta
