// Cuts the byte stream of one association into PDUs, whatever pieces it arrives in. P-DATA-TF is
// handed on as it comes, so no PDU is ever held whole; other PDUs are collected up to a cap. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "core/byte_buffer.h"
#include "core/error.h"
#include "net/ul/abort.h"
#include "net/ul/pdu_codec.h"

namespace sagitta::net::ul {

class PduReader {
public:
    /// A P-DATA-TF has begun (Evt10); its Pdv pieces follow.
    struct PDataBegins {};
    /// The stream is beyond repair (Evt19); the reader gives nothing any more.
    struct Invalid {
        AbortReason reason = AbortReason::not_specified;
        Error error;
    };
    using Item = std::variant<PDataBegins, Pdv, ControlPdu, Invalid>;

    /// `max_p_data_bytes` is the maximum length we announced (PS3.8 D.1); lengths without headers.
    PduReader(std::uint32_t max_p_data_bytes, std::uint32_t max_control_bytes)
        : max_p_data_bytes_(max_p_data_bytes), max_control_bytes_(max_control_bytes) {}

    /// Takes what it can use off the front of `input`. Nothing means: all of `input` is used up.
    /// A Pdv points into `input`; `is_last` is set only on the last piece of the last fragment.
    [[nodiscard]] std::optional<Item> next(std::span<const std::byte>& input);

    /// Before the association is agreed on nothing larger than the cap can be announced.
    void set_max_p_data_bytes(std::uint32_t bytes) noexcept { max_p_data_bytes_ = bytes; }
    /// In the middle of a PDU: for telling a cut-off peer from an orderly one.
    [[nodiscard]] bool inside_pdu() const noexcept { return where_ != Where::header || held_.size() != 0; }

private:
    enum class Where : std::uint8_t { header, control_body, pdv_header, pdv_body, dead };

    bool collect(std::span<const std::byte>& input, std::size_t wanted);
    std::optional<Item> take_header();
    Item take_control();
    std::optional<Item> take_pdv_header();
    Item take_pdv_bytes(std::span<const std::byte>& input);
    Item fail(AbortReason reason, Error error);

    std::uint32_t max_p_data_bytes_;
    std::uint32_t max_control_bytes_;
    Where where_ = Where::header;
    PduType type_{};
    std::uint32_t pdu_left_ = 0;  ///< of the body of the current PDU
    std::uint32_t pdv_left_ = 0;  ///< of the value of the current PDV
    Pdv pdv_;
    ByteBuffer held_;  ///< a header cut by the end of a piece, or a control PDU's body
};

}  // namespace sagitta::net::ul
