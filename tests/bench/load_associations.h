// Associations begun and ended one after the other: by hand-made PDUs over blocking sockets, so that what is
// measured is the peer's work and not this side's.
#pragma once

#include "tests/bench/load_modes.h"

namespace sagitta::bench {

/// Associate, echo, release, as often as `settings.operations` says; a thread for each of
/// `settings.associations`. Errors: invalid_argument for a host that is not a number.
[[nodiscard]] Result<LoadResult> run_associations(const LoadSettings& settings);

}  // namespace sagitta::bench
