// Stands before the handlers of the node and tells the audit trail what they did (PS3.15 A.5.3). Changes no
// answer.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "audit/trail.h"
#include "net/dimse/handlers.h"
#include "service/storage_scp.h"

namespace sagitta::app {

/// Thread-safe. What it stands before outlives it.
class AuditHandlers final : public net::dimse::AssociationGate,
                            public net::dimse::IdentityHandler,
                            public net::dimse::FindHandler,
                            public net::dimse::GetHandler,
                            public net::dimse::MoveHandler {
public:
    AuditHandlers(audit::AuditTrail& trail, std::string ae_title)
        : trail_(trail), ae_title_(std::move(ae_title)) {}

    /// Puts itself between the server and `handlers`.
    [[nodiscard]] net::dimse::Handlers stand_before(const net::dimse::Handlers& handlers);
    /// An instance was filed: what was filed, never what it was made of.
    void filed(const net::dimse::AssociationInfo& association, const service::FiledInstance& instance);
    void activity(bool start);

    std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> admit(
        const net::dimse::AssociationInfo& info) override;
    void closed(const net::dimse::AssociationInfo& info) override;
    Task<net::dimse::Identity> identify(const net::dimse::AssociationInfo& association,
                                        std::optional<net::ul::UserIdentityRq> claim) override;
    Task<net::dimse::Outcome> find(const net::dimse::AssociationInfo& association,
                                   net::dimse::QueryRequest request, net::dimse::FindResponder& out) override;
    Task<net::dimse::RetrieveOutcome> get(const net::dimse::AssociationInfo& association,
                                          net::dimse::QueryRequest request,
                                          net::dimse::GetResponder& out) override;
    Task<net::dimse::RetrieveOutcome> move(const net::dimse::AssociationInfo& association,
                                           net::dimse::QueryRequest request, net::ul::AeTitle destination,
                                           net::dimse::MoveResponder& out) override;

private:
    [[nodiscard]] audit::Node ourselves() const;
    void alert(const net::dimse::AssociationInfo& info, std::string why);
    /// `request` is the identifier of a retrieval; `to` who gets the instances.
    [[nodiscard]] audit::Event retrieval(const net::dimse::AssociationInfo& association,
                                         const net::dimse::QueryRequest& request, audit::Node to) const;
    void sent(audit::Event event, const net::dimse::RetrieveOutcome& outcome);

    audit::AuditTrail& trail_;
    const std::string ae_title_;
    net::dimse::Handlers inner_;
    std::mutex mutex_;
    /// What came over each association so far, by study.
    std::map<std::uint64_t, std::map<std::string, audit::StudyObjects>> received_;
};

}  // namespace sagitta::app
