#include "net/dimse/server.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "net/dimse/session.h"

namespace sagitta::net::dimse {

struct Server::Impl {
    Impl(ul::IoThreads& io, ServerSettings chosen, Handlers given)
        : settings(std::move(chosen)),
          handlers(given),
          listener(io, settings.listener, [this](std::shared_ptr<ul::Association> association) {
              return begin_session(std::move(association));
          }) {}

    std::shared_ptr<Session> begin_session(std::shared_ptr<ul::Association> association) {
        {
            const std::lock_guard lock(mutex);
            ++sessions;
        }
        auto at_end = [this] {
            const std::lock_guard lock(mutex);
            --sessions;
            changed.notify_all();
        };
        return std::make_shared<Session>(std::move(association), settings, handlers, std::move(at_end));
    }

    void wait_for_sessions() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return sessions == 0; });
    }

    const ServerSettings settings;
    const Handlers handlers;
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t sessions = 0;
    ul::Listener listener;
};

Server::Server(ul::IoThreads& io, ServerSettings settings, Handlers handlers)
    : impl_(std::make_unique<Impl>(io, std::move(settings), handlers)) {}

Server::~Server() {
    stop(std::chrono::milliseconds(0));
}

Result<void> Server::start() {
    return impl_->listener.start();
}
std::uint16_t Server::port() const noexcept {
    return impl_->listener.port();
}
std::size_t Server::associations() const noexcept {
    return impl_->listener.associations();
}

void Server::stop(std::chrono::milliseconds grace) {
    impl_->listener.stop(grace);
    impl_->wait_for_sessions();
}

}  // namespace sagitta::net::dimse
