#include "net/dimse/message.h"

#include <algorithm>
#include <utility>

#include "net/ul/pdu_codec.h"

namespace sagitta::net::dimse {

namespace {

/// Beyond this an object's memory grows as its bytes arrive.
constexpr std::size_t kMaxReservedBytes = 4 * 1024 * 1024;
constexpr std::size_t kFrontFrom = 64 * 1024;  // bytes of a data set
constexpr std::size_t kSpare = 4 * 1024;       // the next is often a little longer, and may be padded
/// Of a large object that goes to its receiver at once.
constexpr std::size_t kPieceBytes = 1024 * 1024;

void encode_fragments(ul::PresentationContextId context, bool is_command, std::span<const std::byte> bytes,
                      std::uint32_t max_pdu_bytes, ByteBuffer& out) {
    const std::size_t most = max_fragment_bytes(max_pdu_bytes);
    do {
        const auto part = bytes.first(std::min(bytes.size(), most));
        bytes = bytes.subspan(part.size());
        ul::PdvHeader header;
        header.context = context;
        header.is_command = is_command;
        header.is_last = bytes.empty();
        header.bytes = static_cast<std::uint32_t>(part.size());
        constexpr std::size_t head = ul::kPduHeaderBytes + ul::kPdvHeaderBytes;
        ul::write_p_data_header(header, out.prepare(head).data());
        out.commit(head);
        out.append(part);
    } while (!bytes.empty());
}

}  // namespace

std::uint32_t max_fragment_bytes(std::uint32_t max_pdu_bytes) noexcept {
    return (max_pdu_bytes - static_cast<std::uint32_t>(ul::kPdvHeaderBytes)) & ~1u;
}

void encode_command(ul::PresentationContextId context, const CommandSet& command, std::uint32_t max_pdu_bytes,
                    ByteBuffer& out) {
    ByteBuffer encoded;
    encode(command, encoded);
    encode_fragments(context, true, encoded.span(), max_pdu_bytes, out);
}

void encode_message(ul::PresentationContextId context, const CommandSet& command,
                    std::span<const std::byte> data_set, std::uint32_t max_pdu_bytes, ByteBuffer& out) {
    encode_command(context, command, max_pdu_bytes, out);
    if (command.has_data_set) encode_fragments(context, false, data_set, max_pdu_bytes, out);
}

Result<std::optional<Message>> MessageAssembler::add(const ul::Pdv& pdv) {
    if (!between_messages() && pdv.context != message_.context)
        return Error(Errc::protocol_error, "fragments of two presentation contexts in one message");
    if (pdv.is_command == in_data_set_) {
        return Error(Errc::protocol_error, in_data_set_ ? "command fragment inside a data set"
                                                        : "data set fragment without a command");
    }
    message_.context = pdv.context;
    return pdv.is_command ? add_command(pdv) : add_data(pdv);
}

Result<std::optional<Message>> MessageAssembler::add_command(const ul::Pdv& pdv) {
    if (pdv.bytes.size() > limits_.max_command_bytes - command_.size())
        return Error(Errc::limit_exceeded, "command set longer than the limit");
    command_.append(pdv.bytes);
    if (!pdv.is_last) return std::optional<Message>();
    auto command = decode_command_set(command_.span());
    command_.clear();
    if (!command) return std::move(command).error();
    message_.command = std::move(*command);
    if (message_.command.has_data_set) {
        in_data_set_ = true;
        if (message_.command.field == CommandField::c_store_rq) make_room();
        return std::optional<Message>();
    }
    return std::optional<Message>(std::exchange(message_, Message()));
}

Result<std::optional<Message>> MessageAssembler::add_data(const ul::Pdv& pdv) {
    const bool is_object = message_.command.field == CommandField::c_store_rq;
    const std::uint64_t limit = is_object ? limits_.max_object_bytes : limits_.max_identifier_bytes;
    if (pdv.bytes.size() > limit - data_set_bytes_) message_.data_set_too_long = true;
    if (!message_.data_set_too_long) {
        data_set_bytes_ += pdv.bytes.size();
        message_.data_set.append(pdv.bytes);
        if (is_object) pass_on(pdv.is_last);
    }
    if (message_.data_set_too_long) {
        message_.data_set = ByteBuffer();
        message_.receiver.reset();
    }
    if (!pdv.is_last) return std::optional<Message>();
    in_data_set_ = false;
    data_set_bytes_ = 0;
    asked_ = false;
    if (is_object && !message_.receiver)
        expected_bytes_ = std::min(message_.data_set.size(), kMaxReservedBytes);
    return std::optional<Message>(std::exchange(message_, Message()));
}

/// Small ones are copied as cheaply.
void MessageAssembler::make_room() {
    const auto front = front_room_ && expected_bytes_ >= kFrontFrom ? front_room_(message_) : 0;
    if (front == 0)
        message_.data_set.reserve(expected_bytes_);
    else
        message_.data_set = ByteBuffer::with_front(front, expected_bytes_ + kSpare);
}

/// What has arrived of a large object goes on to whoever takes it.
void MessageAssembler::pass_on(bool is_last) {
    if (source_ && !asked_ && data_set_bytes_ > limits_.stream_above_bytes) {
        asked_ = true;
        message_.receiver = source_(message_);
        if (message_.receiver) message_.receiver->add(std::exchange(message_.data_set, ByteBuffer()));
    } else if (message_.receiver && (is_last || message_.data_set.size() >= kPieceBytes)) {
        message_.receiver->add(std::exchange(message_.data_set, ByteBuffer()));
    }
    if (message_.receiver && !is_last) message_.data_set.reserve(kPieceBytes + kPieceBytes / 4);
}

}  // namespace sagitta::net::dimse
