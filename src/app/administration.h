// What an administrator does to an archive by hand. The same whether a running node does it on request or
// the archive is opened for it; who asks need not know which.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "core/result.h"
#include "media/import.h"
#include "storage/archive.h"
#include "storage/deleted_study.h"
#include "storage/keeper.h"
#include "storage/query.h"

namespace sagitta::app {

/// What to import, and how.
struct ImportOrder {
    std::vector<std::string> paths;  ///< absolute: who reads them may work in another folder
    unsigned threads = 4;
    const std::atomic<bool>* stop = nullptr;  ///< as ImportOptions::stop
};
using ImportProgress = std::function<void(const media::ImportReport&)>;

/// Calls wait for the disk; what they report is durable. Errors: those of the calls they are named after, in
/// storage/keeper.h, storage/quarantined.h and media/import.h; without a node also those of Archive::open,
/// with one connection_lost (it ended meanwhile, and what became of the request is not known).
class Administration {
public:
    virtual ~Administration() = default;

    /// Can be undone for as long as the configuration says; tells the audit trail.
    [[nodiscard]] virtual Result<storage::KeeperReport> remove(const storage::Scope& scope,
                                                               bool even_protected) = 0;
    [[nodiscard]] virtual Result<storage::KeeperReport> restore(const storage::Scope& scope) = 0;
    [[nodiscard]] virtual Result<storage::PurgeReport> purge(std::int64_t until) = 0;
    [[nodiscard]] virtual Result<std::vector<storage::DeletedStudy>> deleted() = 0;

    [[nodiscard]] virtual Result<void> set_protected(const std::vector<std::string>& study_uids,
                                                     bool is_protected) = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> protected_studies() = 0;

    [[nodiscard]] virtual Result<storage::IngestOutcome> accept_quarantined(const std::string& name) = 0;
    [[nodiscard]] virtual Result<void> drop_quarantined(const std::string& name) = 0;

    /// `progress` is called now and then on this thread.
    [[nodiscard]] virtual Result<media::ImportReport> import(const ImportOrder& order,
                                                             const ImportProgress& progress) = 0;
};

/// Of the archive of `configuration`, which outlives it: by its node where one listens
/// (control_client.h), else with the archive opened for each call.
[[nodiscard]] std::unique_ptr<Administration> administration_of(const Configuration& configuration);

}  // namespace sagitta::app
