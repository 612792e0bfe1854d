// What a C-GET offers to take, within the 128 presentation contexts of an association.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/scu/client.h"

namespace sagitta::tools {

/// Storage SOP classes, the common image classes first, so that they get a context for each
/// transfer syntax and the others share one. Both lists narrow it down, by keyword or UID; an empty
/// one means all. Errors: invalid_argument.
[[nodiscard]] Result<std::vector<net::scu::WantedContext>> retrieve_contexts(
    std::span<const std::string> sop_classes, std::span<const std::string> transfer_syntaxes);

}  // namespace sagitta::tools
