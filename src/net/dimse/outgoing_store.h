// C-STOREs as they are handed to whoever sends them (PS3.7 9.1.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "dicom/uid.h"
#include "net/dimse/payload.h"
#include "net/dimse/status.h"
#include "net/ul/ae_title.h"

namespace sagitta::net::dimse {

/// What a C-STORE says, and its bytes.
struct OutgoingStore {
    dicom::Uid sop_class_uid;
    dicom::Uid sop_instance_uid;
    std::string transfer_syntax_uid;  ///< of the payload; must be an accepted one
    std::optional<ul::AeTitle> move_originator;
    std::uint16_t move_originator_message_id = 0;
    std::unique_ptr<Payload> payload;
};

/// The next one to send; nothing when there are no more.
using NextStore = std::function<Task<std::optional<OutgoingStore>>()>;
/// What became of the one that was given as number `index` (from 0), in the order of the peer's answers.
/// Errors: unsupported (no accepted context for it), the payload's own when it failed before its first
/// byte, or what ended the association before the answer.
using OnStored = std::function<Task<void>(std::size_t index, Result<Outcome> answer)>;

}  // namespace sagitta::net::dimse
