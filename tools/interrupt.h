// Ctrl-C and SIGTERM for commands that stop between two objects.
#pragma once

#include <atomic>

namespace sagitta::tools {

/// From now on the first of them sets what this returns; the second ends the process.
[[nodiscard]] const std::atomic<bool>& stop_on_interrupt();

}  // namespace sagitta::tools
