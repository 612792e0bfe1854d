#include "app/access_rules.h"

#include <algorithm>
#include <array>
#include <memory>

#include <netdb.h>
#include <sys/socket.h>

#include "core/log.h"

namespace sagitta::app {
namespace {

constexpr Rights kEverything{};
constexpr Rights kStranger{true, true, false, false, false, false, false};

std::vector<std::string> addresses_of(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
    std::vector<std::string> numbers;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                        NI_NUMERICHOST) == 0) {
            numbers.emplace_back(text.data());
        }
    }
    return numbers;
}

// An IPv4 peer on an IPv6 socket is the same peer.
std::string_view plain_address(std::string_view host) {
    constexpr std::string_view kMapped = "::ffff:";
    return host.starts_with(kMapped) ? host.substr(kMapped.size()) : host;
}

std::string peer_key(const net::dimse::AssociationInfo& info) {
    return info.calling.str() + "@" + std::string(plain_address(info.peer_host));
}

net::ul::QueryExtensions extensions_used(const QuerySettings& query, Extension when) {
    return {query.relational == when, query.combined_date_time == when, query.fuzzy_names == when,
            query.empty_values == when};
}

}  // namespace

bool is_loopback(std::string_view bind_address) noexcept {
    return bind_address == "::1" || bind_address.starts_with("127.");
}

AccessRules::AccessRules(const Configuration& configuration)
    : ae_title_(configuration.node.ae_title),
      open_to_all_(is_loopback(configuration.node.bind)),
      tls_open_to_all_(is_loopback(tls_bind(configuration))),
      promiscuous_(configuration.node.promiscuous),
      per_peer_limit_(configuration.limits.associations_per_peer) {
    policy_.preferred_transfer_syntaxes = configuration.storage.preferred_transfer_syntaxes;
    policy_.accept_unknown_as_storage = configuration.storage.accept_unknown_sop_classes;
    policy_.max_pdu_bytes = configuration.limits.max_pdu;
    policy_.operations_window = configuration.limits.operations_window;
    policy_.query_extensions = extensions_used(configuration.query, Extension::negotiated);
    policy_.assumed_query_extensions = extensions_used(configuration.query, Extension::always);
    for (const Peer& peer : configuration.peers) {
        KnownPeer known{peer.address.ae_title.str(), addresses_of(peer.address.host), peer.rights,
                        peer.certificate};
        if (known.hosts.empty()) {
            log::warning("peer {}: host {} does not resolve; nobody matches it", known.ae_title,
                         log::escaped(peer.address.host));
        }
        peers_.push_back(std::move(known));
    }
}

const Rights* AccessRules::rights_of(const net::dimse::AssociationInfo& info) const {
    bool needs_certificate = false;
    const auto number = plain_address(info.peer_host);
    for (const KnownPeer& peer : peers_) {
        if (peer.ae_title != info.calling.view()) continue;
        if (!peer.certificate.empty()) {
            needs_certificate = true;
            if (!info.tls || !net::ul::has_identity(*info.tls, peer.certificate)) continue;
        }
        if (std::find(peer.hosts.begin(), peer.hosts.end(), number) != peer.hosts.end()) return &peer.rights;
    }
    if (needs_certificate) return nullptr;
    if (info.tls ? tls_open_to_all_ : open_to_all_) return &kEverything;
    return promiscuous_ ? &kStranger : nullptr;
}

std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> AccessRules::admit(
    const net::dimse::AssociationInfo& info) {
    using net::ul::Rejection;
    using net::ul::RejectReason;
    if (info.called != ae_title_) {
        return Rejection{RejectReason::called_ae_title_not_recognized,
                         "called AE title " + log::escaped(info.called.view()) + " is not ours"};
    }
    if (info.calling.view().empty()) {
        return Rejection{RejectReason::calling_ae_title_not_recognized,
                         "the calling AE title is empty or has characters that none may have"};
    }
    const Rights* rights = rights_of(info);
    if (rights == nullptr) {
        return Rejection{RejectReason::calling_ae_title_not_recognized,
                         "calling AE title " + log::escaped(info.calling.view()) +
                             " is no configured peer from that host, or has not its certificate"};
    }
    {
        const std::lock_guard lock(mutex_);
        auto& open = open_associations_[peer_key(info)];
        if (per_peer_limit_ != 0 && open >= per_peer_limit_) {
            return Rejection{RejectReason::local_limit_exceeded, "limits.associations_per_peer reached"};
        }
        ++open;
    }
    net::ul::NegotiationPolicy policy = policy_;
    policy.accept_verification = rights->echo;
    policy.accept_storage = rights->store;
    policy.accept_unknown_as_storage = policy.accept_unknown_as_storage && rights->store;
    policy.accept_find = rights->find;
    policy.accept_move = rights->move;
    policy.accept_get = rights->get;
    policy.accept_commitment = rights->commit;
    policy.accept_procedure_steps = rights->mpps;
    return policy;
}

void AccessRules::closed(const net::dimse::AssociationInfo& info) {
    const std::lock_guard lock(mutex_);
    const auto found = open_associations_.find(peer_key(info));
    if (found != open_associations_.end() && --found->second == 0) open_associations_.erase(found);
}

}  // namespace sagitta::app
