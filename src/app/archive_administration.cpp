#include "app/archive_administration.h"

#include <chrono>
#include <utility>

#include "storage/quarantined.h"

namespace sagitta::app {

ArchiveAdministration::ArchiveAdministration(storage::Archive& archive, const Configuration& configuration,
                                             Settings settings)
    : archive_(archive),
      configuration_(configuration),
      deletion_(archive, settings.trail, std::move(settings.by)),
      import_memory_(settings.import_memory) {}

Result<storage::KeeperReport> ArchiveAdministration::remove(const storage::Scope& scope,
                                                            bool even_protected) {
    storage::RemovalOptions options;
    options.undo_for = std::chrono::duration_cast<std::chrono::seconds>(configuration_.storage.undelete_for);
    options.even_protected = even_protected;
    return deletion_.remove(scope, options);
}

Result<storage::KeeperReport> ArchiveAdministration::restore(const storage::Scope& scope) {
    return archive_.keeper().restore(scope);
}

Result<storage::PurgeReport> ArchiveAdministration::purge(std::int64_t until) {
    return archive_.keeper().purge(until);
}

Result<std::vector<storage::DeletedStudy>> ArchiveAdministration::deleted() {
    return archive_.keeper().deleted();
}

Result<void> ArchiveAdministration::set_protected(const std::vector<std::string>& study_uids,
                                                  bool is_protected) {
    return archive_.keeper().set_protected(study_uids, is_protected);
}

Result<std::vector<std::string>> ArchiveAdministration::protected_studies() {
    return archive_.keeper().protected_studies();
}

Result<storage::IngestOutcome> ArchiveAdministration::accept_quarantined(const std::string& name) {
    return storage::accept_quarantined(archive_, configuration_.node.data, name);
}

Result<void> ArchiveAdministration::drop_quarantined(const std::string& name) {
    return storage::drop_quarantined(archive_, configuration_.node.data, name);
}

Result<media::ImportReport> ArchiveAdministration::import(const ImportOrder& order,
                                                          const ImportProgress& progress) {
    media::ImportOptions options;
    options.paths = order.paths;
    options.own_data_dir = configuration_.node.data;
    options.threads = order.threads;
    options.memory_bytes = import_memory_;
    options.limits = {configuration_.limits.max_object, configuration_.limits.sequence_depth};
    options.stop = order.stop;
    return media::import_paths(archive_, options, progress);
}

}  // namespace sagitta::app
