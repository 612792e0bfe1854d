#include "trace/wire_reader.h"

#include <algorithm>

#include "core/bytes.h"

namespace sagitta::trace {

namespace ul = net::ul;

namespace {

constexpr std::uint32_t kMaxControlBytes = 1 << 20;
constexpr std::size_t kMaxCommandBytes = 64 * 1024;
/// Of an identifier or another data set that is not an object.
constexpr std::size_t kKeptDataSetBytes = 256 * 1024;

bool is_object(const net::dimse::CommandSet& command) {
    return command.field == net::dimse::CommandField::c_store_rq;
}

}  // namespace

void WireReader::give_up(std::string_view why, std::span<const std::byte> bytes) {
    where_ = Where::lost;
    events_.lost(why, bytes);
    held_ = ByteBuffer();
    command_bytes_ = ByteBuffer();
    data_set_ = ByteBuffer();
}

bool WireReader::collect(std::span<const std::byte>& bytes, std::size_t wanted) {
    const std::size_t count = std::min(wanted - held_.size(), bytes.size());
    held_.append(bytes.first(count));
    bytes = bytes.subspan(count);
    return held_.size() == wanted;
}

void WireReader::take(std::span<const std::byte> bytes) {
    while (where_ != Where::lost) {
        switch (where_) {
            case Where::pdu_header:
                if (!collect(bytes, ul::kPduHeaderBytes)) return;
                take_pdu_header();
                break;
            case Where::control_body:
                if (!collect(bytes, pdu_left_)) return;
                take_control();
                break;
            case Where::pdv_header:
                if (!collect(bytes, ul::kPdvHeaderBytes)) return;
                take_pdv_header();
                break;
            case Where::value: {
                if (bytes.empty() && value_left_ != 0) return;
                const auto count =
                    static_cast<std::uint32_t>(std::min<std::size_t>(value_left_, bytes.size()));
                take_value(bytes.first(count), count);
                bytes = bytes.subspan(count);
                break;
            }
            case Where::lost: return;
        }
    }
}

void WireReader::skip(std::uint64_t bytes) {
    if (where_ == Where::lost) return;
    if (where_ != Where::value || bytes > value_left_) return give_up("bytes went by unseen", {});
    take_value({}, static_cast<std::uint32_t>(bytes));
}

void WireReader::take_pdu_header() {
    const auto type = static_cast<std::uint8_t>(held_.data()[0]);
    pdu_bytes_ = pdu_left_ = load_be<std::uint32_t>(held_.data() + 2);
    if (type < 1 || type > 7) return give_up("not a PDU of PS3.8", held_.span());
    type_ = static_cast<ul::PduType>(type);
    if (type_ != ul::PduType::p_data_tf && pdu_left_ > kMaxControlBytes)
        return give_up("a PDU too long to look at", held_.span());
    held_.clear();
    where_ = type_ == ul::PduType::p_data_tf ? Where::pdv_header : Where::control_body;
    if (type_ == ul::PduType::p_data_tf && pdu_left_ < ul::kPdvHeaderBytes)
        give_up("a P-DATA-TF without a presentation data value", {});
}

void WireReader::take_control() {
    const auto pdu = ul::decode_control_pdu(type_, held_.span());
    if (!pdu) return give_up(pdu.error().message(), held_.span());
    where_ = Where::pdu_header;
    held_.clear();
    events_.control(*pdu, pdu_bytes_);
}

void WireReader::take_pdv_header() {
    const auto length = load_be<std::uint32_t>(held_.data());
    pdv_.context = static_cast<ul::PresentationContextId>(held_.data()[4]);
    const auto control = static_cast<std::uint8_t>(held_.data()[5]);
    held_.clear();
    pdu_left_ -= static_cast<std::uint32_t>(ul::kPdvHeaderBytes);
    if (length < 2 || length - 2 > pdu_left_)
        return give_up("a presentation data value longer than its PDU", {});
    pdv_.is_command = (control & 1) != 0;
    pdv_.is_last = (control & 2) != 0;
    pdv_.bytes = value_left_ = length - 2;
    pdu_left_ -= value_left_;
    if (pdu_left_ != 0 && pdu_left_ < ul::kPdvHeaderBytes) return give_up("stray bytes behind a value", {});
    events_.fragment(pdv_, std::exchange(pdu_bytes_, 0u));
    where_ = Where::value;
}

void WireReader::take_value(std::span<const std::byte> seen, std::uint32_t count) {
    value_left_ -= count;
    if (pdv_.is_command) {
        if (command_bytes_.size() + seen.size() > kMaxCommandBytes)
            return give_up("a command set too long", {});
        command_bytes_.append(seen);
    } else {
        if (data_set_bytes_ == 0) data_set_began_ = std::chrono::steady_clock::now();
        data_set_bytes_ += count;
        if (!is_object(command_)) {
            const std::size_t room = kKeptDataSetBytes - std::min(kKeptDataSetBytes, data_set_.size());
            data_set_.append(seen.first(std::min(room, seen.size())));
        }
    }
    if (value_left_ == 0) end_of_value();
}

void WireReader::end_of_value() {
    where_ = pdu_left_ == 0 ? Where::pdu_header : Where::pdv_header;
    if (!pdv_.is_last) return;
    if (pdv_.is_command) {
        auto command = net::dimse::decode_command_set(command_bytes_.span());
        if (!command) return give_up(command.error().message(), {});
        command_bytes_.clear();
        command_ = std::move(*command);
        events_.command(pdv_.context, command_);
        return;
    }
    events_.data_set(pdv_.context, command_, data_set_.span(), data_set_bytes_,
                     std::chrono::steady_clock::now() - data_set_began_);
    data_set_ = ByteBuffer();
    data_set_bytes_ = 0;
}

}  // namespace sagitta::trace
