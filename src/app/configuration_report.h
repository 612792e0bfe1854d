// A configuration told back to its operator: as a file, and in sentences.
#pragma once

#include <string>
#include <vector>

#include "app/configuration.h"

namespace sagitta::app {

/// Every key, also those left at their default, in the form the file has.
[[nodiscard]] std::string to_toml(const Configuration& configuration);

/// What would happen: where it listens, who may come in and do what, where C-MOVE may go.
[[nodiscard]] std::vector<std::string> explain(const Configuration& configuration);

}  // namespace sagitta::app
