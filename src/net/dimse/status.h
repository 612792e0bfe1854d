// Status codes (PS3.7 Annex C, PS3.4 B.2.3, C.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dicom/tag.h"

namespace sagitta::net::dimse {

/// Any 16-bit value may come from a peer; these are the ones with a name here.
enum class Status : std::uint16_t {
    success = 0x0000,
    optional_attributes_not_supported = 0x0001,  ///< N-GET: warning
    cancel = 0xfe00,
    pending = 0xff00,
    pending_optional_keys_not_supported = 0xff01,
    no_such_attribute = 0x0105,
    invalid_attribute_value = 0x0106,
    attribute_list_error = 0x0107,
    processing_failure = 0x0110,
    duplicate_sop_instance = 0x0111,
    no_such_sop_instance = 0x0112,
    no_such_event_type = 0x0113,
    no_such_action = 0x0123,
    no_such_sop_class = 0x0118,
    invalid_argument_value = 0x0115,
    invalid_object_instance = 0x0117,
    missing_attribute = 0x0120,
    missing_attribute_value = 0x0121,
    sop_class_not_supported = 0x0122,  ///< "Refused: SOP class not supported"
    not_authorized = 0x0124,
    duplicate_invocation = 0x0210,
    unrecognized_operation = 0x0211,
    mistyped_argument = 0x0212,
    resource_limitation = 0x0213,
    out_of_resources = 0xa700,
    unable_to_calculate_matches = 0xa701,
    unable_to_perform_sub_operations = 0xa702,
    move_destination_unknown = 0xa801,
    identifier_does_not_match_sop_class = 0xa900,
    cannot_understand = 0xc000,
    unable_to_process = 0xc001,
    coercion_of_data_elements = 0xb000,  ///< store: warning; retrieve: some sub-operations failed
    data_set_does_not_match_sop_class = 0xb007,
    elements_discarded = 0xb006,
};

[[nodiscard]] constexpr std::uint16_t code(Status status) noexcept {
    return static_cast<std::uint16_t>(status);
}
[[nodiscard]] constexpr bool is_pending(Status status) noexcept {
    return status == Status::pending || status == Status::pending_optional_keys_not_supported;
}
/// 0001, 0107, 0116, Bxxx (PS3.7 Annex C).
[[nodiscard]] constexpr bool is_warning(Status status) noexcept {
    const auto value = code(status);
    return value == 0x0001 || value == 0x0107 || value == 0x0116 || (value & 0xf000) == 0xb000;
}

/// How an operation ended. The comment is cut to 64 characters on the wire and must hold no
/// attribute value.
struct Outcome {
    Status status = Status::success;
    std::string error_comment;
    std::vector<dicom::Tag> offending_elements;  ///< of DIMSE-N: Attribute Identifier List (0000,1005)
    std::optional<std::uint16_t> error_id;       ///< (0000,0903)

    Outcome() = default;
    explicit Outcome(Status s) : status(s) {}
    Outcome(Status s, std::string comment) : status(s), error_comment(std::move(comment)) {}
    Outcome(Status s, std::string comment, std::vector<dicom::Tag> elements)
        : status(s), error_comment(std::move(comment)), offending_elements(std::move(elements)) {}
};

}  // namespace sagitta::net::dimse
