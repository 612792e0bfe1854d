// The asynchronous operations window (PS3.7 D.3.3.3): many C-STOREs on their way at the same time.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "net/scu/client.h"
#include "tests/net/fake_handlers.h"

namespace sagitta::net {
namespace {

using namespace std::chrono_literals;
using test::FakeNode;
using test::kCtImage;
using test::kExplicit;
using test::kVerification;

struct Sent {
    std::string error;  ///< of store_all
    std::map<std::size_t, int> told;
    int succeeded = 0;
    std::string echo;
};

struct Window : testing::Test {
    Window() {
        settings.calling = *ul::AeTitle::parse("TESTER");
        settings.response_timeout = 5s;
        settings.association.artim_timeout = 5s;
        node.operations_window = 16;
        node.store_takes = 2ms;
    }

    Task<Result<std::unique_ptr<scu::Client>>> open() {
        scu::Address address;
        address.called = *ul::AeTitle::parse("SAGITTA");
        address.host = "127.0.0.1";
        address.port = node.server().port();
        scu::WantedContext store;
        store.sop_class_uid = kCtImage;
        store.transfer_syntaxes = {std::string(kExplicit)};
        scu::WantedContext echo = store;
        echo.sop_class_uid = kVerification;
        std::vector<scu::WantedContext> wanted{store, echo};
        return scu::Client::open(std::move(address), settings, std::move(wanted));
    }

    /// Sends `count` objects of 2, 4, 6 … bytes; a class the node does not take where `odd` says so.
    Task<Sent> send(std::size_t count, std::size_t odd = SIZE_MAX) {
        Sent sent;
        auto client = co_await open();
        if (!client) {
            sent.error = client.error().context;
            co_return sent;
        }
        std::size_t given = 0;
        dimse::NextStore next = [&]() -> Task<std::optional<dimse::OutgoingStore>> {
            std::optional<dimse::OutgoingStore> store;
            if (given == count) co_return store;
            store.emplace();
            store->sop_class_uid = *dicom::Uid::parse(given == odd ? "1.2.3.4" : kCtImage);
            store->sop_instance_uid = *dicom::Uid::parse("1.2." + std::to_string(given + 1));
            store->transfer_syntax_uid = kExplicit;
            store->payload = std::make_unique<dimse::MemoryPayload>(std::span(bytes).first(++given * 2));
            co_return store;
        };
        dimse::OnStored on_stored = [&](std::size_t index, Result<dimse::Outcome> answer) -> Task<void> {
            ++sent.told[index];
            if (answer && answer->status == dimse::Status::success) ++sent.succeeded;
            co_return;
        };
        auto done = co_await (*client)->store_all(std::move(next), std::move(on_stored));
        if (!done) sent.error = done.error().context;
        if (!(*client)->is_open()) co_return sent;
        auto echo = co_await (*client)->echo();
        sent.echo = echo ? std::to_string(dimse::code(echo->status)) : echo.error().context;
        auto released = co_await (*client)->release();
        (void)released;
        co_return sent;
    }

    ul::IoThreads io{2};
    FakeNode node{io};
    scu::ClientSettings settings;
    std::vector<std::byte> bytes{10'000};
};

TEST_F(Window, IsUsedAsAgreed) {
    settings.operations_window = 64;
    const auto sent = io.run(send(200));
    EXPECT_EQ(sent.error, "");
    EXPECT_EQ(sent.succeeded, 200);
    EXPECT_EQ(sent.told.size(), 200u);
    EXPECT_EQ(node.most_storing.load(), 16);
    EXPECT_EQ(node.stored.size(), 200u);
    EXPECT_EQ(sent.echo, "0");
}

TEST_F(Window, IsOursWhenThePeerWouldTakeMore) {
    settings.operations_window = 3;
    EXPECT_EQ(io.run(send(30)).succeeded, 30);
    EXPECT_EQ(node.most_storing.load(), 3);
}

TEST_F(Window, IsOneWhereNobodyAsks) {
    const auto sent = io.run(send(20));
    EXPECT_EQ(sent.succeeded, 20);
    EXPECT_EQ(node.most_storing.load(), 1);
    EXPECT_EQ(sent.echo, "0");
}

TEST_F(Window, IsOneWhereThePeerDoesNotAgree) {
    node.operations_window = 1;
    settings.operations_window = 64;
    EXPECT_EQ(io.run(send(20)).succeeded, 20);
    EXPECT_EQ(node.most_storing.load(), 1);
}

TEST_F(Window, WhatThePeerDoesNotTakeIsToldAndTheOthersGoOn) {
    settings.operations_window = 8;
    const auto sent = io.run(send(20, 7));
    EXPECT_EQ(sent.error, "");
    EXPECT_EQ(sent.succeeded, 19);
    EXPECT_EQ(sent.told.at(7), 1);
    EXPECT_EQ(sent.echo, "0");
}

TEST_F(Window, EachIsToldOnceWhenTheAssociationEnds) {
    settings.operations_window = 16;
    node.store_takes = 20ms;
    auto sending = asio::co_spawn(io.executor(0), send(2000), asio::use_future);
    while (node.most_storing.load() < 16) std::this_thread::sleep_for(1ms);
    node.server().stop(0ms);
    const auto sent = sending.get();
    EXPECT_NE(sent.error, "");
    EXPECT_LT(sent.told.size(), 2000u);
    EXPECT_GE(sent.told.size(), 16u);
    for (const auto& [index, times] : sent.told) EXPECT_EQ(times, 1) << index;
    EXPECT_EQ(node.storing.load(), 0) << "handlers run to their end before the session does";
}

}  // namespace
}  // namespace sagitta::net
