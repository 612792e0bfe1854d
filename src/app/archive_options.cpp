#include "app/archive_options.h"

#include <utility>

#include "storage/maintenance.h"

namespace sagitta::app {

storage::ArchiveOptions archive_options(const Configuration& configuration) {
    storage::ArchiveOptions options;
    options.data_dir = configuration.node.data;
    options.layout = configuration.storage.layout;
    options.volume_size = configuration.storage.volume_size;
    options.direct_write_from = configuration.storage.direct_write_from;
    options.on_conflict = configuration.storage.on_conflict;
    options.memory_budget = configuration.storage.memory_budget;
    return options;
}

Result<std::unique_ptr<storage::Archive>> open_existing_archive(const Configuration& configuration) {
    auto options = archive_options(configuration);
    auto layout = storage::layout_of(options.data_dir);
    if (!layout) return std::move(layout).error();
    options.layout = *layout;
    if (*layout == storage::StorageLayout::files) options.on_conflict = storage::OnConflict::keep;
    return storage::Archive::open(std::move(options));
}

}  // namespace sagitta::app
