#include "net/ul/tcp_association.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include "core/log.h"
#include "net/ul/io_threads.h"

namespace sagitta::net::ul {

namespace {

constexpr std::size_t kReadBytes = 512 * 1024;
constexpr std::size_t kKeptBufferBytes = 64 * 1024;
/// One buffer a thread: what is read is used up, or copied aside, before anything else runs.
std::span<std::byte> read_buffer() {
    thread_local ByteBuffer buffer;
    return buffer.prepare(kReadBytes);
}

/// Delayed acknowledgement makes peers that leave Nagle on wait 40 ms; the kernel forgets this
/// option, so it is set again after every read.
void acknowledge_quickly(asio::ip::tcp::socket& socket) {
    const int on = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/// Memory of a large transfer is not kept while the association idles.
void empty(ByteBuffer& buffer) {
    if (buffer.capacity() > kKeptBufferBytes)
        buffer = ByteBuffer();
    else
        buffer.clear();
}

/// Of one system call; the socket takes what it has room for.
constexpr std::size_t kWriteBytes = 1024 * 1024;
/// So much is copied behind what waits already and leaves with it.
constexpr std::size_t kCopiedBytes = 16 * 1024;

/// Everything is to be written, and `total` grows as it is.
auto counting(std::uint64_t& total) {
    return [&total, before = total](const std::error_code& ec, std::size_t count) {
        total = before + count;
        return ec ? 0 : kWriteBytes;
    };
}

}  // namespace

// ---- reading

bool TcpAssociation::must_pause() const {
    const bool open = state_ >= State::Sta6_Established && state_ < State::Sta13_AwaitClose;
    return open && !discarding_ && !user_->wants_more();
}

/// What is answered meanwhile leaves together.
void TcpAssociation::consume(std::span<const std::byte> input) {
    consuming_ = true;
    take_all(input);
    if (const auto user = user_) user->all_taken();
    consuming_ = false;
    start_write();
}

void TcpAssociation::take_all(std::span<const std::byte> input) {
    while (state_ != State::Sta1_Idle && !discarding_) {
        if (must_pause()) {
            stash_.append(input);
            return;
        }
        const auto item = reader_.next(input);
        if (!item) return;
        take(*item);
    }
}

/// User and association hold each other. Whoever drives the association owns one of these and so
/// parts them at its end, also when that is the event loop being destroyed under a waiting coroutine.
class TcpAssociation::UserHold {
public:
    explicit UserHold(std::shared_ptr<TcpAssociation> association) : association_(std::move(association)) {}
    UserHold(UserHold&&) = default;
    UserHold& operator=(UserHold&&) = delete;
    ~UserHold() { let_go(); }

    void let_go() {
        if (association_) std::exchange(association_->user_, nullptr).reset();
    }

private:
    std::shared_ptr<TcpAssociation> association_;
};

/// Whether the peer may hold back what it sends next until this is acknowledged.
bool TcpAssociation::is_owed_more(std::size_t count) const {
    if (!socket_.is_open() || !user_) return false;
    if (tls_) return true;  // a part of a record may have come
    return count != 0 && (inside_message_ || reader_.inside_pdu() || user_->may_get_more());
}

Task<void> TcpAssociation::read_loop(UserHold hold) {
    const auto self = shared_from_this();
    while (state_ != State::Sta1_Idle) {
        if (must_pause()) {
            stop_watching_incoming();
            co_await resumed_.wait();
            continue;
        }
        if (!stash_.empty()) {
            const ByteBuffer waiting = std::exchange(stash_, ByteBuffer());
            consume(waiting.span());
            watch_incoming(0);
            continue;
        }
        std::error_code ec;
        const auto buffer = read_buffer();
        const std::size_t count = tls_ ? tls_->read_some(buffer, ec)
                                       : socket_.read_some(asio::buffer(buffer.data(), buffer.size()), ec);
        if (count != 0) {
            if (observer_) observer_->received({buffer.data(), count});
            consume({buffer.data(), count});
            watch_incoming(count);
        }
        if (is_owed_more(count)) acknowledge_quickly(socket_);
        if (!stash_.empty()) continue;
        if (ec == asio::error::would_block || ec == asio::error::try_again ||
            (!ec && count < buffer.size())) {
            if (!socket_.is_open()) break;
            auto ready = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, no_throw);
            auto& [failed] = ready;
            ec = failed;
        } else if (!ec) {
            co_await asio::post(executor_, asio::use_awaitable);  // others have data too
        }
        if (ec && ec != asio::error::would_block && ec != asio::error::try_again) {
            if (state_ != State::Sta1_Idle) apply(Event::Evt17_TransportClosed);
            break;
        }
    }
    hold.let_go();
    if (at_end_) std::exchange(at_end_, nullptr)();
}

void TcpAssociation::resume() {
    resumed_.notify();
}

// ---- writing

void TcpAssociation::start_write() {
    if (writing_ || out_.empty() || !socket_.is_open()) return;
    std::swap(out_, in_flight_);
    observe_sent(std::as_const(in_flight_).span());
    const auto left =
        tls_ ? std::as_const(in_flight_).span() : send_at_once(std::as_const(in_flight_).span());
    if (left.empty()) {
        empty(in_flight_);
        return wrote_.notify();
    }
    begin_write();
    if (tls_) return spawn_on(executor_, [self = shared_from_this()] { return self->write_waiting(); });
    asio::async_write(
        socket_, asio::buffer(left.data(), left.size()), counting(sent_bytes_),
        [self = shared_from_this()](std::error_code ec, std::size_t) { self->written(bool(ec)); });
}

/// What the socket has no room for is left; so is everything after an error, which the next write meets, too.
std::span<const std::byte> TcpAssociation::send_at_once(std::span<const std::byte> bytes) {
    const auto sent =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return bytes;
    sent_bytes_ += static_cast<std::uint64_t>(sent);
    return bytes.subspan(static_cast<std::size_t>(sent));
}

/// What start_write does where encryption comes in between.
Task<void> TcpAssociation::write_waiting() {
    const auto self = shared_from_this();
    const asio::const_buffer waiting(in_flight_.data(), in_flight_.size());
    const std::span<const asio::const_buffer> buffers(&waiting, 1);
    const auto ec = co_await tls_->write(buffers);
    written(bool(ec));
}

void TcpAssociation::written(bool failed) {
    writing_ = false;
    write_due_ = kNever;
    const auto now = std::chrono::steady_clock::now();
    outgoing_.moved(total_sent() - sent_at_begin_);
    outgoing_.end(now);
    if (outgoing_.is_too_slow(now) && !end_) {
        end_with(EndKind::connection_lost, Error(Errc::timeout, "the peer reads too slowly"));
        return close_now();
    }
    empty(in_flight_);
    // A failed write is not yet the end: the peer's last PDUs may still be waiting to be read.
    if (failed && socket_.is_open() && state_ != State::Sta1_Idle) {
        std::error_code ignored;
        out_.clear();
        socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    }
    if (!failed) start_write();
    wrote_.notify();
}

void TcpAssociation::write_soon(std::span<const std::byte> pdus) {
    if (!may_send_data()) return;
    out_.append(pdus);
    if (writing_ || flush_posted_ || consuming_) return;
    flush_posted_ = true;
    asio::post(executor_, [self = shared_from_this()] {
        self->flush_posted_ = false;
        self->start_write();
    });
}

Task<Result<void>> TcpAssociation::drain(std::size_t max_bytes) {
    const auto self = shared_from_this();
    while (!end_ && waiting_bytes() >= max_bytes) {
        start_write();
        if (!writing_) break;
        co_await wrote_.wait();
    }
    if (end_) co_return end_error();
    co_return Result<void>();
}

Task<Result<void>> TcpAssociation::write(std::span<const std::span<const std::byte>> pieces) {
    const auto self = shared_from_this();
    std::size_t bytes = 0;
    for (const auto piece : pieces) bytes += piece.size();
    if (bytes <= kCopiedBytes) {
        if (!may_send_data()) co_return end_error();
        for (const auto piece : pieces) out_.append(piece);
        start_write();
        while (writing_ && !end_) co_await wrote_.wait();
        if (end_) co_return end_error();
        if (expect_within_ != Duration::zero()) expect_data(expect_within_);
        co_return Result<void>();
    }
    while (writing_ && !end_) co_await wrote_.wait();
    if (!may_send_data()) co_return end_error();
    std::swap(out_, in_flight_);
    observe_sent(std::as_const(in_flight_).span());
    for (const auto piece : pieces) observe_sent(piece);
    begin_write();
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(pieces.size() + 1);
    if (!in_flight_.empty()) buffers.emplace_back(in_flight_.data(), in_flight_.size());
    for (const auto piece : pieces) buffers.emplace_back(piece.data(), piece.size());
    bool failed = false;
    if (tls_) {
        failed = bool(co_await tls_->write(buffers));
    } else {
        auto done = co_await asio::async_write(socket_, buffers, counting(sent_bytes_), no_throw);
        failed = bool(std::get<0>(done));
    }
    written(failed);
    if (end_) co_return end_error();
    if (failed) co_return Error(Errc::connection_lost, "writing to the peer failed");
    if (expect_within_ != Duration::zero()) expect_data(expect_within_);
    co_return Result<void>();
}

// ---- coming into being

void TcpAssociation::note_peer_address(const asio::ip::tcp::endpoint& peer) {
    auto address = peer.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    peer_address_ = host + ":" + std::to_string(peer.port());
    if (observer_) observer_->connected(peer_address_);
}

Task<void> TcpAssociation::run_acceptor(asio::ip::tcp::endpoint peer) {
    const auto self = shared_from_this();
    std::error_code ec;
    socket_.non_blocking(true, ec);
    note_peer_address(peer);
    UserHold hold(self);
    apply(Event::Evt5_TransportIndication);
    if (tls_) co_await shake_hands();
    co_await read_loop(std::move(hold));
}

/// ARTIM, or the time to connect, goes on meanwhile; when either is over the state is Sta1.
Task<void> TcpAssociation::shake_hands() {
    const auto self = shared_from_this();
    const State before = state_;
    auto done = co_await tls_->handshake();
    if (state_ != before) co_return;
    if (done) {
        if (role_ == Role::requestor) co_return;
        const auto& peer = tls_->peer();
        log::info("association={} peer={} {} {} certificate={}", id_, peer_address_, peer.version, peer.suite,
                  peer.has_certificate() ? peer.fingerprint : "none");
        co_return;
    }
    const auto kind = done.error().code == Errc::refused ? EndKind::rejected : EndKind::connection_lost;
    end_with(kind, std::move(done).error());
    apply(Event::Evt17_TransportClosed);
}

void TcpAssociation::use_tls(std::shared_ptr<const TlsContext> context, const std::string& host,
                             const std::string& identity) {
    tls_ = std::make_unique<TlsStream>(socket_, std::move(context), role_);
    tls_->expect(host, identity);
}

const TlsPeer* TcpAssociation::tls_peer() const {
    return tls_ ? &tls_->peer() : nullptr;
}

/// Looking up a name cannot be interrupted, so it is left behind when the time is up.
Task<std::vector<asio::ip::tcp::endpoint>> TcpAssociation::resolve(std::string host, std::uint16_t port) {
    struct Lookup {
        explicit Lookup(const asio::any_io_executor& executor) : resolver(executor) {}
        asio::ip::tcp::resolver resolver;
        std::vector<asio::ip::tcp::endpoint> endpoints;
        bool done = false;
    };
    const auto lookup = std::make_shared<Lookup>(executor_);
    auto take = [self = shared_from_this(), lookup](std::error_code,
                                                    const asio::ip::tcp::resolver::results_type& results) {
        for (const auto& entry : results) lookup->endpoints.push_back(entry.endpoint());
        lookup->done = true;
        self->changed_.notify();
    };
    lookup->resolver.async_resolve(host, std::to_string(port), std::move(take));
    while (!lookup->done && !end_) co_await changed_.wait();
    co_return lookup->endpoints;
}

/// Leaves Sta4 by Evt2 or Evt17; a timeout has closed the socket by then.
Task<void> TcpAssociation::connect_transport(std::string host, std::uint16_t port) {
    std::error_code ec;
    std::vector<asio::ip::tcp::endpoint> endpoints;
    const auto number = asio::ip::make_address(host, ec);
    if (!ec) {
        endpoints.emplace_back(number, port);
    } else {
        auto found = co_await resolve(std::move(host), port);
        if (state_ != State::Sta4_AwaitTransportOpen) co_return;
        if (found.empty()) {
            end_with(EndKind::connection_lost, Error(Errc::not_found, "cannot resolve the host name"));
            apply(Event::Evt17_TransportClosed);
            co_return;
        }
        endpoints = std::move(found);
    }
    auto connected = co_await asio::async_connect(socket_, endpoints, no_throw);
    auto& [failed, endpoint] = connected;
    if (state_ != State::Sta4_AwaitTransportOpen) co_return;
    if (failed) {
        end_with(EndKind::connection_lost,
                 Error(Errc::connection_lost, "cannot connect: " + failed.message()));
        apply(Event::Evt17_TransportClosed);
        co_return;
    }
    socket_.set_option(asio::ip::tcp::no_delay(true), ec);
    socket_.non_blocking(true, ec);
    note_peer_address(endpoint);
    if (tls_) co_await shake_hands();
    if (state_ != State::Sta4_AwaitTransportOpen) co_return;
    apply(Event::Evt2_TransportConfirmed);
}

Task<Result<void>> TcpAssociation::open(std::string host, std::uint16_t port, AssociateRq request) {
    const auto self = shared_from_this();
    UserHold hold(self);
    request_ = std::move(request);
    ByteBuffer probe;
    if (auto fits = encode(request_, probe); !fits) co_return std::move(fits).error();
    apply(Event::Evt1_AssociateRequest);
    set_deadline(answer_due_, settings_.connect_timeout);
    co_await connect_transport(std::move(host), port);
    if (state_ == State::Sta1_Idle) co_return end_error();
    auto reader = [self, held = std::move(hold)]() mutable { return self->read_loop(std::move(held)); };
    asio::co_spawn(executor_, std::move(reader), report_exception);
    while (!end_ && !was_established_) co_await changed_.wait();
    if (end_) co_return end_error();
    co_return Result<void>();
}

}  // namespace sagitta::net::ul
