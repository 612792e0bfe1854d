// The projects of the configuration at work: opened once, found by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/configuration.h"
#include "core/worker_pool.h"
#include "deid/project.h"
#include "net/dimse/handlers.h"
#include "service/sender_rules.h"

namespace sagitta::app {

/// Why a node would not start with them: profiles, keys and tables are read. One sentence each.
[[nodiscard]] std::vector<std::string> deid_problems(const Configuration& configuration);

/// Thread-safe once opened.
class DeidProjects {
public:
    /// Each in DATA/deid/NAME. Errors: those of deid::Project::open.
    [[nodiscard]] Result<void> open(const Configuration& configuration);

    /// Null for an empty name.
    [[nodiscard]] deid::Project* find(std::string_view name) const;
    [[nodiscard]] std::vector<service::SenderRule> rules(const std::vector<Sender>& senders) const;
    [[nodiscard]] bool empty() const noexcept { return projects_.empty(); }
    /// Writes the reports of an association that is over. Blocks.
    void finish(std::uint64_t association);

private:
    std::map<std::string, std::unique_ptr<deid::Project>, std::less<>> projects_;
};

/// Asks another gate; has reports written when an association is over.
class ReportingGate final : public net::dimse::AssociationGate {
public:
    /// All outlive it.
    ReportingGate(net::dimse::AssociationGate& gate, DeidProjects& projects, WorkerPool& workers)
        : gate_(gate), projects_(projects), workers_(workers) {}

    [[nodiscard]] std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> admit(
        const net::dimse::AssociationInfo& info) override;
    void closed(const net::dimse::AssociationInfo& info) override;

private:
    net::dimse::AssociationGate& gate_;
    DeidProjects& projects_;
    WorkerPool& workers_;
};

}  // namespace sagitta::app
