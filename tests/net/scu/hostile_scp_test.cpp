// The client against servers that break the rules: every call ends with an error, none hangs.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include "core/bytes.h"
#include "net/dimse/message.h"
#include "net/scu/client.h"
#include "net/ul/io_threads.h"
#include "net/ul/pdu_codec.h"
#include "tests/net/fake_handlers.h"

namespace sagitta::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

/// One connection, blocking, in a thread of its own; does what the script says, then waits for the
/// client to close.
class HostileScp {
public:
    using Script = std::function<void(HostileScp&)>;

    explicit HostileScp(Script script)
        : acceptor_(context_, {asio::ip::make_address("127.0.0.1"), 0}), socket_(context_) {
        thread_ = std::thread([this, run = std::move(script)] {
            acceptor_.accept(socket_);
            run(*this);
            while (!hear().empty()) continue;
        });
    }
    ~HostileScp() { thread_.join(); }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void say(std::string_view bytes) {
        std::error_code ignored;
        asio::write(socket_, asio::buffer(bytes), ignored);
    }
    std::string hear() {
        std::string pdu(6, '\0');
        std::error_code ec;
        asio::read(socket_, asio::buffer(pdu), ec);
        if (ec) return "";
        pdu.resize(6 + load_be<std::uint32_t>(as_bytes(pdu).data() + 2));
        asio::read(socket_, asio::buffer(pdu.data() + 6, pdu.size() - 6), ec);
        return ec ? "" : pdu;
    }
    /// Accepts the first context as verification in implicit VR.
    void accept() {
        hear();
        ul::AssociateAc ac;
        ac.contexts = {
            {ul::PresentationContextId{1}, ul::ContextResult::acceptance, std::string(test::kImplicit)}};
        ac.user.max_pdu_bytes = 4096;
        ByteBuffer out;
        EXPECT_TRUE(ul::encode(ac, out));
        say(as_text(out.span()));
    }
    void respond(std::uint16_t field, std::uint16_t message_id) {
        dimse::CommandSet command;
        command.field = static_cast<dimse::CommandField>(field);
        command.responded_message_id = message_id;
        command.status = dimse::Status::success;
        ByteBuffer out;
        dimse::encode_message(ul::PresentationContextId{1}, command, {}, 4096, out);
        say(as_text(out.span()));
    }

private:
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_;
    asio::ip::tcp::socket socket_;
    std::thread thread_;
};

/// Associate, echo, release; the first thing that went wrong, or "fine".
Task<std::string> talk(std::uint16_t port) {
    scu::Address address;
    address.called = *ul::AeTitle::parse("HOSTILE");
    address.host = "127.0.0.1";
    address.port = port;
    scu::ClientSettings settings;
    settings.calling = *ul::AeTitle::parse("TESTER");
    settings.response_timeout = 200ms;
    settings.association.artim_timeout = 200ms;
    scu::WantedContext wish;
    wish.sop_class_uid = test::kVerification;
    wish.transfer_syntaxes = {std::string(test::kImplicit)};
    std::vector<scu::WantedContext> wanted{wish};
    auto client = co_await scu::Client::open(address, settings, std::move(wanted));
    if (!client) co_return "open " + std::string(to_string(client.error().code));
    auto outcome = co_await (*client)->echo();
    if (!outcome) co_return "echo " + std::string(to_string(outcome.error().code));
    auto released = co_await (*client)->release();
    if (!released) co_return "release " + std::string(to_string(released.error().code));
    co_return "fine";
}

std::string against(HostileScp::Script script) {
    ul::IoThreads io(1);
    std::string answer;
    {
        HostileScp scp(std::move(script));
        answer = io.run(talk(scp.port()));
    }
    return answer;
}

TEST(HostileScp, HonestOneIsFine) {
    EXPECT_EQ(against([](HostileScp& scp) {
                  scp.accept();
                  scp.hear();
                  scp.respond(0x8030, 1);
                  scp.hear();
                  scp.say("\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv);
              }),
              "fine");
}

TEST(HostileScp, SilenceAfterTheRequestTimesOut) {
    EXPECT_EQ(against([](HostileScp&) {}), "open timeout");
}

TEST(HostileScp, GarbageInsteadOfAnAnswerIsAnError) {
    EXPECT_EQ(against([](HostileScp& scp) { scp.say("HTTP/1.0 400 Bad Request"); }), "open protocol_error");
}

TEST(HostileScp, SilenceInsteadOfAResponseTimesOut) {
    EXPECT_EQ(against([](HostileScp& scp) { scp.accept(); }), "echo timeout");
}

TEST(HostileScp, ResponseToAnotherMessageIsAnError) {
    EXPECT_EQ(against([](HostileScp& scp) {
                  scp.accept();
                  scp.hear();
                  scp.respond(0x8030, 77);
              }),
              "echo protocol_error");
    EXPECT_EQ(against([](HostileScp& scp) {
                  scp.accept();
                  scp.hear();
                  scp.respond(0x8001, 1);
              }),
              "echo protocol_error");
}

TEST(HostileScp, AbortInsteadOfAResponseIsAnError) {
    EXPECT_EQ(against([](HostileScp& scp) {
                  scp.accept();
                  scp.hear();
                  scp.say("\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv);
              }),
              "echo connection_lost");
}

TEST(HostileScp, ReleaseCollisionEndsInRelease) {
    EXPECT_EQ(against([](HostileScp& scp) {
                  scp.accept();
                  scp.hear();
                  scp.respond(0x8030, 1);
                  scp.hear();                                             // A-RELEASE-RQ
                  scp.say("\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv);  // and ours
                  EXPECT_EQ(scp.hear().substr(0, 1), "\x06");             // AR-9
                  scp.say("\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv);
              }),
              "fine");
}

TEST(HostileScp, NoAnswerToReleaseTimesOut) {
    EXPECT_EQ(against([](HostileScp& scp) {
                  scp.accept();
                  scp.hear();
                  scp.respond(0x8030, 1);
              }),
              "release timeout");
}

TEST(Proposal, KeepsWithin128ContextsAndMergesDuplicates) {
    std::vector<scu::WantedContext> wanted;
    for (int i = 0; i < 100; ++i) {
        scu::WantedContext wish;
        wish.sop_class_uid = "1.2." + std::to_string(i % 90);
        wish.transfer_syntaxes = {"1.1", "1.2"};
        wanted.push_back(wish);
    }
    const auto contexts = scu::propose(wanted);
    ASSERT_EQ(contexts.size(), 128u);  // 38 classes apart, 52 sharing
    EXPECT_EQ(contexts.front().transfer_syntaxes.size(), 1u);
    EXPECT_EQ(contexts.back().transfer_syntaxes.size(), 2u);
    EXPECT_EQ(contexts.back().id, ul::PresentationContextId{255});
}

}  // namespace
}  // namespace sagitta::net
