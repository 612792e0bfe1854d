// One association seen by those who talk over it: PDV fragments in, PDUs out, release, abort, end.
// Knows nothing of sockets (tcp_association.h) and nothing of DIMSE messages (net/dimse).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "net/ul/abort.h"
#include "net/ul/negotiation.h"
#include "net/ul/observer.h"
#include "net/ul/pdu.h"
#include "net/ul/reject.h"
#include "net/ul/tls_identity.h"

namespace sagitta::net::ul {

using Duration = std::chrono::steady_clock::duration;

struct AssociationSettings {
    Duration connect_timeout = std::chrono::seconds(10);
    Duration artim_timeout = std::chrono::seconds(30);  ///< PS3.8 9.1.5; also the wait for an answer
    /// A peer that completes no PDU for so long while we wait for one is aborted.
    Duration idle_timeout = std::chrono::seconds(60);
    Duration write_timeout = std::chrono::seconds(60);  ///< for one write to make no progress
    std::uint32_t max_control_pdu_bytes = 1 << 20;      ///< any PDU but P-DATA-TF
    /// A peer that sends a message, or takes one, more slowly over `rate_window` is aborted; 0: never.
    std::uint64_t min_bytes_per_second = 0;
    Duration rate_window = std::chrono::seconds(60);
    AssociationObservers* observers = nullptr;  ///< not owned; null: nobody looks on
};

/// Bytes, and those of a file that follow them.
struct FilePiece {
    std::span<const std::byte> head;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
};

/// How an association ended, for the log and for whoever waits.
enum class EndKind { released, aborted_by_peer, aborted_here, rejected, connection_lost };
struct End {
    EndKind kind = EndKind::connection_lost;
    Error error{Errc::connection_lost, "connection closed"};
};

/// The service user (PS3.8 section 7). All calls come on the association's thread, one at a time,
/// and return quickly.
class AssociationUser {
public:
    virtual ~AssociationUser() = default;

    /// Acceptor only, before `decide`: whether `prepare` is to be awaited first.
    [[nodiscard]] virtual bool needs_time(const AssociateRq&) const { return false; }
    /// What cannot be decided without waiting, such as whether a passcode is right. The association may be
    /// over when it returns; `decide` is not called then.
    [[nodiscard]] virtual Task<void> prepare(const AssociateRq& request);
    /// Acceptor only: the answer to a request (A-ASSOCIATE indication and response).
    [[nodiscard]] virtual std::variant<Negotiated, Rejection> decide(const AssociateRq& request) = 0;
    /// Both sides have agreed; sending is possible from now on.
    virtual void established() = 0;
    /// A piece of a message; empty pieces happen. An error aborts the association
    /// (provider, invalid PDU parameter value).
    [[nodiscard]] virtual Result<void> received(const Pdv& pdv) = 0;
    /// What came with the last read has all been given; what is written in here leaves with it.
    virtual void all_taken() {}
    /// False stops reading, and TCP slows the peer; call Association::resume when it turns true.
    [[nodiscard]] virtual bool wants_more() const = 0;
    /// Whether the peer may be sending on without hearing from us first: if so what came is acknowledged
    /// at once, because peers that leave Nagle's algorithm on wait for that.
    [[nodiscard]] virtual bool may_get_more() const { return true; }
    /// The peer asks to release: answer with Association::confirm_release when all is done.
    virtual void release_requested() = 0;
    /// Exactly once, last. Nothing can be sent any more.
    virtual void ended(const End& end) = 0;
};

/// Not thread-safe: every call on the association's own executor.
class Association {
public:
    Association() = default;
    Association(const Association&) = delete;
    Association& operator=(const Association&) = delete;
    virtual ~Association() = default;

    /// Copies `pdus` (whole encoded PDUs) behind what is waiting; they leave when the caller next
    /// suspends, together. Does nothing after the end.
    virtual void write_soon(std::span<const std::byte> pdus) = 0;
    /// Bytes that write_soon took and the socket has not.
    [[nodiscard]] virtual std::size_t waiting_bytes() const = 0;
    /// Waits until less than `max_bytes` wait. Errors: what ended the association.
    [[nodiscard]] virtual Task<Result<void>> drain(std::size_t max_bytes) = 0;
    /// Writes what is waiting and then `pieces`, uncopied unless they are short: they must stay valid until
    /// the answer. Errors: what ended the association; after a write that failed that may still be to come.
    [[nodiscard]] virtual Task<Result<void>> write(std::span<const std::span<const std::byte>> pieces) = 0;

    /// False where every byte has to pass through this process.
    [[nodiscard]] virtual bool sends_files() const { return false; }
    /// As write(), of pieces whose values lie in a file; only when sends_files().
    [[nodiscard]] virtual Task<Result<void>> write_from_file(int descriptor,
                                                             std::span<const FilePiece> pieces);

    /// A-RELEASE; returns when the peer has answered and the transport is closed, or failed to.
    [[nodiscard]] virtual Task<Result<void>> release() = 0;
    /// The local answer to AssociationUser::release_requested.
    virtual void confirm_release() = 0;
    /// A-ABORT. `why` is for the log; the PDU carries `pdu`.
    virtual void abort(const Abort& pdu, Error why) = 0;
    /// Reading goes on if it had stopped.
    virtual void resume() = 0;
    /// From now on the peer must complete a PDU every `within` or is aborted; zero: it owes us
    /// nothing. Starts as idle_timeout.
    virtual void expect_data(Duration within) = 0;
    [[nodiscard]] virtual const AssociationSettings& settings() const = 0;

    [[nodiscard]] virtual const AssociateRq& request() const = 0;
    /// The agreed contexts, by id; empty before establishment.
    [[nodiscard]] virtual std::span<const AcceptedPresentationContext> contexts() const = 0;
    /// What the acceptor answered to a window of ours; nothing when it did not.
    [[nodiscard]] virtual const std::optional<AsynchronousOperationsWindow>& operations_window() const = 0;
    /// The longest P-DATA-TF we may send, without its header of 6 bytes (PS3.8 D.1).
    [[nodiscard]] virtual std::uint32_t max_outgoing_pdu_bytes() const = 0;
    [[nodiscard]] virtual std::uint64_t id() const = 0;
    /// "127.0.0.1:50312".
    [[nodiscard]] virtual const std::string& peer_address() const = 0;
    /// Where all of this happens.
    [[nodiscard]] virtual asio::any_io_executor executor() const = 0;
    [[nodiscard]] virtual bool has_ended() const = 0;
    /// Who proved what by TLS; null on a plain connection.
    [[nodiscard]] virtual const TlsPeer* tls_peer() const = 0;
};

/// The context with that id, or null.
[[nodiscard]] const AcceptedPresentationContext* find_context(
    std::span<const AcceptedPresentationContext> contexts, PresentationContextId id) noexcept;

}  // namespace sagitta::net::ul
