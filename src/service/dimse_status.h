// Our errors as the statuses of PS3.4 and PS3.7 Annex C: one table for each service.
#pragma once

#include "core/error.h"
#include "net/dimse/status.h"

namespace sagitta::service {

/// C-STORE (PS3.4 B.2.3): A700 no room, A900 not the stated SOP Class or Instance, C000 cannot
/// understand, 0110 our own failure. The comment is the error's message.
[[nodiscard]] net::dimse::Outcome store_outcome(const Error& error);

/// C-FIND, C-GET, C-MOVE before the first match (PS3.4 C.4.1.1.4, C.4.2.1.5): A900 identifier does
/// not match the SOP Class, A700 out of resources, C000 unable to process.
[[nodiscard]] net::dimse::Outcome query_outcome(const Error& error);

}  // namespace sagitta::service
