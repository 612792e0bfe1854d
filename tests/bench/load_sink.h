// A node that takes every object and forgets it: where C-MOVE sends in a benchmark.
#pragma once

#include "tests/bench/load_modes.h"

namespace sagitta::bench {

/// Listens on the port of `settings.peer` until SIGTERM or SIGINT; says so on standard output. The answer is
/// the exit status.
int run_sink(const LoadSettings& settings);

}  // namespace sagitta::bench
