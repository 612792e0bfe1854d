// Administration of an archive that this process has open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/administration.h"
#include "app/deletion.h"
#include "audit/trail.h"

namespace sagitta::app {

/// One thread at a time; several for the same archive may be used at once. What it is given outlives it.
class ArchiveAdministration final : public Administration {
public:
    struct Settings {
        audit::AuditTrail* trail = nullptr;  ///< may be null
        audit::Node by;                      ///< who asks
        std::uint64_t import_memory = 0;     ///< bytes of objects that an import holds
    };
    ArchiveAdministration(storage::Archive& archive, const Configuration& configuration, Settings settings);

    Result<storage::KeeperReport> remove(const storage::Scope& scope, bool even_protected) override;
    Result<storage::KeeperReport> restore(const storage::Scope& scope) override;
    Result<storage::PurgeReport> purge(std::int64_t until) override;
    Result<std::vector<storage::DeletedStudy>> deleted() override;
    Result<void> set_protected(const std::vector<std::string>& study_uids, bool is_protected) override;
    Result<std::vector<std::string>> protected_studies() override;
    Result<storage::IngestOutcome> accept_quarantined(const std::string& name) override;
    Result<void> drop_quarantined(const std::string& name) override;
    Result<media::ImportReport> import(const ImportOrder& order, const ImportProgress& progress) override;

private:
    storage::Archive& archive_;
    const Configuration& configuration_;
    Deletion deletion_;
    std::uint64_t import_memory_;
};

}  // namespace sagitta::app
