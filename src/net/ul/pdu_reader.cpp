#include "net/ul/pdu_reader.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"

namespace sagitta::net::ul {

namespace {

/// How a ClientHello begins, which is no PDU.
constexpr std::uint8_t kTlsHandshake = 22;
constexpr std::byte kTlsMajorVersion{3};

}  // namespace

/// Moves bytes into held_ until it has `wanted`; memory grows with what has arrived only.
bool PduReader::collect(std::span<const std::byte>& input, std::size_t wanted) {
    const std::size_t take = std::min(wanted - held_.size(), input.size());
    held_.append(input.first(take));
    input = input.subspan(take);
    return held_.size() == wanted;
}

PduReader::Item PduReader::fail(AbortReason reason, Error error) {
    where_ = Where::dead;
    held_ = ByteBuffer();
    return Invalid{reason, std::move(error)};
}

std::optional<PduReader::Item> PduReader::take_header() {
    const auto type = static_cast<std::uint8_t>(held_.data()[0]);
    const bool tls = type == kTlsHandshake && held_.data()[1] == kTlsMajorVersion;
    pdu_left_ = load_be<std::uint32_t>(held_.data() + 2);
    held_.clear();
    if (type < 1 || type > 7)
        return fail(AbortReason::unrecognized_pdu,
                    Error(Errc::protocol_error, tls ? "the peer speaks TLS, this side plain DICOM"
                                                    : "unknown PDU type " + std::to_string(type)));
    type_ = static_cast<PduType>(type);
    const std::uint32_t limit = type_ == PduType::p_data_tf ? max_p_data_bytes_ : max_control_bytes_;
    if (pdu_left_ > limit)
        return fail(
            AbortReason::invalid_pdu_parameter_value,
            Error(Errc::limit_exceeded, "PDU of " + std::to_string(pdu_left_) +
                                            " bytes is longer than the limit of " + std::to_string(limit)));
    if (type_ != PduType::p_data_tf) {
        where_ = Where::control_body;
        return std::nullopt;
    }
    if (pdu_left_ < kPdvHeaderBytes)
        return fail(AbortReason::invalid_pdu_parameter_value,
                    Error(Errc::malformed, "P-DATA-TF without a presentation data value"));
    where_ = Where::pdv_header;
    return PDataBegins{};
}

PduReader::Item PduReader::take_control() {
    auto pdu = decode_control_pdu(type_, held_.span());
    held_ = ByteBuffer();
    where_ = Where::header;
    if (!pdu) return fail(AbortReason::invalid_pdu_parameter_value, std::move(pdu).error());
    return std::move(*pdu);
}

std::optional<PduReader::Item> PduReader::take_pdv_header() {
    const auto length = load_be<std::uint32_t>(held_.data());
    const auto context = static_cast<PresentationContextId>(held_.data()[4]);
    const auto control = static_cast<std::uint8_t>(held_.data()[5]);
    held_.clear();
    pdu_left_ -= static_cast<std::uint32_t>(kPdvHeaderBytes);
    if (length < 2 || length - 2 > pdu_left_)
        return fail(AbortReason::invalid_pdu_parameter_value,
                    Error(Errc::malformed, "length of a presentation data value does not fit its PDU"));
    pdv_left_ = length - 2;
    pdu_left_ -= pdv_left_;
    if (pdu_left_ != 0 && pdu_left_ < kPdvHeaderBytes)
        return fail(AbortReason::invalid_pdu_parameter_value,
                    Error(Errc::malformed, "stray bytes at the end of a P-DATA-TF"));
    pdv_ = Pdv{context, (control & 1) != 0, (control & 2) != 0, {}};
    where_ = Where::pdv_body;
    return std::nullopt;
}

PduReader::Item PduReader::take_pdv_bytes(std::span<const std::byte>& input) {
    const auto take = static_cast<std::uint32_t>(std::min<std::size_t>(pdv_left_, input.size()));
    Pdv piece = pdv_;
    piece.bytes = input.first(take);
    input = input.subspan(take);
    pdv_left_ -= take;
    if (pdv_left_ != 0) {
        piece.is_last = false;
        return piece;
    }
    where_ = pdu_left_ == 0 ? Where::header : Where::pdv_header;
    return piece;
}

std::optional<PduReader::Item> PduReader::next(std::span<const std::byte>& input) {
    for (;;) {
        switch (where_) {
            case Where::dead: input = {}; return std::nullopt;
            case Where::header:
                if (!collect(input, kPduHeaderBytes)) return std::nullopt;
                if (auto item = take_header()) return item;
                break;
            case Where::control_body:
                if (!collect(input, pdu_left_)) return std::nullopt;
                return take_control();
            case Where::pdv_header:
                if (!collect(input, kPdvHeaderBytes)) return std::nullopt;
                if (auto item = take_pdv_header()) return item;
                break;
            case Where::pdv_body:
                if (input.empty() && pdv_left_ != 0) return std::nullopt;
                return take_pdv_bytes(input);
        }
    }
}

}  // namespace sagitta::net::ul
