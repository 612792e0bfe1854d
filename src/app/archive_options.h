// How the archive is opened, by the node and by the commands that work on it.
#pragma once

#include <memory>

#include "app/configuration.h"
#include "core/result.h"
#include "storage/archive.h"

namespace sagitta::app {

[[nodiscard]] storage::ArchiveOptions archive_options(const Configuration& configuration);

/// For a command on an archive that exists: with the layout that it began with, whatever the configuration
/// says. Errors: those of Archive::open.
[[nodiscard]] Result<std::unique_ptr<storage::Archive>> open_existing_archive(
    const Configuration& configuration);

}  // namespace sagitta::app
