// Commands, identifiers and association requests as lines of a trace. Values about patients are told by their
// length and kind alone. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dicom/data_set.h"
#include "net/dimse/command_set.h"
#include "net/ul/pdu_codec.h"

namespace sagitta::trace {

/// "PatientName: 12 characters, 1 wildcard"; UIDs, levels and character sets stand as they are.
[[nodiscard]] std::vector<std::string> masked_lines(const dicom::DataSet& data_set);

/// "C-FIND-RQ", or its number.
[[nodiscard]] std::string command_name(net::dimse::CommandField field);
/// By keyword. A comment of the peer's is free text: its length.
[[nodiscard]] std::vector<std::string> command_lines(const net::dimse::CommandSet& command, bool from_peer);

/// "A-ASSOCIATE-RQ".
[[nodiscard]] std::string pdu_name(const net::ul::ControlPdu& pdu);
/// Contexts, UIDs with names, roles, who the user claims to be; never a passcode.
[[nodiscard]] std::vector<std::string> control_lines(const net::ul::ControlPdu& pdu);

/// "1.2.840.10008.1.1 Verification", escaped.
[[nodiscard]] std::string named_uid(std::string_view uid);

}  // namespace sagitta::trace
