// PDUs to bytes and back (PS3.8 section 9.3, PS3.7 Annex D.3). Pure; trusts no length. P-DATA-TF
// is read piecewise by pdu_reader.h and written with the header helper here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "net/ul/pdu.h"

namespace sagitta::net::ul {

inline constexpr std::size_t kPduHeaderBytes = 6;
inline constexpr std::size_t kPdvHeaderBytes = 6;  ///< length, context id, control header

/// Every PDU but P-DATA-TF.
using ControlPdu = std::variant<AssociateRq, AssociateAc, AssociateRj, ReleaseRq, ReleaseRp, Abort>;

/// `body` is what follows the header of 6 bytes. Unknown items are skipped, reserved fields not
/// tested. Errors: malformed, truncated (offset within the body); unsupported for another type.
[[nodiscard]] Result<ControlPdu> decode_control_pdu(PduType type, std::span<const std::byte> body);

/// Appends the whole PDU. Errors: limit_exceeded when an item is longer than its length field.
[[nodiscard]] Result<void> encode(const AssociateRq& pdu, ByteBuffer& out);
[[nodiscard]] Result<void> encode(const AssociateAc& pdu, ByteBuffer& out);
void encode(const AssociateRj& pdu, ByteBuffer& out);
void encode(const ReleaseRq& pdu, ByteBuffer& out);
void encode(const ReleaseRp& pdu, ByteBuffer& out);
void encode(const Abort& pdu, ByteBuffer& out);

/// Writes the headers of a P-DATA-TF with one PDV of `bytes` bytes (PS3.8 9.3.5) to `at`, which
/// has room for kPduHeaderBytes + kPdvHeaderBytes.
struct PdvHeader {
    PresentationContextId context{};
    bool is_command = false;
    bool is_last = false;
    std::uint32_t bytes = 0;
};
void write_p_data_header(const PdvHeader& header, std::byte* at) noexcept;

}  // namespace sagitta::net::ul
