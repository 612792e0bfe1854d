// Associations to other nodes that outlive one use: kept open for a moment for whoever needs one next, and
// limited in number for each node.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "net/scu/client.h"

namespace sagitta::net::scu {

struct PoolSettings {
    std::size_t max_per_peer = 8;                 ///< at the same time, kept ones included; 0: any number
    ul::Duration keep = std::chrono::seconds(2);  ///< open without use; zero: released at once
    ul::Duration patience = std::chrono::seconds(60);  ///< for one of `max_per_peer` to become free
};

class ClientPool;

/// One association for one user. Gives it back when destroyed, on the executor it was leased on; one that has
/// ended is forgotten.
class Lease {
public:
    Lease() = default;
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { give_back(); }

    [[nodiscard]] Client& operator*() const { return *client_; }
    [[nodiscard]] Client* operator->() const { return client_.get(); }
    [[nodiscard]] explicit operator bool() const { return client_ != nullptr; }
    /// It served somebody before: the peer may be about to end it.
    [[nodiscard]] bool is_used() const { return used_; }
    void give_back();

private:
    friend class ClientPool;
    struct Key;
    std::unique_ptr<Client> client_;
    std::shared_ptr<Key> key_;
    bool used_ = false;
};

/// Thread-safe. Outlives its leases.
class ClientPool {
public:
    explicit ClientPool(PoolSettings settings);
    ~ClientPool();
    ClientPool(const ClientPool&) = delete;
    ClientPool& operator=(const ClientPool&) = delete;

    /// A kept association that was opened with the same settings, on this executor, for all that is wanted;
    /// else a new one, as Client::open. Errors: as there; limit_exceeded (none became free in time).
    [[nodiscard]] Task<Result<Lease>> lease(Address peer, ClientSettings settings,
                                            std::vector<WantedContext> wanted, bool only_new = false);

    /// Aborts what is kept; nothing is kept any more. Before the io threads end.
    void close();

private:
    friend class Lease;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sagitta::net::scu
