// Accepts connections and makes acceptor associations of them, spread over the io threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "net/ul/association.h"
#include "net/ul/io_threads.h"
#include "net/ul/tls_context.h"

namespace sagitta::net::ul {

struct ListenerSettings {
    std::string bind_address = "127.0.0.1";  ///< "0.0.0.0" or "::" for all
    std::uint16_t port = 11112;              ///< 0: the system chooses
    std::size_t max_associations = 512;      ///< beyond it: transient reject, local limit
    /// Connections that have asked for nothing, or were refused; beyond it the oldest are closed, after
    /// `silent_grace`, or at once when there are eight times as many.
    std::size_t max_silent_connections = 256;
    std::chrono::milliseconds silent_grace{1000};
    std::uint32_t max_pdu_bytes = 256 * 1024;  ///< what P-DATA-TF is held to; announce the same
    AssociationSettings association;
    std::shared_ptr<const TlsContext> tls;  ///< for_acceptor; null: plain
};

/// Thread-safe.
class Listener {
public:
    /// Makes the user of one new association; called on that association's thread.
    using UserFactory = std::function<std::shared_ptr<AssociationUser>(std::shared_ptr<Association>)>;

    Listener(IoThreads& io, ListenerSettings settings, UserFactory make_user);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Binds and listens. Errors: io_failure (address in use …), invalid_argument (no address).
    [[nodiscard]] Result<void> start();
    /// The bound port once started.
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t associations() const noexcept;
    /// Stops accepting, lets associations end until `grace` has passed, aborts the rest and waits
    /// for them. Blocks; not from an io thread. Further calls do nothing.
    void stop(std::chrono::milliseconds grace);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sagitta::net::ul
