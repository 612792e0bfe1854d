// Client and server of this repository against each other over loopback.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "net/dimse/server.h"
#include "net/scu/client.h"
#include "tests/net/fake_handlers.h"

namespace sagitta::net {
namespace {

using namespace std::chrono_literals;
using test::FakeNode;
using test::kCtImage;
using test::kExplicit;
using test::kImplicit;
using test::kStudyRootFind;
using test::kStudyRootGet;
using test::kStudyRootMove;
using test::kVerification;

scu::Address address_of(const dimse::Server& server) {
    scu::Address address;
    address.called = *ul::AeTitle::parse("SAGITTA");
    address.host = "127.0.0.1";
    address.port = server.port();
    return address;
}

scu::ClientSettings client_settings() {
    scu::ClientSettings settings;
    settings.calling = *ul::AeTitle::parse("TESTER");
    settings.response_timeout = 5s;
    settings.association.artim_timeout = 5s;
    return settings;
}

scu::WantedContext want(std::string_view sop_class, bool as_scp = false) {
    scu::WantedContext wanted;
    wanted.sop_class_uid = sop_class;
    wanted.transfer_syntaxes = {std::string(kExplicit), std::string(kImplicit)};
    wanted.as_scp = as_scp;
    return wanted;
}

using Opened = Result<std::unique_ptr<scu::Client>>;

Task<Opened> open(scu::Address address, scu::ClientSettings settings, bool with_scp_role = false) {
    std::vector<scu::WantedContext> wanted{want(kVerification), want(kCtImage, with_scp_role),
                                           want(kStudyRootFind), want(kStudyRootGet), want(kStudyRootMove)};
    return scu::Client::open(std::move(address), std::move(settings), std::move(wanted));
}

/// What an operation ended with, as one line; empty association errors included.
std::string text_of(const Result<dimse::Outcome>& result) {
    if (!result) return std::string(to_string(result.error().code)) + ": " + result.error().context;
    return std::to_string(dimse::code(result->status)) + " " + result->error_comment;
}

struct RoundTrip : testing::Test {
    ul::IoThreads io{2};
    FakeNode node{io};
};

Task<std::string> echo_and_release(scu::Address address) {
    auto client = co_await open(address, client_settings());
    if (!client) co_return client.error().context;
    std::string log = text_of(co_await (*client)->echo());
    auto released = co_await (*client)->release();
    co_return log + (released ? "released" : released.error().context);
}

TEST_F(RoundTrip, EchoSucceedsAndReleases) {
    EXPECT_EQ(io.run(echo_and_release(address_of(node.server()))), "0 released");
}

TEST_F(RoundTrip, HostMayBeAName) {
    auto address = address_of(node.server());
    address.host = "localhost";
    EXPECT_EQ(io.run(echo_and_release(address)), "0 released");
}

TEST_F(RoundTrip, HundredAssociationsAtOnce) {
    std::vector<std::future<std::string>> answers;
    for (int i = 0; i < 100; ++i) {
        answers.push_back(asio::co_spawn(io.next_executor(), echo_and_release(address_of(node.server())),
                                         asio::use_future));
    }
    for (auto& answer : answers) EXPECT_EQ(answer.get(), "0 released");
    EXPECT_EQ(node.ended.load(), 100);
}

Task<std::string> store_one(scu::Address address, scu::ClientSettings settings,
                            std::vector<std::byte> bytes) {
    auto client = co_await open(address, settings);
    if (!client) co_return client.error().context;
    scu::StoreOperation operation;
    operation.sop_class_uid = *dicom::Uid::parse(kCtImage);
    operation.sop_instance_uid = *dicom::Uid::parse("1.2.3");
    operation.transfer_syntax_uid = kExplicit;
    dimse::MemoryPayload payload(bytes);
    auto outcome = co_await (*client)->store(operation, payload);
    auto released = co_await (*client)->release();
    co_return text_of(outcome);
}

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
    return bytes;
}

TEST_F(RoundTrip, StoredBytesArriveAsSent) {
    for (const std::size_t size : {0u, 2u, 3u, 100'000u, 3'000'000u}) {
        EXPECT_EQ(io.run(store_one(address_of(node.server()), client_settings(), pattern(size))), "0 ")
            << size;
        EXPECT_EQ(node.stored.back(), pattern(size)) << size;
    }
}

TEST_F(RoundTrip, ObjectBeyondTheLimitIsRefusedAndTheAssociationGoesOn) {
    EXPECT_EQ(io.run(store_one(address_of(node.server()), client_settings(), pattern(5'000'001))),
              "42752 object longer than the limit here");
    EXPECT_TRUE(node.stored.empty());
}

Task<std::string> find_all(scu::Address address, int stop_after, int* seen) {
    auto client = co_await open(address, client_settings());
    if (!client) co_return client.error().context;
    dicom::DataSet identifier;
    identifier.set_text(dicom::Tag(0x0008, 0x0052), dicom::Vr::CS, "STUDY");
    scu::OnMatch on_match = [seen, stop_after](const dicom::DataSet& match) -> Task<bool> {
        if (match.text(dicom::Tag(0x0010, 0x0020)) == "ID" + std::to_string(*seen)) ++*seen;
        co_return *seen != stop_after;
    };
    auto outcome = co_await (*client)->find(*dicom::Uid::parse(kStudyRootFind), identifier, on_match);
    auto released = co_await (*client)->release();
    co_return text_of(outcome);
}

TEST_F(RoundTrip, FindGivesEveryMatchInOrder) {
    int seen = 0;
    node.matches = 3000;
    EXPECT_EQ(io.run(find_all(address_of(node.server()), -1, &seen)), "0 ");
    EXPECT_EQ(seen, 3000);
}

TEST_F(RoundTrip, CancelStopsAFind) {
    int seen = 0;
    node.matches = 1 << 30;
    EXPECT_EQ(io.run(find_all(address_of(node.server()), 10, &seen)), "65024 ");
    EXPECT_EQ(seen, 10);
}

Task<std::string> get_all(scu::Address address, bool with_role, std::vector<std::size_t>* sizes) {
    auto client = co_await open(address, client_settings(), with_role);
    if (!client) co_return client.error().context;
    dicom::DataSet identifier;
    identifier.set_text(dicom::Tag(0x0008, 0x0052), dicom::Vr::CS, "STUDY");
    scu::OnInstance on_instance = [sizes](scu::ReceivedInstance instance) -> Task<dimse::Outcome> {
        sizes->push_back(instance.data_set.size());
        co_return dimse::Outcome();
    };
    auto report = co_await (*client)->get(*dicom::Uid::parse(kStudyRootGet), identifier, on_instance);
    auto released = co_await (*client)->release();
    if (!report) co_return report.error().context;
    co_return std::to_string(dimse::code(report->outcome.status)) + " " +
        std::to_string(report->counts.completed) + " " + std::to_string(report->counts.failed);
}

TEST_F(RoundTrip, GetBringsInstancesOverTheSameAssociation) {
    std::vector<std::size_t> sizes;
    EXPECT_EQ(io.run(get_all(address_of(node.server()), true, &sizes)), "0 3 0");
    EXPECT_EQ(sizes, (std::vector<std::size_t>{1000, 2000, 700'000}));
}

TEST_F(RoundTrip, GetWithoutTheScpRoleFailsEverySubOperation) {
    std::vector<std::size_t> sizes;
    EXPECT_EQ(io.run(get_all(address_of(node.server()), false, &sizes)), "45056 0 3");
}

Task<std::string> move_all(scu::Address address, int* progress) {
    auto client = co_await open(address, client_settings());
    if (!client) co_return client.error().context;
    dicom::DataSet identifier;
    identifier.set_text(dicom::Tag(0x0008, 0x0052), dicom::Vr::CS, "STUDY");
    scu::OnProgress on_progress = [progress](const dimse::SubOperationCounts&) { return ++*progress, true; };
    auto report = co_await (*client)->move(*dicom::Uid::parse(kStudyRootMove), identifier,
                                           *ul::AeTitle::parse("ELSEWHERE"), on_progress);
    auto released = co_await (*client)->release();
    if (!report) co_return report.error().context;
    co_return std::to_string(dimse::code(report->outcome.status)) + " " +
        std::to_string(report->counts.completed);
}

TEST_F(RoundTrip, MoveReportsProgressAndTheEnd) {
    int progress = 0;
    EXPECT_EQ(io.run(move_all(address_of(node.server()), &progress)), "0 4");
    EXPECT_EQ(progress, 4);
    EXPECT_EQ(node.last_destination, "ELSEWHERE");
}

TEST(RoundTripSmallPdus, EverythingWorksWithTheSmallestOnes) {
    ul::IoThreads io(2);
    FakeNode node(io, 64);
    auto settings = client_settings();
    settings.max_pdu_bytes = 64;
    EXPECT_EQ(io.run(store_one(address_of(node.server()), settings, pattern(10'001))), "0 ");
    EXPECT_EQ(node.stored.back(), pattern(10'001));
    std::vector<std::size_t> sizes;
    EXPECT_EQ(io.run(get_all(address_of(node.server()), true, &sizes)), "0 3 0");
}

TEST_F(RoundTrip, RefusalCarriesTheReason) {
    auto address = address_of(node.server());
    address.called = *ul::AeTitle::parse("NOBODY");
    EXPECT_EQ(io.run(echo_and_release(address)),
              "rejected permanently by service user: called AE title not recognized");
}

TEST_F(RoundTrip, StopAbortsWhatDoesNotEnd) {
    auto client = io.run(open(address_of(node.server()), client_settings()));
    ASSERT_TRUE(client);
    const auto begin = std::chrono::steady_clock::now();
    node.server().stop(50ms);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 6s);
    EXPECT_EQ(node.ended.load(), 1);
}

TEST(Connect, NobodyListeningIsAnError) {
    ul::IoThreads io(1);
    scu::Address address;
    address.called = *ul::AeTitle::parse("X");
    address.host = "127.0.0.1";
    address.port = 1;
    const auto text = io.run(echo_and_release(address));
    EXPECT_TRUE(text.starts_with("cannot connect")) << text;
}

}  // namespace
}  // namespace sagitta::net
