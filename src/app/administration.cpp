#include "app/administration.h"

#include <unistd.h>

#include <utility>

#include "app/archive_administration.h"
#include "app/archive_options.h"
#include "app/audit_trail.h"
#include "app/control_client.h"
#include "app/control_socket.h"
#include "storage/quarantined.h"

namespace sagitta::app {
namespace {

/// Opens the archive for each call, which nobody else may have open.
class OfflineAdministration final : public Administration {
public:
    explicit OfflineAdministration(const Configuration& configuration) : configuration_(configuration) {}

    Result<storage::KeeperReport> remove(const storage::Scope& scope, bool even_protected) override {
        auto archive = open_existing_archive(configuration_);
        if (!archive) return std::move(archive).error();
        const auto trail = open_audit_trail(configuration_);
        if (!trail) return trail.error();
        ArchiveAdministration::Settings settings;
        settings.trail = trail->get();
        settings.by.ae_title = configuration_.node.ae_title.str();
        settings.by.user = account_name(::getuid());
        return ArchiveAdministration(**archive, configuration_, std::move(settings))
            .remove(scope, even_protected);
    }
    Result<storage::KeeperReport> restore(const storage::Scope& scope) override {
        return on_archive([&](Administration& open) { return open.restore(scope); });
    }
    Result<storage::PurgeReport> purge(std::int64_t until) override {
        return on_archive([&](Administration& open) { return open.purge(until); });
    }
    Result<std::vector<storage::DeletedStudy>> deleted() override {
        return on_archive([](Administration& open) { return open.deleted(); });
    }
    Result<void> set_protected(const std::vector<std::string>& study_uids, bool is_protected) override {
        return on_archive([&](Administration& open) { return open.set_protected(study_uids, is_protected); });
    }
    Result<std::vector<std::string>> protected_studies() override {
        return on_archive([](Administration& open) { return open.protected_studies(); });
    }
    Result<storage::IngestOutcome> accept_quarantined(const std::string& name) override {
        return storage::accept_quarantined(archive_options(configuration_), name);
    }
    Result<void> drop_quarantined(const std::string& name) override {
        return storage::drop_quarantined(configuration_.node.data, name);
    }
    /// Also into an archive that begins with it.
    Result<media::ImportReport> import(const ImportOrder& order, const ImportProgress& progress) override {
        auto archive = storage::Archive::open(archive_options(configuration_));
        if (!archive) return std::move(archive).error();
        return of(**archive).import(order, progress);
    }

private:
    ArchiveAdministration of(storage::Archive& archive) const {
        ArchiveAdministration::Settings settings;
        settings.import_memory = configuration_.storage.memory_budget;
        return {archive, configuration_, std::move(settings)};
    }
    template <class F>
    auto on_archive(F call) -> decltype(call(std::declval<Administration&>())) {
        auto archive = open_existing_archive(configuration_);
        if (!archive) return std::move(archive).error();
        auto open = of(**archive);
        return call(open);
    }

    const Configuration& configuration_;
};

}  // namespace

std::unique_ptr<Administration> administration_of(const Configuration& configuration) {
    if (auto node = ask_node(configuration.node.data)) return node;
    return std::make_unique<OfflineAdministration>(configuration);
}

}  // namespace sagitta::app
