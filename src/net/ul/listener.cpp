#include "net/ul/listener.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>

#include "core/log.h"
#include "net/ul/tcp_association.h"

namespace sagitta::net::ul {

namespace {

/// Speaks for us when there is no room: refuses whoever asks.
class RefusingUser final : public AssociationUser {
public:
    std::variant<Negotiated, Rejection> decide(const AssociateRq&) override {
        return Rejection{RejectReason::local_limit_exceeded, "too many associations"};
    }
    void established() override {}
    Result<void> received(const Pdv&) override { return {}; }
    bool wants_more() const override { return true; }
    void release_requested() override {}
    void ended(const End&) override {}
};

/// Connections beyond the limit that may wait for their refusal at the same time.
constexpr std::size_t kMaxRefusing = 64;
constexpr auto kAbortGrace = std::chrono::seconds(2);

}  // namespace

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
    Impl(IoThreads& threads, ListenerSettings chosen, UserFactory factory)
        : io(threads), settings(std::move(chosen)), make_user(std::move(factory)), acceptor(io.executor(0)) {}

    Task<void> accept_loop();
    Task<void> serve(asio::ip::tcp::socket socket);
    void forget(std::uint64_t id);
    template <class F>
    void for_each_open(F what);
    bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

    IoThreads& io;
    const ListenerSettings settings;
    const UserFactory make_user;
    asio::ip::tcp::acceptor acceptor;
    std::uint16_t bound_port = 0;
    std::atomic<bool> stopping{false};

    mutable std::mutex mutex;
    std::condition_variable changed;
    struct Open {
        std::weak_ptr<TcpAssociation> association;
        asio::any_io_executor executor;
    };
    std::map<std::uint64_t, Open> open;
};

Task<void> Listener::Impl::accept_loop() {
    const auto self = shared_from_this();
    asio::steady_timer pause(acceptor.get_executor());
    while (!stopping) {
        auto executor = io.next_executor();
        auto accepted = co_await acceptor.async_accept(executor, no_throw);
        auto& [ec, socket] = accepted;
        if (stopping) break;
        if (ec) {  // out of descriptors, or the peer has gone already
            log::warning("net: accept failed: {}", ec.message());
            pause.expires_after(std::chrono::milliseconds(50));
            auto waited = co_await pause.async_wait(no_throw);
            static_cast<void>(waited);
            continue;
        }
        auto conversation = [self, held = std::move(socket)]() mutable {
            return self->serve(std::move(held));
        };
        asio::co_spawn(executor, std::move(conversation), report_exception);
    }
}

Task<void> Listener::Impl::serve(asio::ip::tcp::socket socket) {
    const auto self = shared_from_this();
    const std::uint64_t id = next_association_id();
    auto executor = socket.get_executor();
    auto association = std::make_shared<TcpAssociation>(std::move(socket), Role::acceptor,
                                                        settings.association, settings.max_pdu_bytes, id);
    bool refuse = false;
    {
        const std::lock_guard lock(mutex);
        if (stopping || open.size() >= settings.max_associations + kMaxRefusing) co_return;
        refuse = open.size() >= settings.max_associations;
        Open entry{association, executor};
        open.emplace(id, std::move(entry));
    }
    if (refuse) {
        association->set_user(std::make_shared<RefusingUser>());
    } else {
        association->set_user(make_user(association));
    }
    association->set_at_end([self, id] { self->forget(id); });
    co_await association->run_acceptor();
}

void Listener::Impl::forget(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    open.erase(id);
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
    });
    if (impl_->wait_until_empty(Clock::now() + grace)) return;
    impl_->for_each_open([](TcpAssociation& association) {
        association.abort(user_abort(), Error(Errc::shutting_down, "shutting down"));
    });
    if (impl_->wait_until_empty(Clock::now() + kAbortGrace)) return;
    impl_->for_each_open([](TcpAssociation& association) { association.close_now(); });
    if (!impl_->wait_until_empty(Clock::now() + kAbortGrace)) log::error("net: an association does not end");
}

}  // namespace sagitta::net::ul
