// `sagitta mpps list` and `show`: the procedure steps of an archive beside what it has of them.
#pragma once

#include "command.h"

namespace sagitta::tools {

void add_mpps_archive(CLI::App& group, int& status);

}  // namespace sagitta::tools
