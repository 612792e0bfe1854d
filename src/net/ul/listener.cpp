#include "net/ul/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include "core/log.h"
#include "net/ul/tcp_association.h"

namespace sagitta::net::ul {

namespace {

constexpr auto kAbortGrace = std::chrono::seconds(2);
/// So many times max_silent_connections may say nothing for a moment.
constexpr std::size_t kBurst = 8;

/// What is accepted inherits both: what is written leaves at once, and carries the acknowledgement of what
/// was read. A message that did not come whole is acknowledged without waiting for an answer all the same.
void make_connections_fast(int listening) noexcept {
    const int on = 1, off = 0;
    ::setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(listening, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

}  // namespace

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
    Impl(IoThreads& threads, ListenerSettings chosen, UserFactory factory)
        : io(threads),
          settings(std::move(chosen)),
          make_user(std::move(factory)),
          acceptor(io.executor(0)),
          silence(io.executor(0)) {}

    Task<void> accept_loop();
    Task<void> serve(asio::ip::tcp::socket socket, asio::ip::tcp::endpoint peer);
    void give_way(std::uint64_t id);
    void let_oldest_give_way();
    Task<void> thin_out();
    void keep(std::uint64_t id, const std::shared_ptr<TcpAssociation>& association);
    bool admit(std::uint64_t id);
    void forget(std::uint64_t id);
    template <class F>
    void for_each_open(F what);
    bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

    IoThreads& io;
    const ListenerSettings settings;
    const UserFactory make_user;
    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer silence;  ///< on the acceptor's thread
    std::uint16_t bound_port = 0;
    std::atomic<bool> stopping{false};

    mutable std::mutex mutex;
    std::condition_variable changed;
    struct Open {
        std::weak_ptr<TcpAssociation> association;
        asio::any_io_executor executor;
    };
    std::map<std::uint64_t, Open> open;
    std::set<std::uint64_t> admitted;
    /// Those that asked for nothing yet, or were refused, and may have to give way. Oldest first.
    std::set<std::uint64_t> silent;
    bool thinning_out = false;
};

Task<void> Listener::Impl::accept_loop() {
    const auto self = shared_from_this();
    asio::steady_timer pause(acceptor.get_executor());
    while (!stopping) {
        auto executor = io.next_executor();
        asio::ip::tcp::endpoint peer;  // a connection that was reset meanwhile could not tell any more
        auto accepted = co_await acceptor.async_accept(executor, peer, no_throw);
        auto& [ec, socket] = accepted;
        if (stopping) break;
        if (ec) {  // out of descriptors, or the peer has gone already
            log::warning("net: accept failed: {}", ec.message());
            pause.expires_after(std::chrono::milliseconds(50));
            auto waited = co_await pause.async_wait(no_throw);
            static_cast<void>(waited);
            continue;
        }
        auto conversation = [self, held = std::move(socket), peer]() mutable {
            return self->serve(std::move(held), peer);
        };
        asio::co_spawn(executor, std::move(conversation), report_exception);
    }
}

Task<void> Listener::Impl::serve(asio::ip::tcp::socket socket, asio::ip::tcp::endpoint peer) {
    const auto self = shared_from_this();
    const std::uint64_t id = next_association_id();
    auto association = std::make_shared<TcpAssociation>(std::move(socket), Role::acceptor,
                                                        settings.association, settings.max_pdu_bytes, id);
    if (settings.tls) association->use_tls(settings.tls);
    {
        const std::lock_guard lock(mutex);
        if (stopping) co_return;
        keep(id, association);
    }
    association->set_user(make_user(association));
    association->set_admission([self, id] { return self->admit(id); });
    association->set_at_end([self, id] { self->forget(id); });
    co_await association->run_acceptor(peer);
}

/// Whoever says nothing gives way to newcomers and takes nobody's place. Many who come at once are given
/// the time to speak.
void Listener::Impl::keep(std::uint64_t id, const std::shared_ptr<TcpAssociation>& association) {
    if (silent.size() >= settings.max_silent_connections * kBurst) let_oldest_give_way();
    open.emplace(id, Open{association, association->executor()});
    silent.insert(id);
    if (silent.size() <= settings.max_silent_connections || std::exchange(thinning_out, true)) return;
    spawn_on(acceptor.get_executor(), [self = shared_from_this()] { return self->thin_out(); });
}

Task<void> Listener::Impl::thin_out() {
    const auto self = shared_from_this();
    if (stopping) co_return;
    silence.expires_after(settings.silent_grace);
    auto waited = co_await silence.async_wait(no_throw);
    static_cast<void>(waited);
    const std::lock_guard lock(mutex);
    thinning_out = false;
    while (silent.size() > settings.max_silent_connections) let_oldest_give_way();
}

void Listener::Impl::let_oldest_give_way() {
    if (silent.empty()) return;
    const auto oldest = *silent.begin();
    silent.erase(silent.begin());
    asio::post(open.at(oldest).executor, [self = shared_from_this(), oldest] { self->give_way(oldest); });
}

/// On the connection's own thread, as admit() is: what became an association meanwhile stays.
void Listener::Impl::give_way(std::uint64_t id) {
    std::shared_ptr<TcpAssociation> association;
    {
        const std::lock_guard lock(mutex);
        const auto at = open.find(id);
        if (at != open.end() && !admitted.contains(id)) association = at->second.association.lock();
    }
    if (association) association->close_now(Error(Errc::limit_exceeded, "gave way to newer connections"));
}

/// Whether there is room for one association more.
bool Listener::Impl::admit(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    if (admitted.size() >= settings.max_associations) return false;
    silent.erase(id);
    admitted.insert(id);
    return true;
}

void Listener::Impl::forget(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    open.erase(id);
    silent.erase(id);
    admitted.erase(id);
    changed.notify_all();
}

template <class F>
void Listener::Impl::for_each_open(F what) {
    const std::lock_guard lock(mutex);
    for (auto& [id, entry] : open) {
        asio::post(entry.executor, [weak = entry.association, what] {
            if (const auto association = weak.lock()) what(*association);
        });
    }
}

bool Listener::Impl::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex);
    return changed.wait_until(lock, deadline, [this] { return open.empty(); });
}

Listener::Listener(IoThreads& io, ListenerSettings settings, UserFactory make_user)
    : impl_(std::make_shared<Impl>(io, std::move(settings), std::move(make_user))) {}

Listener::~Listener() {
    stop(std::chrono::milliseconds(0));
}

Result<void> Listener::start() {
    std::error_code ec;
    const auto address = asio::ip::make_address(impl_->settings.bind_address, ec);
    if (ec)
        return Error(Errc::invalid_argument, "not an address to bind to: " + impl_->settings.bind_address);
    const asio::ip::tcp::endpoint endpoint(address, impl_->settings.port);
    auto& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(asio::ip::tcp::acceptor::reuse_address(true), ec);
    if (!ec) make_connections_fast(acceptor.native_handle());
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) {
        return Error(Errc::io_failure, "cannot listen on " + impl_->settings.bind_address + ":" +
                                           std::to_string(impl_->settings.port) + ": " + ec.message());
    }
    impl_->bound_port = acceptor.local_endpoint(ec).port();
    auto loop = [self = impl_] { return self->accept_loop(); };
    asio::co_spawn(acceptor.get_executor(), std::move(loop), report_exception);
    return {};
}

std::uint16_t Listener::port() const noexcept {
    return impl_->bound_port;
}

std::size_t Listener::associations() const noexcept {
    const std::lock_guard lock(impl_->mutex);
    return impl_->open.size();
}

void Listener::stop(std::chrono::milliseconds grace) {
    using Clock = std::chrono::steady_clock;
    if (impl_->stopping.exchange(true)) return;
    asio::post(impl_->acceptor.get_executor(), [self = impl_] {
        std::error_code ignored;
        self->acceptor.close(ignored);
        self->silence.cancel();
    });
    if (impl_->wait_until_empty(Clock::now() + grace)) return;
    impl_->for_each_open([](TcpAssociation& association) {
        association.abort(user_abort(), Error(Errc::shutting_down, "shutting down"));
    });
    if (impl_->wait_until_empty(Clock::now() + kAbortGrace)) return;
    impl_->for_each_open([](TcpAssociation& association) {
        association.close_now(Error(Errc::shutting_down, "shutting down"));
    });
    if (!impl_->wait_until_empty(Clock::now() + kAbortGrace)) log::error("net: an association does not end");
}

}  // namespace sagitta::net::ul
