// Who may say who he is (PS3.7 D.3.3.7), from the configuration (docs/CONFIGURATION.md, `[[user]]`).
#pragma once

#include <map>
#include <string>

#include "app/configuration.h"
#include "core/worker_pool.h"
#include "net/dimse/handlers.h"

namespace sagitta::app {

/// Thread-safe. `workers` outlives it.
class UserIdentities final : public net::dimse::IdentityHandler {
public:
    UserIdentities(const Configuration& configuration, WorkerPool& workers);

    /// Accepted: a known user name with its passcode; alone, when the user has none; nothing or another
    /// kind of identity unless a user is required. The hash is computed on a worker.
    [[nodiscard]] Task<net::dimse::Identity> identify(const net::dimse::AssociationInfo& association,
                                                      std::optional<net::ul::UserIdentityRq> claim) override;

private:
    std::map<std::string, std::string, std::less<>> passcodes_;  ///< hash by name; empty: none needed
    std::string nobodys_passcode_;  ///< checked for unknown names, so that they take as long as known ones
    bool required_ = false;
    WorkerPool& workers_;
};

}  // namespace sagitta::app
