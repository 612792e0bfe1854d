// Who may come in and what they may ask, from the configuration (docs/CONFIGURATION.md, `[[peer]]`).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "app/configuration.h"
#include "net/dimse/handlers.h"

namespace sagitta::app {

/// Thread-safe.
class AccessRules final : public net::dimse::AssociationGate {
public:
    /// Resolves the peers' host names once (blocks); names that do not resolve match nobody and are
    /// logged.
    explicit AccessRules(const Configuration& configuration);

    /// Called AE title not ours: 1/1/7. Calling AE title or host unknown: 1/1/3. Too many of one
    /// peer: 2/3/2 (PS3.8 9.3.4).
    [[nodiscard]] std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> admit(
        const net::dimse::AssociationInfo& info) override;
    void closed(const net::dimse::AssociationInfo& info) override;

    /// What it may do, or nothing when it is a stranger to be refused. Whoever calls itself by the name of
    /// a peer with a certificate and does not show it is refused, whatever strangers may do.
    [[nodiscard]] const Rights* rights_of(const net::dimse::AssociationInfo& info) const;

private:
    struct KnownPeer {
        std::string ae_title;
        std::vector<std::string> hosts;
        Rights rights;
        std::string certificate;
    };

    net::ul::AeTitle ae_title_;
    bool open_to_all_ = false;      ///< bound to loopback: any calling AE title may do everything
    bool tls_open_to_all_ = false;  ///< the same of the port for TLS
    bool promiscuous_ = false;      ///< strangers may echo and store
    net::ul::NegotiationPolicy policy_;
    std::uint32_t per_peer_limit_ = 0;
    std::vector<KnownPeer> peers_;
    mutable std::mutex mutex_;
    std::map<std::string, std::uint32_t> open_associations_;  ///< by "AET@host"
};

/// "127.0.0.1", "::1": only programs of this machine reach it.
[[nodiscard]] bool is_loopback(std::string_view bind_address) noexcept;

}  // namespace sagitta::app
