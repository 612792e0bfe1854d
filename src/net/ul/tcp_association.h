// An association over TCP: reads, feeds the state machine, does what its actions say, writes.
// Internal to net/ul; others use association.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "core/byte_buffer.h"
#include "net/ul/association.h"
#include "net/ul/machine.h"
#include "net/ul/pdu_reader.h"
#include "net/ul/rate_watch.h"
#include "net/ul/signal.h"
#include "net/ul/tls_stream.h"

namespace sagitta::net::ul {

/// Unique in this process, for log lines.
[[nodiscard]] std::uint64_t next_association_id() noexcept;

/// Everything happens on the socket's executor, one thing at a time, so that applying an event is
/// a plain function call and nothing needs a lock. Deadlines are values that one timer looks at
/// when it fires: moving or clearing one costs nothing, and an expiry already queued finds it gone.
class TcpAssociation final : public Association, public std::enable_shared_from_this<TcpAssociation> {
public:
    TcpAssociation(asio::ip::tcp::socket socket, Role role, AssociationSettings settings,
                   std::uint32_t max_pdu_bytes, std::uint64_t id);

    /// `at_end` runs when the association is in Sta1 for good.
    void set_user(std::shared_ptr<AssociationUser> user) { user_ = std::move(user); }
    void set_at_end(std::function<void()> at_end) { at_end_ = std::move(at_end); }
    /// Acceptor: asked once when an A-ASSOCIATE-RQ has come; false refuses it for want of room.
    void set_admission(std::function<bool()> admission) { admission_ = std::move(admission); }

    /// Before it begins. A requestor's `identity`, or else `host`, is what the certificate must have.
    void use_tls(std::shared_ptr<const TlsContext> context, const std::string& host = {},
                 const std::string& identity = {});

    /// Acceptor: the transport connection is there (Evt5). Returns at Sta1.
    Task<void> run_acceptor(asio::ip::tcp::endpoint peer);
    /// Requestor: Evt1 to Sta6 or failure.
    Task<Result<void>> open(std::string host, std::uint16_t port, AssociateRq request);
    /// Closes the transport at once: for shutdown, and to make room.
    void close_now(Error why = Error(Errc::shutting_down, "shutting down"));

    void write_soon(std::span<const std::byte> pdus) override;
    std::size_t waiting_bytes() const override { return out_.size() + in_flight_.size(); }
    Task<Result<void>> drain(std::size_t max_bytes) override;
    Task<Result<void>> write(std::span<const std::span<const std::byte>> pieces) override;
    bool sends_files() const override { return !tls_; }  // the kernel does not encrypt
    Task<Result<void>> write_from_file(int descriptor, std::span<const FilePiece> pieces) override;
    Task<Result<void>> release() override;
    void confirm_release() override;
    void abort(const Abort& pdu, Error why) override;
    void resume() override;
    void expect_data(Duration within) override;
    const AssociationSettings& settings() const override { return settings_; }
    const AssociateRq& request() const override { return request_; }
    std::span<const AcceptedPresentationContext> contexts() const override { return contexts_; }
    const std::optional<AsynchronousOperationsWindow>& operations_window() const override {
        return answer_received_.user.asynchronous_operations;
    }
    std::uint32_t max_outgoing_pdu_bytes() const override { return max_outgoing_pdu_bytes_; }
    std::uint64_t id() const override { return id_; }
    const std::string& peer_address() const override { return peer_address_; }
    asio::any_io_executor executor() const override { return executor_; }
    bool has_ended() const override { return end_.has_value(); }
    const TlsPeer* tls_peer() const override;

private:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr TimePoint kNever = TimePoint::max();

    // The machine.
    void apply(Event event, bool request_acceptable = true);
    void perform(Action action, State next);
    void perform_associate(Action action, State next);
    void perform_release(Action action);
    void perform_abort(Action action);
    void answer_request();
    Task<void> answer_request_later();
    void decide_request();
    void reject(Rejection rejection);
    void become_established();
    void take(const PduReader::Item& item);
    void take_control(const ControlPdu& pdu);
    void take_piece(const Pdv& pdv);
    void invalid(AbortReason reason, Error error);

    // The transport.
    class UserHold;
    Task<void> read_loop(UserHold hold);
    Task<void> shake_hands();
    Task<std::vector<asio::ip::tcp::endpoint>> resolve(std::string host, std::uint16_t port);
    Task<void> connect_transport(std::string host, std::uint16_t port);
    void consume(std::span<const std::byte> input);
    void take_all(std::span<const std::byte> input);
    [[nodiscard]] bool must_pause() const;
    template <class Pdu>
    void send(const Pdu& pdu);
    void start_write();
    std::span<const std::byte> send_at_once(std::span<const std::byte> bytes);
    Task<void> write_waiting();
    void written(bool failed);
    Task<std::error_code> send_piece(int descriptor, FilePiece piece, bool more);
    [[nodiscard]] bool may_send_data() const;
    void end_with(EndKind kind, Error error);
    void close_transport();
    [[nodiscard]] Error end_error() const;
    void set_peer_limit(std::uint32_t announced);
    bool is_owed_more(std::size_t count) const;
    void note_peer_address(const asio::ip::tcp::endpoint& peer);
    void observe_sent(std::span<const std::byte> bytes) {
        if (observer_) observer_->sent(bytes);
    }

    // Deadlines.
    void set_deadline(TimePoint& slot, Duration from_now);
    void watch_incoming(std::size_t count);
    void stop_watching_incoming();
    void begin_write();
    void moved_some();
    [[nodiscard]] std::uint64_t total_sent() const;
    void write_is_late(TimePoint now);
    void rate_is_due(TimePoint now);
    void idle_is_over();
    void arm();
    void on_timer();

    asio::ip::tcp::socket socket_;
    std::unique_ptr<TlsStream> tls_;  ///< null: plain
    asio::any_io_executor executor_;
    asio::steady_timer timer_;
    const Role role_;
    const AssociationSettings settings_;
    const std::uint64_t id_;
    std::uint32_t max_incoming_pdu_bytes_;
    std::uint32_t max_outgoing_pdu_bytes_ = 0;
    State state_ = State::Sta1_Idle;
    PduReader reader_;
    std::unique_ptr<AssociationObserver> observer_;
    std::shared_ptr<AssociationUser> user_;
    std::function<void()> at_end_;
    std::function<bool()> admission_;
    AssociateRq request_;
    std::vector<AcceptedPresentationContext> contexts_;
    std::string peer_address_;
    std::optional<End> end_;

    // What an action needs beside its name.
    std::optional<Negotiated> accepted_;
    AssociateRj rejection_;
    AssociateAc answer_received_;
    Abort abort_pdu_;  ///< to send (AA-1, AA-7, AA-8)
    Abort abort_received_;
    Error abort_why_{Errc::protocol_error, "aborted"};
    bool delivering_ = false;  ///< of the current P-DATA-TF
    bool discarding_ = false;  ///< after Evt19 nothing is parsed any more
    bool was_established_ = false;

    ByteBuffer stash_;  ///< read, but not wanted yet
    ByteBuffer out_;
    ByteBuffer in_flight_;
    bool writing_ = false;
    bool consuming_ = false;  ///< consume() looks whether there is something to write
    bool flush_posted_ = false;
    Signal wrote_;
    Signal resumed_;
    Signal changed_;  ///< established or ended

    TimePoint artim_ = kNever;
    TimePoint answer_due_ = kNever;  ///< connect, A-ASSOCIATE answer, release answer
    TimePoint idle_ = kNever;
    TimePoint write_due_ = kNever;
    TimePoint rate_due_ = kNever;  ///< to look whether incoming_ is too slow
    TimePoint armed_ = kNever;
    RateWatch incoming_;
    RateWatch outgoing_;
    bool inside_message_ = false;      ///< its last fragment has not come
    std::uint64_t read_bytes_ = 0;     ///< of the association
    std::uint64_t read_at_idle_ = 0;   ///< when idle_ was set
    std::uint64_t sent_bytes_ = 0;     ///< of the association, when plain
    std::uint64_t sent_at_begin_ = 0;  ///< of the write that is going on
    std::uint64_t sent_at_due_ = 0;    ///< when write_due_ was set
    Duration expect_within_;
};

}  // namespace sagitta::net::ul
