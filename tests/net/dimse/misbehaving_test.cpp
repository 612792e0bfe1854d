// Peers that break the rules, over real sockets: what each of them gets is Table 9-10's answer.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include "core/bytes.h"
#include "net/dimse/message.h"
#include "net/ul/pdu_codec.h"
#include "tests/net/fake_handlers.h"

namespace sagitta::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr auto kReleaseRq = "\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv;
constexpr auto kReleaseRp = "\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv;
constexpr auto kUserAbort = "\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv;
constexpr auto kUnrecognizedPdu = "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x01"sv;
constexpr auto kUnexpectedPdu = "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x02"sv;
constexpr auto kInvalidParameter = "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x06"sv;

std::string text(const ByteBuffer& bytes) {
    return std::string(as_text(bytes.span()));
}

std::string associate_rq() {
    ul::AssociateRq rq;
    rq.called = *ul::AeTitle::parse("SAGITTA");
    rq.calling = *ul::AeTitle::parse("ROGUE");
    const std::string verification(test::kVerification);
    const std::string ct(test::kCtImage);
    const std::string implicit(test::kImplicit);
    rq.contexts = {{ul::PresentationContextId{1}, verification, {implicit}},
                   {ul::PresentationContextId{3}, ct, {implicit}}};
    ByteBuffer out;
    EXPECT_TRUE(ul::encode(rq, out));
    return text(out);
}

std::string message(dimse::CommandSet command, std::string_view data = {}, int context = 1) {
    ByteBuffer out;
    dimse::encode_message(static_cast<ul::PresentationContextId>(context), command, as_bytes(data), 16384,
                          out);
    return text(out);
}

dimse::CommandSet request(std::uint16_t field, std::uint16_t id) {
    dimse::CommandSet command;
    command.field = static_cast<dimse::CommandField>(field);
    command.message_id = id;
    command.affected_sop_class_uid = dicom::Uid::parse(test::kVerification);
    return command;
}

/// A blocking socket that says what it is told to.
class Peer {
public:
    explicit Peer(std::uint16_t port) : socket_(context_) {
        socket_.connect({asio::ip::make_address("127.0.0.1"), port});
    }
    void say(std::string_view bytes) {
        std::error_code ignored;
        asio::write(socket_, asio::buffer(bytes), ignored);
    }
    /// The next PDU, header included; "" at the end of the stream.
    std::string hear() {
        std::string pdu(6, '\0');
        if (!read(pdu.data(), 6)) return "";
        const auto length = load_be<std::uint32_t>(as_bytes(pdu).data() + 2);
        pdu.resize(6 + length);
        return read(pdu.data() + 6, length) ? pdu : "";
    }
    void associate() {
        say(associate_rq());
        EXPECT_EQ(hear().substr(0, 1), "\x02");
    }
    /// The status of the next response.
    int hear_status() {
        const std::string pdu = hear();
        if (pdu.size() < 12 || pdu[0] != 4) return -1;
        auto command = dimse::decode_command_set(as_bytes(std::string_view(pdu).substr(12)));
        return command && command->status ? dimse::code(*command->status) : -2;
    }
    void vanish() {
        std::error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

private:
    bool read(char* at, std::size_t size) {
        std::size_t have = 0;
        while (have < size) {
            std::error_code ec;
            have += socket_.read_some(asio::buffer(at + have, size - have), ec);
            if (ec) return false;
        }
        return true;
    }
    asio::io_context context_;
    asio::ip::tcp::socket socket_;
};

struct Misbehaving : testing::Test {
    ul::IoThreads io{1};
    test::FakeNode node{io, 4096, 300ms};
    Peer peer{node.server().port()};
};

TEST_F(Misbehaving, SilentPeerIsClosedWhenArtimExpires) {
    EXPECT_EQ(peer.hear(), "");
}

TEST_F(Misbehaving, GarbageBeforeTheRequestIsAborted) {
    peer.say("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(peer.hear(), kUserAbort);  // AA-1
    peer.say("more garbage");
    EXPECT_EQ(peer.hear(), "");
}

TEST_F(Misbehaving, DataBeforeTheRequestIsAborted) {
    peer.say(message(request(0x30, 1)));
    EXPECT_EQ(peer.hear(), kUserAbort);  // AA-1
}

TEST_F(Misbehaving, ByteByByteWorks) {
    for (const char c : associate_rq() + message(request(0x30, 1)) + std::string(kReleaseRq))
        peer.say(std::string_view(&c, 1));
    EXPECT_EQ(peer.hear().substr(0, 1), "\x02");
    EXPECT_EQ(peer.hear_status(), 0);
    EXPECT_EQ(peer.hear(), kReleaseRp);
}

TEST_F(Misbehaving, BurstBeforeOurAnswerWorks) {
    std::string burst = associate_rq();
    for (std::uint16_t id = 1; id <= 100; ++id) burst += message(request(0x30, id));
    peer.say(burst + std::string(kReleaseRq));
    EXPECT_EQ(peer.hear().substr(0, 1), "\x02");
    for (int i = 0; i < 100; ++i) EXPECT_EQ(peer.hear_status(), 0);
    EXPECT_EQ(peer.hear(), kReleaseRp);
}

TEST_F(Misbehaving, SecondRequestIsUnexpected) {
    peer.associate();
    peer.say(associate_rq());
    EXPECT_EQ(peer.hear(), kUnexpectedPdu);  // AA-8
    peer.say(associate_rq());
    EXPECT_EQ(peer.hear(), kUnexpectedPdu);  // AA-7 in Sta13
    EXPECT_EQ(peer.hear(), "");              // ARTIM
}

TEST_F(Misbehaving, UnknownPduTypeIsUnrecognized) {
    peer.associate();
    peer.say("\x42\x00\x00\x00\x00\x00"sv);
    EXPECT_EQ(peer.hear(), kUnrecognizedPdu);
}

TEST_F(Misbehaving, LengthBeyondWhatWeAnnouncedIsInvalid) {
    peer.associate();
    peer.say("\x04\x00\x00\x00\x10\x01"sv);  // 4097 bytes to come
    EXPECT_EQ(peer.hear(), kInvalidParameter);
}

TEST_F(Misbehaving, ContextThatWasNotAcceptedIsInvalid) {
    peer.associate();
    peer.say(message(request(0x30, 1), {}, 9));
    EXPECT_EQ(peer.hear(), kInvalidParameter);
}

TEST_F(Misbehaving, ResponseToNothingIsInvalid) {
    peer.associate();
    auto response = request(0x8030, 1);
    response.status = dimse::Status::success;
    response.responded_message_id = std::uint16_t{1};
    peer.say(message(response));
    EXPECT_EQ(peer.hear(), kInvalidParameter);
}

TEST_F(Misbehaving, UnknownOperationsAreAnswered) {
    peer.associate();
    peer.say(message(request(0x0150, 1)));  // N-DELETE-RQ's neighbour
    EXPECT_EQ(peer.hear_status(), 0x0211);
    auto store = request(0x0001, 2);
    store.has_data_set = true;
    peer.say(message(store, "xx"));  // C-STORE in a verification context
    EXPECT_EQ(peer.hear_status(), 0x0122);
    peer.say(message(store, "xx", 3));  // SOP class is not the context's
    EXPECT_EQ(peer.hear_status(), 0xa900);
    store.affected_sop_class_uid = dicom::Uid::parse(test::kCtImage);
    peer.say(message(store, "xx", 3));  // no instance UID
    EXPECT_EQ(peer.hear_status(), 0x0117);
    peer.say(message(request(0x30, 3)));
    EXPECT_EQ(peer.hear_status(), 0);
}

TEST_F(Misbehaving, IdlePeerIsAborted) {
    peer.associate();
    EXPECT_EQ(peer.hear(), kUserAbort);
    EXPECT_EQ(peer.hear(), "");
}

TEST_F(Misbehaving, SlowBytesInsideAPduDoNotKeepItOpen) {
    peer.associate();
    peer.say("\x04\x00\x00\x00\x00\x20\x00\x00\x00\x1c\x01\x01"sv);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 12; ++i) {
        peer.say("z");
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_EQ(peer.hear(), kUserAbort);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(Misbehaving, ReleaseAnswerNobodyAskedForIsUnexpected) {
    peer.associate();
    peer.say(kReleaseRp);
    EXPECT_EQ(peer.hear(), kUnexpectedPdu);
}

TEST_F(Misbehaving, VanishingAnywhereLeavesNothingBehind) {
    const std::string all = associate_rq() + message(request(0x30, 1));
    for (std::size_t size = 0; size < all.size(); size += 13) {
        Peer rogue(node.server().port());
        rogue.say(std::string_view(all).substr(0, size));
        rogue.vanish();
    }
    peer.vanish();
    for (int i = 0; i < 500 && node.server().associations() != 0; ++i) std::this_thread::sleep_for(2ms);
    EXPECT_EQ(node.server().associations(), 0u);
}

TEST_F(Misbehaving, UnsupportedProtocolVersionIsRejectedByTheProvider) {
    std::string rq = associate_rq();
    rq[7] = 2;
    peer.say(rq);
    EXPECT_EQ(peer.hear(), "\x03\x00\x00\x00\x00\x04\x00\x01\x02\x02"sv);
    EXPECT_EQ(peer.hear(), "");
}

TEST_F(Misbehaving, FloodAfterAbortIsDiscarded) {
    peer.associate();
    peer.say("\x42\x00\x00\x00\x00\x00"sv);
    for (int i = 0; i < 100; ++i) peer.say(std::string(10'000, '\x01'));
    EXPECT_EQ(peer.hear(), kUnrecognizedPdu);
    EXPECT_EQ(peer.hear(), "");
}

}  // namespace
}  // namespace sagitta::net
