// Associations that are used again.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "net/scu/pool.h"
#include "tests/net/fake_handlers.h"

namespace sagitta::net {
namespace {

using namespace std::chrono_literals;
using test::FakeNode;
using test::kCtImage;
using test::kExplicit;
using test::kVerification;

struct Pool : testing::Test {
    ~Pool() override {
        if (pool) pool->close();
    }

    void make(scu::PoolSettings settings) { pool.emplace(settings); }

    scu::WantedContext want(std::string_view sop_class) const {
        scu::WantedContext wanted;
        wanted.sop_class_uid = sop_class;
        wanted.transfer_syntaxes = {std::string(kExplicit)};
        return wanted;
    }

    Task<Result<scu::Lease>> lease(std::vector<scu::WantedContext> wanted, bool only_new = false) {
        scu::Address address;
        address.called = *ul::AeTitle::parse("SAGITTA");
        address.host = "127.0.0.1";
        address.port = node.server().port();
        scu::ClientSettings settings;
        settings.calling = *ul::AeTitle::parse("TESTER");
        settings.response_timeout = 5s;
        return pool->lease(std::move(address), std::move(settings), std::move(wanted), only_new);
    }

    /// "new 0" or "used 0": an echo over a lease.
    Task<std::string> echo(std::vector<scu::WantedContext> wanted, bool only_new = false) {
        auto leased = co_await lease(std::move(wanted), only_new);
        if (!leased) co_return leased.error().context;
        auto answer = co_await (*leased)->echo();
        const std::string how = leased->is_used() ? "used " : "new ";
        co_return how + (answer ? std::to_string(dimse::code(answer->status)) : answer.error().context);
    }

    Task<std::string> hold(std::chrono::milliseconds time) {
        std::vector<scu::WantedContext> wanted{want(kVerification)};
        auto leased = co_await lease(std::move(wanted));
        if (!leased) co_return leased.error().context;
        most = std::max(most, ++holders);
        asio::steady_timer timer(co_await asio::this_coro::executor, time);
        auto waited = co_await timer.async_wait(no_throw);
        (void)waited;
        --holders;
        co_return "held";
    }

    template <class Holds>
    static bool soon(Holds holds) {
        for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(10ms);
        return holds();
    }

    ul::IoThreads io{1};
    FakeNode node{io};
    std::optional<scu::ClientPool> pool;
    int holders = 0;  // on the io thread
    int most = 0;
    std::vector<scu::WantedContext> only_echo{want(kVerification)};
    std::vector<scu::WantedContext> both{want(kVerification), want(kCtImage)};
};

TEST_F(Pool, UsesAnAssociationAgain) {
    make({});
    EXPECT_EQ(io.run(echo(both)), "new 0");
    EXPECT_EQ(io.run(echo(both)), "used 0");
    EXPECT_EQ(io.run(echo(only_echo)), "used 0") << "it was opened for more than that";
    EXPECT_EQ(node.ended.load(), 0);
}

TEST_F(Pool, OpensAnotherWhenOneWasOpenedForLess) {
    make({});
    EXPECT_EQ(io.run(echo(only_echo)), "new 0");
    EXPECT_EQ(io.run(echo(both)), "new 0");
    EXPECT_TRUE(soon([&] { return node.ended == 1; })) << "the node may take one at a time";
}

TEST_F(Pool, GivesANewOneWhenAsked) {
    make({});
    EXPECT_EQ(io.run(echo(both)), "new 0");
    EXPECT_EQ(io.run(echo(both, true)), "new 0");
}

TEST_F(Pool, ReleasesWhenNobodyComes) {
    scu::PoolSettings settings;
    settings.keep = 50ms;
    make(settings);
    EXPECT_EQ(io.run(echo(both)), "new 0");
    EXPECT_TRUE(soon([&] { return node.ended == 1; }));
    EXPECT_EQ(io.run(echo(both)), "new 0");
}

TEST_F(Pool, KeepsNothingWhenToldSo) {
    scu::PoolSettings settings;
    settings.keep = ul::Duration::zero();
    make(settings);
    EXPECT_EQ(io.run(echo(both)), "new 0");
    EXPECT_TRUE(soon([&] { return node.ended == 1; }));
}

TEST_F(Pool, ForgetsWhatThePeerEnded) {
    make({});
    EXPECT_EQ(io.run(echo(both)), "new 0");
    node.server().stop(0ms);
    EXPECT_NE(io.run(echo(both)).find("cannot connect"), std::string::npos);
}

TEST_F(Pool, HoldsNoMoreThanAllowedAndLetsTheNextIn) {
    scu::PoolSettings settings;
    settings.max_per_peer = 2;
    settings.keep = ul::Duration::zero();
    make(settings);
    std::vector<std::future<std::string>> holding;
    for (int i = 0; i < 6; ++i)
        holding.push_back(asio::co_spawn(io.executor(0), hold(40ms), asio::use_future));
    for (auto& one : holding) EXPECT_EQ(one.get(), "held");
    EXPECT_EQ(most, 2);
    EXPECT_EQ(node.admitted.load(), 6);
}

TEST_F(Pool, SaysWhenNoneBecomesFree) {
    scu::PoolSettings settings;
    settings.max_per_peer = 1;
    settings.patience = 50ms;
    make(settings);
    auto holding = asio::co_spawn(io.executor(0), hold(400ms), asio::use_future);
    EXPECT_TRUE(soon([&] { return node.server().associations() == 1; }));
    EXPECT_EQ(io.run(echo(both)), "all associations to the node are in use");
    EXPECT_EQ(holding.get(), "held");
    EXPECT_EQ(io.run(echo(both)), "new 0");
}

}  // namespace
}  // namespace sagitta::net
