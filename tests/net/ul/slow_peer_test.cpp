// Peers that connect and say nothing, or say it, or listen, a byte at a time.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include "core/bytes.h"
#include "net/ul/listener.h"
#include "net/ul/pdu_codec.h"

namespace sagitta::net::ul {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 20s;

AssociateRq a_request() {
    AssociateRq request;
    request.called = *AeTitle::parse("SAGITTA");
    request.calling = *AeTitle::parse("SLOW");
    ProposedPresentationContext context;
    context.id = PresentationContextId{1};
    context.abstract_syntax = "1.2.840.10008.1.1";
    context.transfer_syntaxes = {"1.2.840.10008.1.2"};
    request.contexts = {context};
    request.user.max_pdu_bytes = 16384;
    request.user.implementation_class_uid = "2.25.1";
    return request;
}

/// How the first association that was asked for ended.
struct Ending {
    std::promise<End> promise;
    std::atomic<bool> told{false};
};

/// Accepts everything; sends `to_send` bytes of a message as soon as it can.
class Taker final : public AssociationUser {
public:
    Taker(std::shared_ptr<Association> association, std::size_t to_send, Ending& end)
        : association_(std::move(association)), to_send_(to_send), end_(end) {}

    std::variant<Negotiated, Rejection> decide(const AssociateRq& request) override {
        return negotiate(request, NegotiationPolicy());
    }
    void established() override {
        if (to_send_ == 0) return;
        association_->expect_data(Duration::zero());
        auto task = [association = association_, left = to_send_]() mutable -> Task<void> {
            const ByteBuffer value = pdata(16000);
            while (left > value.size()) {
                const std::span<const std::byte> piece = value.span();
                const std::span<const std::span<const std::byte>> pieces(&piece, 1);
                auto written = co_await association->write(pieces);
                if (!written) co_return;
                left -= value.size();
            }
        };
        spawn_on(association_->executor(), std::move(task));
    }
    Result<void> received(const Pdv&) override { return {}; }
    bool wants_more() const override { return true; }
    void release_requested() override { association_->confirm_release(); }
    void ended(const End& end) override {
        if (!association_->request().contexts.empty() && !end_.told.exchange(true))
            end_.promise.set_value(end);
    }

    /// A P-DATA-TF with one fragment, not the last, of `bytes`.
    static ByteBuffer pdata(std::uint32_t bytes) {
        ByteBuffer pdu;
        auto room = pdu.prepare(12 + bytes);
        std::fill(room.begin(), room.end(), std::byte{0});
        room[0] = std::byte{4};
        store_be<std::uint32_t>(room.data() + 2, bytes + 6);
        store_be<std::uint32_t>(room.data() + 6, bytes + 2);
        room[10] = std::byte{1};
        pdu.commit(12 + bytes);
        return pdu;
    }

private:
    std::shared_ptr<Association> association_;
    std::size_t to_send_;
    Ending& end_;
};

class SlowPeer : public testing::Test {
protected:
    SlowPeer() {
        settings.port = 0;
        settings.association.artim_timeout = 10s;
        settings.association.idle_timeout = 10s;
        settings.association.write_timeout = 300ms;
        settings.association.min_bytes_per_second = 1000;
        settings.association.rate_window = 300ms;
    }

    void listen(std::size_t to_send = 0) {
        listener =
            std::make_unique<Listener>(io, settings, [this, to_send](std::shared_ptr<Association> made) {
                return std::make_shared<Taker>(std::move(made), to_send, end);
            });
        ASSERT_TRUE(listener->start());
    }

    asio::ip::tcp::socket connected() {
        asio::ip::tcp::socket socket(context);
        socket.connect({asio::ip::make_address("127.0.0.1"), listener->port()});
        return socket;
    }

    /// The type of the PDU that answers.
    static int ask(asio::ip::tcp::socket& socket) {
        ByteBuffer pdu;
        EXPECT_TRUE(encode(a_request(), pdu));
        asio::write(socket, asio::buffer(pdu.data(), pdu.size()));
        return answer(socket);
    }

    /// The type of the next PDU; 0: closed.
    static int answer(asio::ip::tcp::socket& socket) {
        std::array<std::byte, 6> head{};
        std::error_code ec;
        asio::read(socket, asio::buffer(head), ec);
        if (ec) return 0;
        std::vector<std::byte> body(load_be<std::uint32_t>(head.data() + 2));
        asio::read(socket, asio::buffer(body), ec);
        return ec ? 0 : static_cast<int>(head[0]);
    }

    /// Sends `bytes` in pieces, a pause before each, until there is an answer. How long it took.
    static Clock::duration trickle(asio::ip::tcp::socket& socket, std::span<const std::byte> bytes,
                                   std::size_t piece, Clock::duration pause) {
        const auto start = Clock::now();
        std::error_code ec;
        while (!bytes.empty() && !ec && socket.available(ec) == 0 && Clock::now() - start < kPatience) {
            std::this_thread::sleep_for(pause);
            const auto next = bytes.first(std::min(piece, bytes.size()));
            asio::write(socket, asio::buffer(next.data(), next.size()), ec);
            bytes = bytes.subspan(next.size());
        }
        return Clock::now() - start;
    }

    ListenerSettings settings;
    Ending end;
    asio::io_context context;
    IoThreads io{1};
    std::unique_ptr<Listener> listener;
};

TEST_F(SlowPeer, HalfARequestLastsNoLongerThanArtim) {
    settings.association.artim_timeout = 300ms;
    listen();
    auto socket = connected();
    ByteBuffer pdu;
    ASSERT_TRUE(encode(a_request(), pdu));
    EXPECT_LT(trickle(socket, pdu.span().first(pdu.size() - 1), 1, 20ms), 3s);
    EXPECT_EQ(answer(socket), 0);
}

TEST_F(SlowPeer, APduThatTricklesIsAborted) {
    listen();
    auto socket = connected();
    ASSERT_EQ(ask(socket), 2);
    const ByteBuffer pdu = Taker::pdata(16000);
    EXPECT_LT(trickle(socket, pdu.span(), 1, 10ms), 5s);
    EXPECT_EQ(answer(socket), 7);
    EXPECT_EQ(end.promise.get_future().get().error.code, Errc::timeout);
}

TEST_F(SlowPeer, AMessageOfManySmallPdusIsAborted) {
    listen();
    auto socket = connected();
    ASSERT_EQ(ask(socket), 2);
    ByteBuffer pdus;
    for (int n = 0; n < 500; ++n) pdus.append(Taker::pdata(2).span());
    EXPECT_LT(trickle(socket, pdus.span(), 14, 20ms), 5s);
    EXPECT_EQ(answer(socket), 7);
}

TEST_F(SlowPeer, SlowButFastEnoughOutlastsTheIdleTime) {
    settings.association.idle_timeout = 300ms;
    listen();
    auto socket = connected();
    ASSERT_EQ(ask(socket), 2);
    const ByteBuffer pdu = Taker::pdata(16000);
    EXPECT_GT(trickle(socket, pdu.span(), 400, 25ms), 900ms);
    EXPECT_EQ(socket.available(), 0u);
    EXPECT_EQ(answer(socket), 7);  // now it says nothing, and the idle time is over
}

TEST_F(SlowPeer, WithoutARateTheIdleTimeStillEndsAPdu) {
    settings.association.min_bytes_per_second = 0;
    settings.association.idle_timeout = 300ms;
    listen();
    auto socket = connected();
    ASSERT_EQ(ask(socket), 2);
    const ByteBuffer pdu = Taker::pdata(16000);
    EXPECT_LT(trickle(socket, pdu.span(), 1, 10ms), 5s);
    EXPECT_EQ(answer(socket), 7);
}

TEST_F(SlowPeer, WhoReadsNothingIsLeft) {
    listen(256 << 20);
    auto socket = connected();
    ASSERT_EQ(ask(socket), 2);
    auto ended = end.promise.get_future();
    ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(ended.get().error.code, Errc::timeout);
}

TEST_F(SlowPeer, WhoReadsAByteAtATimeIsLeft) {
    listen(256 << 20);
    auto socket = connected();
    ASSERT_EQ(ask(socket), 2);
    auto ended = end.promise.get_future();
    std::array<std::byte, 1> byte{};
    const auto start = Clock::now();
    while (ended.wait_for(20ms) != std::future_status::ready && Clock::now() - start < kPatience)
        asio::read(socket, asio::buffer(byte));
    ASSERT_EQ(ended.wait_for(0s), std::future_status::ready);
    EXPECT_EQ(ended.get().error.code, Errc::timeout);
}

TEST_F(SlowPeer, TheSilentMakeRoomForThoseWhoCome) {
    settings.max_silent_connections = 4;
    settings.max_associations = 1;
    listen();
    std::vector<asio::ip::tcp::socket> silent;
    for (int n = 0; n < 20; ++n) silent.push_back(connected());
    auto socket = connected();
    EXPECT_EQ(ask(socket), 2);
    EXPECT_EQ(answer(silent.front()), 0);
    auto second = connected();
    EXPECT_EQ(ask(second), 3) << "one association is the limit";
}

TEST_F(SlowPeer, ManyWhoComeTogetherAllGetTheirSay) {
    settings.max_silent_connections = 4;
    settings.silent_grace = 60s;
    listen();
    std::vector<asio::ip::tcp::socket> sockets;
    for (int n = 0; n < 32; ++n) sockets.push_back(connected());
    for (auto& socket : sockets) EXPECT_EQ(ask(socket), 2);
}

TEST_F(SlowPeer, TheSilentAreClosedAtOnceWhenThereAreFarTooMany) {
    settings.max_silent_connections = 4;
    settings.silent_grace = 60s;
    listen();
    std::vector<asio::ip::tcp::socket> silent;
    for (int n = 0; n < 40; ++n) silent.push_back(connected());
    auto socket = connected();
    EXPECT_EQ(ask(socket), 2);
    EXPECT_EQ(answer(silent.front()), 0);
}

}  // namespace
}  // namespace sagitta::net::ul
