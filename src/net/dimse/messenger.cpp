#include "net/dimse/messenger.h"

#include <algorithm>
#include <array>
#include <utility>

#include "net/ul/pdu_codec.h"

namespace sagitta::net::dimse {

namespace {

/// What a pipelining peer may have waiting here before its connection is no longer read.
constexpr std::size_t kMaxQueuedMessages = 32;
constexpr std::uint64_t kMaxQueuedBytes = std::uint64_t{16} << 20;
/// Responses that leave together.
constexpr std::size_t kMaxWaitingBytes = 256 * 1024;
/// Payload of one write.
constexpr std::size_t kMaxWriteBytes = 1024 * 1024;
/// Smaller PDUs are cheaper as one gathering write of many than as two system calls each.
constexpr std::uint32_t kMinFilePduBytes = 32 * 1024;
constexpr std::size_t kFragmentHeaderBytes = ul::kPduHeaderBytes + ul::kPdvHeaderBytes;

/// Lists the PDVs of `part` for one gathering write: header, bytes, header, bytes …
void cut(ul::PresentationContextId context, std::span<const std::byte> part, bool ends_data_set,
         std::size_t most, ByteBuffer& headers, std::vector<std::span<const std::byte>>& pieces) {
    const std::size_t fragments = part.empty() ? 1 : (part.size() + most - 1) / most;
    std::byte* at = headers.prepare(fragments * kFragmentHeaderBytes).data();
    for (std::size_t i = 0; i < fragments; ++i, at += kFragmentHeaderBytes) {
        const auto bytes = part.subspan(i * most, std::min(most, part.size() - i * most));
        ul::PdvHeader header;
        header.context = context;
        header.is_last = ends_data_set && i + 1 == fragments;
        header.bytes = static_cast<std::uint32_t>(bytes.size());
        ul::write_p_data_header(header, at);
        pieces.emplace_back(at, kFragmentHeaderBytes);
        pieces.push_back(bytes);
    }
}

/// Lists the PDVs of `range`; `headers` begins with what goes before the first.
void cut_file(ul::PresentationContextId context, const FileRange& range, bool ends_data_set, std::size_t most,
              ByteBuffer& headers, std::vector<ul::FilePiece>& pieces) {
    const std::size_t before = headers.size();
    const auto fragments = static_cast<std::size_t>((range.length + most - 1) / most);
    std::byte* at = headers.prepare(fragments * kFragmentHeaderBytes).data();
    headers.commit(fragments * kFragmentHeaderBytes);
    for (std::size_t i = 0; i < fragments; ++i, at += kFragmentHeaderBytes) {
        ul::PdvHeader header;
        header.context = context;
        header.is_last = ends_data_set && i + 1 == fragments;
        header.bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, range.length - i * most));
        ul::write_p_data_header(header, at);
        ul::FilePiece piece;
        piece.head = i == 0 ? std::as_const(headers).span().first(before + kFragmentHeaderBytes)
                            : std::span<const std::byte>(at, kFragmentHeaderBytes);
        piece.offset = range.offset + i * most;
        piece.bytes = header.bytes;
        pieces.push_back(piece);
    }
}

}  // namespace

Messenger::Messenger(std::shared_ptr<ul::Association> association, AssemblyLimits limits,
                     ReceiverSource receivers, FrontRoom front_room)
    : association_(std::move(association)),
      assembler_(limits, std::move(receivers), std::move(front_room)),
      arrived_(association_->executor()) {}

// ---- arriving

std::variant<ul::Negotiated, ul::Rejection> Messenger::decide(const ul::AssociateRq&) {
    return ul::Rejection{ul::RejectReason::no_reason, "not an acceptor"};
}

Result<void> Messenger::received(const ul::Pdv& pdv) {
    if (ul::find_context(association_->contexts(), pdv.context) == nullptr)
        return Error(Errc::protocol_error, "fragment in a presentation context that was not accepted");
    auto added = assembler_.add(pdv);
    if (!added) {
        assembler_.forget();
        return std::move(added).error();
    }
    if (!added->has_value()) return {};
    Message& message = **added;
    answer_goes_on_ =
        is_response(message.command.field) && message.command.status && is_pending(*message.command.status);
    if (message.command.field == CommandField::c_cancel_rq) {
        const auto id = message.command.responded_message_id;
        if (!id) return Error(Errc::protocol_error, "C-CANCEL-RQ without a message id");
        if (active_ == id) cancelled_ = true;
        for (auto& waiting : queue_)
            if (waiting.command.message_id == id) waiting.cancelled = true;
        return {};
    }
    if (is_response(message.command.field)) {
        if (!expects_responses_) return Error(Errc::protocol_error, "response to nothing");
        if (!message.command.status || !message.command.responded_message_id)
            return Error(Errc::protocol_error, "response without status or message id");
    } else if (!message.command.message_id) {
        return Error(Errc::protocol_error, "request without a message id");
    }
    take(std::move(message));
    return {};
}

void Messenger::take(Message message) {
    queued_bytes_ += message.data_set.size();
    queue_.push_back(std::move(message));
    arrived_.notify();
}

bool Messenger::wants_more() const {
    return assembler_.wants_more() && queue_.size() < kMaxQueuedMessages &&
           (queued_bytes_ < kMaxQueuedBytes || queue_.size() < 2);
}

bool Messenger::may_get_more() const {
    return !one_at_a_time_ || answer_goes_on_ || !assembler_.between_messages();
}

bool Messenger::has(bool response) const noexcept {
    return std::any_of(queue_.begin(), queue_.end(),
                       [&](const Message& one) { return is_response(one.command.field) == response; });
}

const Message* Messenger::next_request() const noexcept {
    return queue_.empty() || is_response(queue_.front().command.field) ? nullptr : &queue_.front();
}

Message Messenger::pop(bool response) {
    const auto at = std::find_if(queue_.begin(), queue_.end(), [&](const Message& one) {
        return is_response(one.command.field) == response;
    });
    const bool was_full = !wants_more();
    Message message = std::move(*at);
    queue_.erase(at);
    queued_bytes_ -= message.data_set.size();
    if (was_full && wants_more()) association_->resume();
    return message;
}

void Messenger::release_requested() {
    release_requested_ = true;
    if (confirms_release_at_once_ && queue_.empty()) association_->confirm_release();
    arrived_.notify();
}

void Messenger::ended(const ul::End& end) {
    ended_ = end;
    assembler_.forget();
    arrived_.notify();
}

Task<Result<std::optional<Message>>> Messenger::receive_request() {
    for (;;) {
        if (ended_) co_return ended_->error;
        if (has(false)) co_return std::optional<Message>(pop(false));
        if (release_requested_ || std::exchange(interrupted_, false)) co_return std::optional<Message>();
        co_await arrived_.wait();
    }
}

void Messenger::interrupt() {
    interrupted_ = true;
    arrived_.notify();
}

Task<Result<Message>> Messenger::receive_response() {
    for (;;) {
        if (ended_) co_return ended_->error;
        if (has(true)) co_return pop(true);
        if (release_requested_) {  // nothing comes behind A-RELEASE-RQ (PS3.8 7.2.2)
            Error gone(Errc::connection_lost, "the peer released the association instead of answering");
            co_return gone;
        }
        co_await arrived_.wait();
    }
}

std::optional<Message> Messenger::take_response() {
    if (!has(true)) return std::nullopt;
    return pop(true);
}

Task<Result<Message>> Messenger::receive_any() {
    for (;;) {
        if (!queue_.empty()) co_return pop(is_response(queue_.front().command.field));
        if (ended_) co_return ended_->error;
        co_await arrived_.wait();
    }
}

void Messenger::set_active(std::optional<std::uint16_t> message_id, bool already_cancelled) {
    active_ = message_id;
    cancelled_ = already_cancelled;
}

Error Messenger::protocol_error(std::string what) {
    Error error(Errc::protocol_error, std::move(what));
    association_->abort(ul::user_abort(), error);
    return error;
}

// ---- leaving

Task<Result<void>> Messenger::send(ul::PresentationContextId context, CommandSet command,
                                   std::span<const std::byte> data_set) {
    ByteBuffer pdus;
    encode_message(context, command, data_set, association_->max_outgoing_pdu_bytes(), pdus);
    const std::array<std::span<const std::byte>, 1> pieces{pdus.span()};
    co_return co_await association_->write(pieces);
}

Task<Result<void>> Messenger::send_soon(ul::PresentationContextId context, const CommandSet& command,
                                        std::span<const std::byte> data_set) {
    ByteBuffer pdus;
    encode_message(context, command, data_set, association_->max_outgoing_pdu_bytes(), pdus);
    association_->write_soon(pdus.span());
    return association_->drain(kMaxWaitingBytes);
}

Task<Result<void>> Messenger::send(ul::PresentationContextId context, CommandSet command, Payload& payload) {
    command.has_data_set = true;
    std::span<const std::byte> first;
    std::optional<FileRange> in_file;
    if (payload.size_bytes() != 0 && association_->sends_files() &&
        association_->max_outgoing_pdu_bytes() >= kMinFilePduBytes) {
        auto range = co_await payload.next_in_file();
        if (!range) co_return std::move(range).error();
        in_file = std::move(*range);
    }
    if (payload.size_bytes() != 0 && !in_file) {
        auto chunk = co_await payload.next();
        if (!chunk) co_return std::move(chunk).error();
        first = *chunk;
    }
    ByteBuffer head;
    encode_command(context, command, association_->max_outgoing_pdu_bytes(), head);
    if (in_file) co_return co_await send_from_file(context, std::move(head), std::move(*in_file), payload);
    co_return co_await send_chunks(context, std::move(head), first, payload);
}

Task<Result<void>> Messenger::send_chunks(ul::PresentationContextId context, ByteBuffer head,
                                          std::span<const std::byte> first, Payload& payload) {
    const std::size_t most = max_fragment_bytes(association_->max_outgoing_pdu_bytes());
    std::uint64_t left = payload.size_bytes();
    std::span<const std::byte> chunk = first;
    ByteBuffer headers;
    std::vector<std::span<const std::byte>> pieces;
    do {
        if (chunk.empty() && left != 0) {
            auto next = co_await payload.next();
            if (!next) co_return abandon(std::move(next).error());
            chunk = *next;
        }
        if (chunk.size() > left || (chunk.empty() && left != 0))
            co_return abandon(Error(Errc::mismatch, "payload is not as long as it said"));
        const auto part = chunk.first(std::min(chunk.size(), kMaxWriteBytes));
        chunk = chunk.subspan(part.size());
        left -= part.size();
        pieces.clear();
        if (!head.empty()) pieces.push_back(head.span());
        headers.clear();
        cut(context, part, left == 0, most, headers, pieces);
        auto written = co_await association_->write(pieces);
        if (!written) co_return std::move(written).error();
        head.clear();
    } while (left != 0);
    co_return Result<void>();
}

Task<Result<void>> Messenger::send_from_file(ul::PresentationContextId context, ByteBuffer head,
                                             FileRange first, Payload& payload) {
    const std::size_t most = max_fragment_bytes(association_->max_outgoing_pdu_bytes());
    std::uint64_t left = payload.size_bytes();
    std::optional<FileRange> range(std::move(first));
    ByteBuffer headers(head.span());
    std::vector<ul::FilePiece> pieces;
    for (;;) {
        if (!range || range->length == 0 || range->length > left)
            co_return abandon(Error(Errc::mismatch, "payload is not as long as it said"));
        left -= range->length;
        cut_file(context, *range, left == 0, most, headers, pieces);
        auto written = co_await association_->write_from_file(range->descriptor, pieces);
        if (!written) co_return abandon(std::move(written).error());
        if (left == 0) co_return Result<void>();
        headers.clear();
        pieces.clear();
        auto next = co_await payload.next_in_file();
        if (!next) co_return abandon(std::move(next).error());
        range = std::move(*next);
    }
}

/// Half an object is on its way: only an abort tells the peer that the rest will not come.
Error Messenger::abandon(Error why) {
    association_->abort(ul::user_abort(), why);
    return why;
}

}  // namespace sagitta::net::dimse
