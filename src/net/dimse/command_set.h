// Command sets (PS3.7 section 6.3, 9.3 and Annex E): what stands before every message, always
// Implicit VR Little Endian. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/tag.h"
#include "dicom/uid.h"
#include "net/dimse/handlers.h"
#include "net/dimse/status.h"
#include "net/ul/ae_title.h"

namespace sagitta::net::dimse {

/// (0000,0100); other values may come from a peer.
enum class CommandField : std::uint16_t {
    c_store_rq = 0x0001,
    c_store_rsp = 0x8001,
    c_get_rq = 0x0010,
    c_get_rsp = 0x8010,
    c_find_rq = 0x0020,
    c_find_rsp = 0x8020,
    c_move_rq = 0x0021,
    c_move_rsp = 0x8021,
    c_echo_rq = 0x0030,
    c_echo_rsp = 0x8030,
    c_cancel_rq = 0x0fff,
    n_event_report_rq = 0x0100,
    n_event_report_rsp = 0x8100,
    n_get_rq = 0x0110,
    n_get_rsp = 0x8110,
    n_set_rq = 0x0120,
    n_set_rsp = 0x8120,
    n_action_rq = 0x0130,
    n_action_rsp = 0x8130,
    n_create_rq = 0x0140,
    n_create_rsp = 0x8140,
};

[[nodiscard]] constexpr bool is_response(CommandField field) noexcept {
    return (static_cast<std::uint16_t>(field) & 0x8000u) != 0;
}
[[nodiscard]] constexpr CommandField response_to(CommandField request) noexcept {
    return static_cast<CommandField>(static_cast<std::uint16_t>(request) | 0x8000u);
}

/// The elements of PS3.7 Annex E.1 that the services here use; absent ones are empty. A UID or
/// AE title that is not one reads as absent.
struct CommandSet {
    CommandField field{};
    std::optional<std::uint16_t> message_id;
    std::optional<std::uint16_t> responded_message_id;
    std::optional<dicom::Uid> affected_sop_class_uid;
    std::optional<dicom::Uid> requested_sop_class_uid;
    std::optional<dicom::Uid> affected_sop_instance_uid;
    std::optional<dicom::Uid> requested_sop_instance_uid;
    std::optional<std::uint16_t> priority;
    std::optional<Status> status;
    std::optional<ul::AeTitle> move_destination;
    std::optional<ul::AeTitle> move_originator;
    std::optional<std::uint16_t> move_originator_message_id;
    std::optional<std::uint16_t> remaining;
    std::optional<std::uint16_t> completed;
    std::optional<std::uint16_t> failed;
    std::optional<std::uint16_t> warning;
    std::optional<std::uint16_t> event_type_id;
    std::optional<std::uint16_t> action_type_id;
    std::string error_comment;
    std::vector<dicom::Tag> offending_elements;
    std::optional<std::uint16_t> error_id;
    std::vector<dicom::Tag> attribute_identifiers;  ///< (0000,1005)
    bool instance_uid_is_none = false;              ///< (0000,1000) or (0000,1001) holds something else
    bool has_data_set = false;                      ///< Command Data Set Type (0000,0800) is not 0101

    /// What the peer's response says about the end of the operation.
    [[nodiscard]] Outcome outcome() const;
    [[nodiscard]] SubOperationCounts counts() const;
    bool operator==(const CommandSet&) const = default;
};

/// Unknown elements are skipped. Errors: truncated, malformed (an element of another group, no
/// command field, a number of the wrong length), with the byte offset.
[[nodiscard]] Result<CommandSet> decode_command_set(std::span<const std::byte> bytes);

/// Appends the command set with its group length. The Error Comment is cut to 64 characters,
/// others than printable ASCII become '?'.
void encode(const CommandSet& command, ByteBuffer& out);

}  // namespace sagitta::net::dimse
