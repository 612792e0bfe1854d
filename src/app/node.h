// The node: every part made, wired, started and stopped in order. The one page that knows them all.
#pragma once

#include "app/configuration.h"

namespace sagitta::app {

/// Runs until SIGTERM or SIGINT, then lets associations finish (limits.shutdown_grace), aborts the
/// rest and closes the archive. Exit status: 0 ended as asked, 1 could not start. Blocks those
/// signals for the whole process.
int serve(const Configuration& configuration);

}  // namespace sagitta::app
