#include "net/scu/pool.h"

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include "core/log.h"
#include "net/ul/io_threads.h"

namespace sagitta::net::scu {

namespace {

bool covers(const std::vector<WantedContext>& open, const std::vector<WantedContext>& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const WantedContext& one) {
        return std::find(open.begin(), open.end(), one) != open.end();
    });
}

std::string name_of(const Address& peer) {
    auto name = peer.called.str() + "@" + peer.host + ":" + std::to_string(peer.port);
    if (peer.tls) name += " by TLS " + peer.tls_identity;
    return name;
}

}  // namespace

/// For what an association was opened, and where it lives.
struct Lease::Key {
    std::shared_ptr<ClientPool::Impl> pool;
    std::string peer;
    ul::AeTitle calling;
    std::vector<WantedContext> wanted;
    asio::any_io_executor executor;
};

struct ClientPool::Impl : std::enable_shared_from_this<ClientPool::Impl> {
    explicit Impl(PoolSettings chosen) : settings(chosen) {}

    struct Kept {
        std::unique_ptr<Client> client;
        std::shared_ptr<Lease::Key> key;
        std::unique_ptr<asio::steady_timer> until;
    };
    /// Somebody who waits for one association less; on his own executor.
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}
        asio::steady_timer timer;
        bool served = false;
    };

    std::optional<Kept> take_kept(const Lease::Key& wanted);
    Task<bool> enter(std::string peer);
    void leave(const std::string& peer);
    void give_back(std::unique_ptr<Client> client, std::shared_ptr<Lease::Key> key);
    void release(std::unique_ptr<Client> client, const Lease::Key& key);
    void make_room(const std::string& peer);
    void let_go(const Lease::Key* key);
    void close();

    const PoolSettings settings;
    std::mutex mutex;
    bool closed = false;
    std::list<Kept> kept;
    std::map<std::string, std::size_t> open;  ///< by peer
    std::map<std::string, std::deque<std::shared_ptr<Waiter>>> waiting;
};

// ---- how many

/// False when none became free in time.
Task<bool> ClientPool::Impl::enter(std::string peer) {
    auto executor = co_await asio::this_coro::executor;
    const auto self = shared_from_this();  // a lease may be all that holds it
    std::shared_ptr<Waiter> waiter;
    {
        const std::lock_guard lock(mutex);
        if (settings.max_per_peer == 0 || open[peer] < settings.max_per_peer) {
            ++open[peer];
            co_return true;
        }
        waiter = std::make_shared<Waiter>(executor);
        waiter->timer.expires_after(settings.patience);
        waiting[peer].push_back(waiter);
    }
    auto waited = co_await waiter->timer.async_wait(no_throw);
    static_cast<void>(waited);
    const std::lock_guard lock(mutex);
    std::erase(waiting[peer], waiter);
    co_return waiter->served;
}

/// The place goes to whoever has waited longest.
void ClientPool::Impl::leave(const std::string& peer) {
    const std::lock_guard lock(mutex);
    auto& queue = waiting[peer];
    if (queue.empty()) {
        if (--open[peer] == 0) open.erase(peer);
        waiting.erase(peer);
        return;
    }
    const auto next = queue.front();
    queue.pop_front();
    next->served = true;
    asio::post(next->timer.get_executor(), [next] { next->timer.cancel(); });
}

// ---- what is kept

std::optional<ClientPool::Impl::Kept> ClientPool::Impl::take_kept(const Lease::Key& wanted) {
    const std::lock_guard lock(mutex);
    const auto fits = [&](const Kept& one) {
        return one.key->executor == wanted.executor && one.key->peer == wanted.peer &&
               one.key->calling == wanted.calling && one.client->is_open() &&
               covers(one.key->wanted, wanted.wanted);
    };
    const auto at = std::find_if(kept.begin(), kept.end(), fits);
    if (at == kept.end()) return std::nullopt;
    std::optional<Kept> taken(std::move(*at));
    kept.erase(at);
    return taken;
}

/// Kept ones that cannot serve whoever comes now: some nodes take one association at a time.
void ClientPool::Impl::make_room(const std::string& peer) {
    const std::lock_guard lock(mutex);
    for (const auto& one : kept) {
        if (one.key->peer != peer) continue;
        asio::post(one.key->executor,
                   [self = shared_from_this(), key = one.key] { self->let_go(key.get()); });
    }
}

void ClientPool::Impl::give_back(std::unique_ptr<Client> client, std::shared_ptr<Lease::Key> key) {
    std::unique_lock lock(mutex);
    const auto queue = waiting.find(key->peer);
    const bool wanted_elsewhere = queue != waiting.end() && !queue->second.empty();
    if (closed || wanted_elsewhere || settings.keep == ul::Duration::zero() || !client->is_open()) {
        const bool release_it = client->is_open() && !closed;
        lock.unlock();
        if (release_it) return release(std::move(client), *key);
        client.reset();
        return leave(key->peer);
    }
    Kept one;
    one.client = std::move(client);
    one.until = std::make_unique<asio::steady_timer>(key->executor, settings.keep);
    one.until->async_wait([self = weak_from_this(), number = key.get()](std::error_code ec) {
        if (const auto pool = self.lock(); pool && !ec) pool->let_go(number);
    });
    one.key = std::move(key);
    kept.push_back(std::move(one));
}

/// Its time is over, or somebody needs the place.
void ClientPool::Impl::let_go(const Lease::Key* key) {
    Kept one;
    {
        const std::lock_guard lock(mutex);
        const auto at =
            std::find_if(kept.begin(), kept.end(), [&](const Kept& k) { return k.key.get() == key; });
        if (at == kept.end()) return;
        one = std::move(*at);
        kept.erase(at);
    }
    release(std::move(one.client), *one.key);
}

/// Its place is free when the peer has answered.
void ClientPool::Impl::release(std::unique_ptr<Client> client, const Lease::Key& key) {
    auto work = [self = shared_from_this(), held = std::shared_ptr<Client>(std::move(client)),
                 peer = key.peer]() -> Task<void> {
        if (held->is_open()) {
            auto released = co_await held->release();
            if (!released) log::debug("releasing an association: {}", released.error().message());
        }
        self->leave(peer);
    };
    ul::spawn_on(key.executor, std::move(work));
}

void ClientPool::Impl::close() {
    std::list<Kept> all;
    {
        const std::lock_guard lock(mutex);
        closed = true;
        all = std::move(kept);
        kept.clear();
    }
    for (auto& one : all) {
        // Timers belong to their executor.
        asio::post(one.key->executor,
                   [timer = std::shared_ptr<asio::steady_timer>(std::move(one.until))] { timer->cancel(); });
    }
}

// ---- leases

Lease& Lease::operator=(Lease&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    client_ = std::move(other.client_);
    key_ = std::move(other.key_);
    used_ = other.used_;
    return *this;
}

void Lease::give_back() {
    if (!client_) return;
    const auto key = std::exchange(key_, nullptr);
    key->pool->give_back(std::move(client_), key);
}

ClientPool::ClientPool(PoolSettings settings) : impl_(std::make_shared<Impl>(settings)) {}

ClientPool::~ClientPool() {
    impl_->close();
}

void ClientPool::close() {
    impl_->close();
}

Task<Result<Lease>> ClientPool::lease(Address peer, ClientSettings settings,
                                      std::vector<WantedContext> wanted, bool only_new) {
    const auto impl = impl_;
    auto key = std::make_shared<Lease::Key>();
    key->executor = co_await asio::this_coro::executor;
    key->pool = impl;
    key->peer = name_of(peer);
    key->calling = settings.calling;
    key->wanted = wanted;
    Lease lease;
    if (auto kept = only_new ? std::nullopt : impl->take_kept(*key)) {
        lease.client_ = std::move(kept->client);
        lease.key_ = std::move(kept->key);
        lease.used_ = true;
        co_return std::move(lease);
    }
    impl->make_room(key->peer);
    const bool entered = co_await impl->enter(key->peer);
    if (!entered) co_return Error(Errc::limit_exceeded, "all associations to the node are in use");
    auto client = co_await Client::open(std::move(peer), std::move(settings), std::move(wanted));
    if (!client) {
        impl->leave(key->peer);
        co_return std::move(client).error();
    }
    lease.client_ = std::move(*client);
    lease.key_ = std::move(key);
    co_return std::move(lease);
}

}  // namespace sagitta::net::scu
