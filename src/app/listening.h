// The ports of the node: the plain one and the one for TLS, whichever are open.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "app/configuration.h"
#include "app/tls_files.h"
#include "core/result.h"
#include "net/dimse/handlers.h"
#include "net/dimse/server.h"
#include "net/ul/io_threads.h"

namespace sagitta::app {

/// What the limits of the configuration mean to every association.
[[nodiscard]] net::ul::AssociationSettings association_settings(const Limits& limits);

class Listening {
public:
    /// What is given outlives it.
    Listening(net::ul::IoThreads& io, const Configuration& configuration, const TlsContexts& tls,
              const net::dimse::Handlers& handlers, net::ul::AssociationObservers* observers);

    /// Errors: as net::dimse::Server::start.
    [[nodiscard]] Result<void> start();
    /// All ports at the same time; as net::dimse::Server::stop.
    void stop(std::chrono::milliseconds grace);

private:
    const Configuration& configuration_;
    std::unique_ptr<net::dimse::Server> plain_;
    std::unique_ptr<net::dimse::Server> tls_;
};

}  // namespace sagitta::app
