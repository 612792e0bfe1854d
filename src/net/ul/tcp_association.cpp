#include "net/ul/tcp_association.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/log.h"
#include "net/ul/io_threads.h"

namespace sagitta::net::ul {

namespace {

/// Even when the peer takes PDUs of any length, ours stay moderate.
constexpr std::uint32_t kMaxOutgoingPduBytes = 256 * 1024;
/// In Sta13 a flooding peer gets no more answers than this.
constexpr std::size_t kMaxWaitingInSta13 = 1024;

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
      incoming_(settings.min_bytes_per_second, settings.rate_window),
      outgoing_(settings.min_bytes_per_second, settings.rate_window),
      expect_within_(settings.idle_timeout) {
    if (settings_.observers != nullptr) observer_ = settings_.observers->begin(id, role == Role::acceptor);
}

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
    if (admission_ && !admission_())
        return reject({RejectReason::local_limit_exceeded, "too many associations"});
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
    reject(std::get<Rejection>(std::move(answer)));
}

void TcpAssociation::reject(Rejection rejection) {
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
            end_with(
                EndKind::connection_lost,
                Error(Errc::connection_lost,
                      tls_ && !tls_->trouble().empty() ? tls_->trouble() : "the peer closed the connection"));
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
    inside_message_ = !pdv.is_last;
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

// ---- what the user asks for

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

bool TcpAssociation::may_send_data() const {
    Facts facts;
    facts.role = role_;
    return !end_ && step(state_, Event::Evt9_PDataRequest, facts).has_value();
}

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

void TcpAssociation::close_now(Error why) {
    if (state_ == State::Sta1_Idle) return;
    end_with(EndKind::aborted_here, std::move(why));
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
    stop_watching_incoming();
    stash_ = ByteBuffer();
    if (user_) user_->ended(*end_);
    if (observer_) observer_->ended(*end_);
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
    if (tls_) tls_->say_goodbye();
    std::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

void TcpAssociation::set_peer_limit(std::uint32_t announced) {
    max_outgoing_pdu_bytes_ =
        announced == 0 ? kMaxOutgoingPduBytes : std::min(announced, kMaxOutgoingPduBytes);
}

}  // namespace sagitta::net::ul
