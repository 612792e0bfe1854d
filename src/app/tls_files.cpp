#include "app/tls_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sagitta::app {
namespace {

net::ul::TlsSettings settings_of(const TlsConfiguration& tls) {
    net::ul::TlsSettings settings;
    settings.certificate = tls.certificate;
    settings.key = tls.key;
    settings.ca = tls.ca;
    settings.require_client_certificate = tls.require_client_certificate;
    settings.only_tls_1_3 = tls.only_tls_1_3;
    return settings;
}

bool calls_by_tls(const Configuration& configuration) {
    return std::any_of(configuration.peers.begin(), configuration.peers.end(),
                       [](const Peer& peer) { return peer.tls; });
}

}  // namespace

Result<TlsContexts> open_tls(const Configuration& configuration) {
    TlsContexts contexts;
    const auto settings = settings_of(configuration.tls);
    if (listens_for_tls(configuration)) {
        auto made = net::ul::TlsContext::for_acceptor(settings);
        if (!made) return std::move(made).error().within("tls");
        contexts.acceptor = std::move(*made);
    }
    if (calls_by_tls(configuration)) {
        auto made = net::ul::TlsContext::for_requestor(settings);
        if (!made) return std::move(made).error().within("tls");
        contexts.requestor = std::move(*made);
    }
    return contexts;
}

TlsRemarks check_tls(const Configuration& configuration) {
    TlsRemarks remarks;
    const auto contexts = open_tls(configuration);
    if (!contexts) {
        remarks.problems.push_back(contexts.error().context);
        return remarks;
    }
    const auto& any = contexts->acceptor ? contexts->acceptor : contexts->requestor;
    if (any) {
        for (const auto& text : any->warnings())
            remarks.warnings.push_back(fmt::format("tls.certificate: {}", text));
    }
    struct stat status {};
    const auto& key = configuration.tls.key;
    if (!key.empty() && ::stat(key.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        remarks.warnings.push_back(fmt::format("tls.key: {} is not its owner's alone (chmod 600)", key));
    for (const auto& peer : configuration.peers) {
        if (peer.certificate.empty() || listens_for_tls(configuration)) continue;
        remarks.warnings.push_back(
            fmt::format("{} may come in only by TLS with its certificate, and nothing here listens for TLS",
                        peer.address.ae_title.view()));
    }
    return remarks;
}

}  // namespace sagitta::app
