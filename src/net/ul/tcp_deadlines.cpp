// When an association waits no longer: for an answer, for the rest of a message, for a peer to read.
#include <algorithm>
#include <chrono>

#include "net/ul/tcp_association.h"

namespace sagitta::net::ul {

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
        read_at_idle_ = read_bytes_;
        set_deadline(idle_, within);
    }
}

void TcpAssociation::arm() {
    armed_ = std::min({artim_, answer_due_, idle_, write_due_, rate_due_});
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
        write_is_late(now);
    } else if (expired(answer_due_)) {
        abort(user_abort(), Error(Errc::timeout, "the peer did not answer in time"));
    } else if (expired(rate_due_)) {
        rate_is_due(now);
    } else if (expired(idle_)) {
        idle_is_over();
    }
    if (state_ != State::Sta1_Idle) arm();
}

/// Nothing is completed: only the middle of a message that comes fast enough excuses it.
void TcpAssociation::idle_is_over() {
    const bool comes = inside_message_ || reader_.inside_pdu();
    if (comes && incoming_.is_enough(read_bytes_ - read_at_idle_, expect_within_))
        return expect_data(expect_within_);
    abort(user_abort(), Error(Errc::timeout, "the peer completed no PDU in time"));
}

// ---- slow peers

/// Called after every read; the time counts in which the rest of a message is missing.
void TcpAssociation::watch_incoming(std::size_t count) {
    read_bytes_ += count;
    if (!incoming_.is_on()) return;
    incoming_.moved(count);
    const bool waits = !end_ && was_established_ && (inside_message_ || reader_.inside_pdu());
    if (!waits) return stop_watching_incoming();
    if (incoming_.is_waiting()) return;
    const auto now = std::chrono::steady_clock::now();
    incoming_.begin(now);
    set_deadline(rate_due_, incoming_.due() - now);
}

void TcpAssociation::stop_watching_incoming() {
    rate_due_ = kNever;
    if (incoming_.is_waiting()) incoming_.end(std::chrono::steady_clock::now());
}

void TcpAssociation::rate_is_due(TimePoint now) {
    if (incoming_.is_too_slow(now))
        return abort(user_abort(), Error(Errc::timeout, "the peer sends a message too slowly"));
    if (incoming_.is_waiting()) rate_due_ = incoming_.due();
}

std::uint64_t TcpAssociation::total_sent() const {
    return tls_ ? tls_->bytes_sent() : sent_bytes_;
}

void TcpAssociation::begin_write() {
    writing_ = true;
    const auto now = std::chrono::steady_clock::now();
    sent_at_begin_ = sent_at_due_ = total_sent();
    outgoing_.begin(now);
    set_deadline(write_due_, settings_.write_timeout);
}

/// A write that can wait several times: each time is a new one, unless the rate is what counts.
void TcpAssociation::moved_some() {
    if (!outgoing_.is_on()) set_deadline(write_due_, settings_.write_timeout);
}

void TcpAssociation::write_is_late(TimePoint now) {
    const auto sent = total_sent();
    if (outgoing_.is_enough(sent - sent_at_due_, settings_.write_timeout)) {
        sent_at_due_ = sent;
        write_due_ = now + settings_.write_timeout;
        return;
    }
    // The peer would not read an A-ABORT either.
    end_with(EndKind::connection_lost, Error(Errc::timeout, "the peer stopped reading"));
    close_now();
}

}  // namespace sagitta::net::ul
