// How the archive is opened, by the node and by the commands that work on it.
#pragma once

#include "app/configuration.h"
#include "storage/archive.h"

namespace sagitta::app {

[[nodiscard]] storage::ArchiveOptions archive_options(const Configuration& configuration);

}  // namespace sagitta::app
