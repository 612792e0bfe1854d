// The least a server can do with associations: what the machine itself can do, beside servers that do more.
#pragma once

#include "tests/bench/load_modes.h"

namespace sagitta::bench {

/// Listens on the port of `settings.peer` and says so on standard output; answers what run_associations()
/// asks with ready-made bytes, `settings.threads` connections at a time, and looks at none of what it is
/// sent. Returns, with the exit status, only when it cannot listen.
int run_least(const LoadSettings& settings);

}  // namespace sagitta::bench
