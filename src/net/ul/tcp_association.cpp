#include "net/ul/tcp_association.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <type_traits>
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
/// Even when the peer takes PDUs of any length, ours stay moderate.
constexpr std::uint32_t kMaxOutgoingPduBytes = 256 * 1024;
/// In Sta13 a flooding peer gets no more answers than this.
constexpr std::size_t kMaxWaitingInSta13 = 1024;

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

}  // namespace

TcpAssociation::TcpAssociation(asio::ip::tcp::socket socket, Role role, AssociationSettings settings,
                               std::uint32_t max_pdu_bytes, std::uint64_t id)
    : socket_(std::move(socket)),
      executor_(socket_.get_executor()),
      timer_(executor_),
      role_(role),
      settings_(settings),
      id_(id),
      max_incoming_pdu_bytes_(max_pdu_bytes),
      reader_(max_pdu_bytes, settings.max_control_pdu_bytes),
      wrote_(executor_),
      resumed_(executor_),
      changed_(executor_),
      expect_within_(settings.idle_timeout) {}

// ---- the machine

void TcpAssociation::apply(Event event, bool request_acceptable) {
    Facts facts;
    facts.role = role_;
    facts.request_acceptable = request_acceptable;
    const auto next = step(state_, event, facts);
    if (!next) {
        log::error("association={} no cell for {} in {}", id_, to_string(event), to_string(state_));
        return;
    }
    state_ = next->next;
    perform(next->action, next->next);
}

void TcpAssociation::perform(Action action, State next) {
    using enum Action;
    if (action <= AE_8) {
        perform_associate(action, next);
    } else if (action >= AA_1) {
        perform_abort(action);
    } else if (action == DT_2 || action == AR_6) {
        delivering_ = true;
    } else if (action >= AR_1) {
        perform_release(action);
    }
}

void TcpAssociation::perform_associate(Action action, State next) {
    using enum Action;
    switch (action) {
        case AE_2: {
            set_deadline(answer_due_, settings_.artim_timeout);
            ByteBuffer pdu;
            if (encode(request_, pdu)) {
                out_.append(pdu.span());
                start_write();
            }
            break;
        }
        case AE_3:
            contexts_ = accepted_contexts(request_, answer_received_);
            set_peer_limit(answer_received_.user.max_pdu_bytes);
            become_established();
            break;
        case AE_4:
            end_with(EndKind::rejected, Error(Errc::refused, describe(rejection_)));
            close_transport();
            break;
        case AE_5: set_deadline(artim_, settings_.artim_timeout); break;
        case AE_6:
            artim_ = kNever;
            if (next == State::Sta13_AwaitClose) {
                send(to_pdu(RejectReason::protocol_version_not_supported));
                set_deadline(artim_, settings_.artim_timeout);
                end_with(EndKind::rejected, Error(Errc::unsupported, "protocol version not supported"));
            } else {
                answer_request();
            }
            break;
        case AE_7:
            contexts_ = accepted_->contexts;
            set_peer_limit(request_.user.max_pdu_bytes);
            send(accepted_->answer);
            accepted_.reset();
            become_established();
            break;
        case AE_8:
            send(rejection_);
            set_deadline(artim_, settings_.artim_timeout);
            break;
        default: break;  // AE-1: open() is connecting
    }
}

void TcpAssociation::answer_request() {
    if (!user_->needs_time(request_)) return decide_request();
    auto later = [self = shared_from_this()] { return self->answer_request_later(); };
    spawn_on(executor_, std::move(later));
}

Task<void> TcpAssociation::answer_request_later() {
    const auto self = shared_from_this();
    const auto user = user_;
    if (state_ != State::Sta3_AwaitLocalAssociateResponse || end_) co_return;  // gone before this began
    co_await user->prepare(request_);
    if (state_ == State::Sta3_AwaitLocalAssociateResponse && !end_) decide_request();
}

void TcpAssociation::decide_request() {
    auto answer = user_->decide(request_);
    if (auto* negotiated = std::get_if<Negotiated>(&answer)) {
        accepted_ = std::move(*negotiated);
        max_incoming_pdu_bytes_ = accepted_->answer.user.max_pdu_bytes;
        reader_.set_max_p_data_bytes(max_incoming_pdu_bytes_);
        apply(Event::Evt7_AcceptResponse);
        return;
    }
    auto& rejection = std::get<Rejection>(answer);
    rejection_ = to_pdu(rejection.reason);
    apply(Event::Evt8_RejectResponse);
    end_with(EndKind::rejected, Error(Errc::refused, std::move(rejection.log_text)));
}

void TcpAssociation::become_established() {
    was_established_ = true;
    answer_due_ = kNever;
    expect_data(expect_within_);
    user_->established();
    changed_.notify();
}

void TcpAssociation::perform_release(Action action) {
    using enum Action;
    switch (action) {
        case AR_1: send(ReleaseRq{}); break;
        case AR_2: user_->release_requested(); break;
        case AR_3:
            end_with(EndKind::released, Error(Errc::connection_lost, "association released"));
            close_transport();
            break;
        case AR_4:
            send(ReleaseRp{});
            set_deadline(artim_, settings_.artim_timeout);
            end_with(EndKind::released, Error(Errc::connection_lost, "association released"));
            break;
        case AR_5:
            artim_ = kNever;
            close_transport();
            break;
        case AR_8:  // both sides release at once: nothing is left for the user to do
            if (state_ == State::Sta9_CollisionRequestorAwaitLocalResponse)
                apply(Event::Evt14_ReleaseResponse);
            break;
        case AR_9: send(ReleaseRp{}); break;
        case AR_10: apply(Event::Evt14_ReleaseResponse); break;
        default: break;  // AR-6, AR-7: data
    }
}

void TcpAssociation::perform_abort(Action action) {
    using enum Action;
    switch (action) {
        case AA_1:
            if (!was_established_ && role_ == Role::acceptor) abort_pdu_ = user_abort();
            send(abort_pdu_);
            set_deadline(artim_, settings_.artim_timeout);
            end_with(EndKind::aborted_here, abort_why_);
            break;
        case AA_2:
            artim_ = kNever;
            end_with(EndKind::connection_lost, Error(Errc::timeout, "the peer said nothing in time"));
            close_transport();
            break;
        case AA_3:
            end_with(EndKind::aborted_by_peer,
                     Error(Errc::connection_lost, describe(abort_received_) + " (peer)"));
            close_transport();
            break;
        case AA_4:
        case AA_5:
            artim_ = kNever;
            end_with(EndKind::connection_lost,
                     Error(Errc::connection_lost, "the peer closed the connection"));
            close_transport();
            break;
        case AA_7:
            if (out_.size() < kMaxWaitingInSta13) send(abort_pdu_);
            break;
        case AA_8:
            send(abort_pdu_);
            set_deadline(artim_, settings_.artim_timeout);
            end_with(EndKind::aborted_here, abort_why_);
            break;
        default: break;  // AA-6: ignore
    }
}

void TcpAssociation::take(const PduReader::Item& item) {
    if (const auto* piece = std::get_if<Pdv>(&item)) return take_piece(*piece);
    if (const auto* bad = std::get_if<PduReader::Invalid>(&item)) return invalid(bad->reason, bad->error);
    if (const auto* pdu = std::get_if<ControlPdu>(&item)) return take_control(*pdu);
    delivering_ = false;
    abort_pdu_ = provider_abort(AbortReason::unexpected_pdu);
    abort_why_ = Error(Errc::protocol_error, "unexpected P-DATA-TF");
    apply(Event::Evt10_PDataReceived);
    if (expect_within_ != Duration::zero()) expect_data(expect_within_);
}

void TcpAssociation::take_piece(const Pdv& pdv) {
    if (!delivering_ || state_ == State::Sta13_AwaitClose) return;
    if (pdv.is_last && expect_within_ != Duration::zero()) expect_data(expect_within_);
    if (auto done = user_->received(pdv); !done)
        invalid(AbortReason::invalid_pdu_parameter_value, std::move(done).error());
}

void TcpAssociation::invalid(AbortReason reason, Error error) {
    discarding_ = true;
    if (state_ == State::Sta1_Idle) return;
    abort_pdu_ = provider_abort(reason);
    abort_why_ = std::move(error);
    apply(Event::Evt19_InvalidPdu);
}

void TcpAssociation::take_control(const ControlPdu& pdu) {
    abort_pdu_ = provider_abort(AbortReason::unexpected_pdu);
    abort_why_ = Error(Errc::protocol_error, "unexpected PDU");
    if (const auto* rq = std::get_if<AssociateRq>(&pdu)) {
        if (state_ == State::Sta2_AwaitAssociateRq) request_ = *rq;
        return apply(Event::Evt6_AssociateRqReceived, (rq->protocol_version & 1) != 0);
    }
    if (const auto* ac = std::get_if<AssociateAc>(&pdu)) {
        answer_received_ = *ac;
        const auto limit = ac->user.max_pdu_bytes;
        if (state_ == State::Sta5_AwaitAssociateAnswer && limit != 0 && limit < kMinPduBytes) {
            return invalid(AbortReason::invalid_pdu_parameter_value,
                           Error(Errc::protocol_error, "maximum length cannot hold a fragment"));
        }
        return apply(Event::Evt3_AssociateAcReceived);
    }
    if (const auto* rj = std::get_if<AssociateRj>(&pdu)) {
        if (state_ == State::Sta5_AwaitAssociateAnswer) rejection_ = *rj;
        return apply(Event::Evt4_AssociateRjReceived);
    }
    if (const auto* abort = std::get_if<Abort>(&pdu)) {
        abort_received_ = *abort;
        return apply(Event::Evt16_AbortReceived);
    }
    if (std::holds_alternative<ReleaseRq>(pdu)) return apply(Event::Evt12_ReleaseRqReceived);
    apply(Event::Evt13_ReleaseRpReceived);
}

// ---- reading

bool TcpAssociation::must_pause() const {
    const bool open = state_ >= State::Sta6_Established && state_ < State::Sta13_AwaitClose;
    return open && !discarding_ && !user_->wants_more();
}

void TcpAssociation::consume(std::span<const std::byte> input) {
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

Task<void> TcpAssociation::read_loop(UserHold hold) {
    const auto self = shared_from_this();
    while (state_ != State::Sta1_Idle) {
        if (must_pause()) {
            co_await resumed_.wait();
            continue;
        }
        if (!stash_.empty()) {
            const ByteBuffer waiting = std::exchange(stash_, ByteBuffer());
            consume(waiting.span());
            continue;
        }
        std::error_code ec;
        const auto buffer = read_buffer();
        const std::size_t count = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), ec);
        if (!ec) {
            acknowledge_quickly(socket_);
            consume({buffer.data(), count});
            if (!stash_.empty()) continue;
        }
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

template <class Pdu>
void TcpAssociation::send(const Pdu& pdu) {
    if constexpr (std::is_same_v<decltype(encode(pdu, out_)), void>) {
        encode(pdu, out_);
    } else {
        // Only what we composed ourselves from a request that fitted; cannot be too long.
        if (!encode(pdu, out_)) log::error("association={} answer too long to encode", id_);
    }
    start_write();
}

void TcpAssociation::start_write() {
    if (writing_ || out_.empty() || !socket_.is_open()) return;
    writing_ = true;
    std::swap(out_, in_flight_);
    set_deadline(write_due_, settings_.write_timeout);
    asio::async_write(
        socket_, asio::buffer(in_flight_.data(), in_flight_.size()),
        [self = shared_from_this()](std::error_code ec, std::size_t) { self->written(bool(ec)); });
}

void TcpAssociation::written(bool failed) {
    writing_ = false;
    write_due_ = kNever;
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

bool TcpAssociation::may_send_data() const {
    Facts facts;
    facts.role = role_;
    return !end_ && step(state_, Event::Evt9_PDataRequest, facts).has_value();
}

void TcpAssociation::write_soon(std::span<const std::byte> pdus) {
    if (!may_send_data()) return;
    out_.append(pdus);
    if (writing_ || flush_posted_) return;
    flush_posted_ = true;
    asio::post(executor_, [self = shared_from_this()] {
        self->flush_posted_ = false;
        self->start_write();
    });
}

Task<Result<void>> TcpAssociation::drain(std::size_t max_bytes) {
    const auto self = shared_from_this();
    while (!end_ && out_.size() + in_flight_.size() >= max_bytes) {
        start_write();
        co_await wrote_.wait();
    }
    if (end_) co_return end_error();
    co_return Result<void>();
}

Task<Result<void>> TcpAssociation::write(std::span<const std::span<const std::byte>> pieces) {
    const auto self = shared_from_this();
    while (writing_ && !end_) co_await wrote_.wait();
    if (!may_send_data()) co_return end_error();
    writing_ = true;
    std::swap(out_, in_flight_);
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(pieces.size() + 1);
    if (!in_flight_.empty()) buffers.emplace_back(in_flight_.data(), in_flight_.size());
    for (const auto piece : pieces) buffers.emplace_back(piece.data(), piece.size());
    set_deadline(write_due_, settings_.write_timeout);
    auto done = co_await asio::async_write(socket_, buffers, no_throw);
    auto& [ec, count] = done;
    static_cast<void>(count);
    const bool failed = bool(ec);
    written(failed);
    if (end_) co_return end_error();
    if (failed) co_return Error(Errc::connection_lost, "writing to the peer failed");
    if (expect_within_ != Duration::zero()) expect_data(expect_within_);
    co_return Result<void>();
}

// ---- what the user asks for

Task<Result<void>> TcpAssociation::release() {
    const auto self = shared_from_this();
    if (end_) co_return end_error();
    if (state_ != State::Sta6_Established) co_return Error(Errc::protocol_error, "the peer is releasing too");
    idle_ = kNever;
    expect_within_ = Duration::zero();
    set_deadline(answer_due_, settings_.artim_timeout);
    apply(Event::Evt11_ReleaseRequest);
    while (!end_) co_await changed_.wait();
    if (end_->kind != EndKind::released) co_return end_error();
    co_return Result<void>();
}

void TcpAssociation::confirm_release() {
    if (state_ == State::Sta8_AwaitLocalReleaseResponse) apply(Event::Evt14_ReleaseResponse);
}

void TcpAssociation::abort(const Abort& pdu, Error why) {
    if (state_ == State::Sta1_Idle) return;
    Facts facts;
    facts.role = role_;
    if (!step(state_, Event::Evt15_AbortRequest, facts)) return;
    abort_pdu_ = pdu;
    abort_why_ = std::move(why);
    // AA-1 is the user's abort, AA-2 (nothing sent yet) tells the end as it is.
    if (state_ == State::Sta4_AwaitTransportOpen) end_with(EndKind::aborted_here, abort_why_);
    apply(Event::Evt15_AbortRequest);
}

void TcpAssociation::close_now() {
    if (state_ == State::Sta1_Idle) return;
    end_with(EndKind::aborted_here, Error(Errc::shutting_down, "shutting down"));
    state_ = State::Sta1_Idle;
    close_transport();
}

void TcpAssociation::end_with(EndKind kind, Error error) {
    if (end_) return;
    End end;
    end.kind = kind;
    end.error = std::move(error);
    end_ = std::move(end);
    idle_ = kNever;
    answer_due_ = kNever;
    stash_ = ByteBuffer();
    if (user_) user_->ended(*end_);
    changed_.notify();
    wrote_.notify();
    resumed_.notify();
}

Error TcpAssociation::end_error() const {
    return end_ ? end_->error : Error(Errc::protocol_error, "the association is not open");
}

void TcpAssociation::close_transport() {
    artim_ = idle_ = answer_due_ = write_due_ = kNever;
    timer_.cancel();
    resumed_.notify();
    wrote_.notify();
    std::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

void TcpAssociation::set_peer_limit(std::uint32_t announced) {
    max_outgoing_pdu_bytes_ =
        announced == 0 ? kMaxOutgoingPduBytes : std::min(announced, kMaxOutgoingPduBytes);
}

// ---- deadlines

void TcpAssociation::set_deadline(TimePoint& slot, Duration from_now) {
    slot = std::chrono::steady_clock::now() + from_now;
    if (slot < armed_) arm();
}

void TcpAssociation::expect_data(Duration within) {
    expect_within_ = within;
    if (within == Duration::zero() || end_) {
        idle_ = kNever;
    } else {
        set_deadline(idle_, within);
    }
}

void TcpAssociation::arm() {
    armed_ = std::min({artim_, answer_due_, idle_, write_due_});
    if (armed_ == kNever) return;
    timer_.expires_at(armed_);
    timer_.async_wait([self = shared_from_this()](std::error_code ec) {
        if (!ec) self->on_timer();
    });
}

void TcpAssociation::on_timer() {
    const auto now = std::chrono::steady_clock::now();
    const auto expired = [now](TimePoint& slot) { return slot <= now && (slot = kNever, true); };
    armed_ = kNever;
    if (expired(artim_)) {
        apply(Event::Evt18_ArtimExpired);
    } else if (expired(write_due_)) {
        // The peer reads nothing, so it would not read an A-ABORT either.
        end_with(EndKind::connection_lost, Error(Errc::timeout, "the peer stopped reading"));
        close_now();
    } else if (expired(answer_due_)) {
        abort(user_abort(), Error(Errc::timeout, "the peer did not answer in time"));
    } else if (expired(idle_)) {
        abort(user_abort(), Error(Errc::timeout, "the peer completed no PDU in time"));
    }
    if (state_ != State::Sta1_Idle) arm();
}

// ---- coming into being

void TcpAssociation::note_peer_address() {
    std::error_code ec;
    const auto peer = socket_.remote_endpoint(ec);
    if (ec) return;
    auto address = peer.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    peer_address_ = host + ":" + std::to_string(peer.port());
}

Task<void> TcpAssociation::run_acceptor() {
    const auto self = shared_from_this();
    std::error_code ec;
    socket_.set_option(asio::ip::tcp::no_delay(true), ec);
    socket_.non_blocking(true, ec);
    note_peer_address();
    UserHold hold(self);
    apply(Event::Evt5_TransportIndication);
    co_await read_loop(std::move(hold));
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
    static_cast<void>(endpoint);
    if (state_ != State::Sta4_AwaitTransportOpen) co_return;
    if (failed) {
        end_with(EndKind::connection_lost,
                 Error(Errc::connection_lost, "cannot connect: " + failed.message()));
        apply(Event::Evt17_TransportClosed);
        co_return;
    }
    socket_.set_option(asio::ip::tcp::no_delay(true), ec);
    socket_.non_blocking(true, ec);
    note_peer_address();
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
