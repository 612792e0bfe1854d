// The DIMSE service provider: a listener whose associations read requests, ask the handlers and
// send the responses (PS3.7 section 9).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/result.h"
#include "net/dimse/handlers.h"
#include "net/ul/io_threads.h"
#include "net/ul/listener.h"

namespace sagitta::net::dimse {

struct ServerSettings {
    ul::ListenerSettings listener;
    /// Larger data sets are read to their end, dropped, and answered A700.
    std::uint64_t max_object_bytes = std::uint64_t{2} << 30;
    /// Larger ones go to StoreHandler::receive as they arrive.
    std::uint64_t stream_above_bytes = std::uint64_t{16} << 20;
    /// How long a C-GET sub-operation may wait for its answer before the association is aborted.
    ul::Duration response_timeout = std::chrono::seconds(60);
};

/// Thread-safe. Handlers and `io` outlive it.
class Server {
public:
    Server(ul::IoThreads& io, ServerSettings settings, Handlers handlers);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Errors: as ul::Listener::start.
    [[nodiscard]] Result<void> start();
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t associations() const noexcept;
    /// As ul::Listener::stop; afterwards no handler is running.
    void stop(std::chrono::milliseconds grace);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sagitta::net::dimse
