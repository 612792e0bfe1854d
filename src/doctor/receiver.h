// Listens for what a C-MOVE brings, counts it and keeps nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "net/dimse/server.h"
#include "net/ul/io_threads.h"

namespace sagitta::doctor {

class Receiver final : private net::dimse::AssociationGate, private net::dimse::StoreHandler {
public:
    /// Takes associations for `called` alone, on `bind_address`; port 0: the system chooses.
    Receiver(net::ul::AeTitle called, const std::string& bind_address, std::uint16_t port);
    ~Receiver() override;

    /// Errors: as net::dimse::Server::start.
    [[nodiscard]] Result<void> start() { return server_.start(); }
    /// Waits a moment for associations to end.
    void stop();
    [[nodiscard]] std::uint16_t port() const noexcept { return server_.port(); }

    // What came. Safe from any thread.
    [[nodiscard]] std::uint32_t associations() const noexcept { return associations_; }
    [[nodiscard]] std::uint32_t misnamed() const noexcept { return misnamed_; }  ///< for another AE title
    [[nodiscard]] std::uint32_t instances() const noexcept { return instances_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> admit(
        const net::dimse::AssociationInfo& info) override;
    void closed(const net::dimse::AssociationInfo&) override {}
    Task<net::dimse::Outcome> store(const net::dimse::AssociationInfo&, net::dimse::StoreRequest,
                                    ByteBuffer data_set) override;
    [[nodiscard]] net::dimse::Handlers handlers();

    const net::ul::AeTitle called_;
    std::atomic<std::uint32_t> associations_{0};
    std::atomic<std::uint32_t> misnamed_{0};
    std::atomic<std::uint32_t> instances_{0};
    std::atomic<std::uint64_t> bytes_{0};
    net::ul::IoThreads io_;
    net::dimse::Server server_;
};

}  // namespace sagitta::doctor
