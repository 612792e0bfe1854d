#include "app/archive_options.h"

namespace sagitta::app {

storage::ArchiveOptions archive_options(const Configuration& configuration) {
    storage::ArchiveOptions options;
    options.data_dir = configuration.node.data;
    options.layout = configuration.storage.layout;
    options.volume_size = configuration.storage.volume_size;
    options.on_conflict = configuration.storage.on_conflict;
    options.memory_budget = configuration.storage.memory_budget;
    return options;
}

}  // namespace sagitta::app
