#include "app/listening.h"

#include <thread>
#include <utility>

#include "core/log.h"

namespace sagitta::app {
namespace {

net::dimse::ServerSettings server_settings(const Configuration& configuration) {
    net::dimse::ServerSettings settings;
    settings.listener.bind_address = configuration.node.bind;
    settings.listener.port = configuration.node.port;
    settings.listener.max_associations = configuration.limits.associations;
    settings.listener.max_pdu_bytes = configuration.limits.max_pdu;
    settings.listener.max_silent_connections = configuration.limits.silent_connections;
    settings.listener.silent_grace = configuration.limits.silent_grace;
    settings.listener.association = association_settings(configuration.limits);
    settings.max_object_bytes = configuration.limits.max_object;
    settings.stream_above_bytes = configuration.storage.stream_above;
    settings.response_timeout = configuration.limits.response_timeout;
    return settings;
}

}  // namespace

net::ul::AssociationSettings association_settings(const Limits& limits) {
    net::ul::AssociationSettings settings;
    settings.artim_timeout = limits.artim_timeout;
    settings.idle_timeout = limits.idle_timeout;
    settings.min_bytes_per_second = limits.min_rate;
    settings.rate_window = limits.rate_window;
    return settings;
}

Listening::Listening(net::ul::IoThreads& io, const Configuration& configuration, const TlsContexts& tls,
                     const net::dimse::Handlers& handlers, net::ul::AssociationObservers* observers)
    : configuration_(configuration) {
    auto settings = server_settings(configuration);
    settings.listener.association.observers = observers;
    if (configuration.tls.plain) plain_ = std::make_unique<net::dimse::Server>(io, settings, handlers);
    if (!tls.acceptor) return;
    settings.listener.bind_address = tls_bind(configuration);
    settings.listener.port = configuration.tls.port;
    settings.listener.tls = tls.acceptor;
    tls_ = std::make_unique<net::dimse::Server>(io, std::move(settings), handlers);
}

Result<void> Listening::start() {
    const auto name = configuration_.node.ae_title.view();
    if (tls_) {
        if (auto started = tls_->start(); !started) return started;
        log::info("{} listening for TLS on {}:{}", name, tls_bind(configuration_), tls_->port());
    }
    if (plain_) {
        if (auto started = plain_->start(); !started) return started;
        log::info("{} listening on {}:{}, archive {}", name, configuration_.node.bind, plain_->port(),
                  configuration_.node.data);
    }
    return {};
}

void Listening::stop(std::chrono::milliseconds grace) {
    std::thread beside;
    if (tls_) beside = std::thread([this, grace] { tls_->stop(grace); });
    if (plain_) plain_->stop(grace);
    if (beside.joinable()) beside.join();
}

}  // namespace sagitta::app
