// Messages out of PDV fragments and into them (PS3.7 section 6.3, PS3.8 Annex E). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "net/dimse/command_set.h"
#include "net/dimse/object_receiver.h"
#include "net/ul/pdu.h"

namespace sagitta::net::dimse {

/// A whole message as received.
struct Message {
    ul::PresentationContextId context{};
    CommandSet command;
    ByteBuffer data_set;
    std::unique_ptr<ObjectReceiver> receiver;  ///< has the data set, when it is set
    bool data_set_too_long = false;            ///< longer than the limit: it was dropped
    bool cancelled = false;                    ///< a C-CANCEL-RQ for it has come already
};

struct AssemblyLimits {
    std::uint32_t max_command_bytes = 64 * 1024;
    std::uint64_t max_object_bytes = std::uint64_t{2} << 30;
    std::uint64_t max_identifier_bytes = std::uint64_t{16} << 20;  ///< data sets not of a C-STORE-RQ
    std::uint64_t stream_above_bytes = UINT64_MAX;                 ///< see ReceiverSource
};

/// Asked once for each C-STORE-RQ whose data set becomes longer than `stream_above_bytes`: who takes it;
/// null: it is collected. Where it will be refused anyway, it may say that the data set is too long.
using ReceiverSource = std::function<std::unique_ptr<ObjectReceiver>(Message&)>;

/// Asked for each C-STORE-RQ: bytes that whoever gets the data set will put in front of it
/// (ByteBuffer::with_front).
using FrontRoom = std::function<std::size_t(const Message&)>;

/// Puts the fragments of one association together. They are copied once; memory grows with what
/// has arrived.
class MessageAssembler {
public:
    explicit MessageAssembler(AssemblyLimits limits, ReceiverSource source = {}, FrontRoom front_room = {})
        : limits_(limits), source_(std::move(source)), front_room_(std::move(front_room)) {}

    /// The message that `pdv` completes, if it does. Errors (the association cannot go on):
    /// protocol_error, malformed, truncated, limit_exceeded for a command set.
    [[nodiscard]] Result<std::optional<Message>> add(const ul::Pdv& pdv);
    /// Whoever takes the data set that is arriving has room.
    [[nodiscard]] bool wants_more() const { return !message_.receiver || message_.receiver->wants_more(); }
    /// Nothing more will come of the message that is arriving.
    void forget() { message_ = Message(); }
    /// No part of a message is waiting for the rest.
    [[nodiscard]] bool between_messages() const noexcept { return !in_data_set_ && command_.empty(); }

private:
    Result<std::optional<Message>> add_command(const ul::Pdv& pdv);
    Result<std::optional<Message>> add_data(const ul::Pdv& pdv);
    void make_room();
    void pass_on(bool is_last);

    AssemblyLimits limits_;
    ReceiverSource source_;
    FrontRoom front_room_;
    ByteBuffer command_;
    Message message_;
    bool in_data_set_ = false;
    bool asked_ = false;                ///< `source_`, for the object that is arriving
    std::uint64_t data_set_bytes_ = 0;  ///< of the data set that is arriving
    std::size_t expected_bytes_ = 0;    ///< size of the last object here: the next is often the same
};

/// Appends the P-DATA-TF PDUs of a message that is small enough to copy: one PDV each, at most
/// `max_pdu_bytes` long (the peer's limit, headers of 6 bytes not counted). `data_set` counts only
/// when the command says so.
void encode_message(ul::PresentationContextId context, const CommandSet& command,
                    std::span<const std::byte> data_set, std::uint32_t max_pdu_bytes, ByteBuffer& out);

/// Appends the P-DATA-TF PDUs of the command alone.
void encode_command(ul::PresentationContextId context, const CommandSet& command, std::uint32_t max_pdu_bytes,
                    ByteBuffer& out);

/// Value bytes of one PDV under that limit; even.
[[nodiscard]] std::uint32_t max_fragment_bytes(std::uint32_t max_pdu_bytes) noexcept;

}  // namespace sagitta::net::dimse
