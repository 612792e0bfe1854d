// [[storage.retention]] of the configuration. Internal to app.
#pragma once

#include <vector>

#include "app/configuration.h"
#include "app/toml.h"

namespace sagitta::app {

/// Puts the rules into the configuration; the answer are the problems.
[[nodiscard]] std::vector<Remark> read_retentions(const toml::node& node, std::uint32_t line,
                                                  Configuration& configuration);

}  // namespace sagitta::app
