#include "app/control_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "core/log.h"

namespace sagitta::app {
namespace {

using Kind = ControlRequest::Kind;

constexpr std::chrono::seconds kAfterFailure{1};
constexpr std::size_t kPiece = 64 * 1024;
constexpr unsigned kMostThreads = 256;

Result<std::string> only_name(const ControlRequest& request) {
    if (request.names.size() == 1) return request.names.front();
    return Error(Errc::malformed, "one file is named");
}

}  // namespace

ControlServer::ControlServer(ControlSocket socket, AdministrationFor administration, ControlLimits limits)
    : socket_(std::move(socket)),
      administration_(std::move(administration)),
      limits_(limits),
      waker_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {}

ControlServer::~ControlServer() {
    stopping_ = true;
    wake();
    thread_.join();
}

void ControlServer::wake() {
    const std::uint64_t one = 1;
    (void)!::write(waker_.get(), &one, sizeof(one));  // full: it is awake
}

void ControlServer::run() {
    while (!stopping_) {
        wait();
        collect();
        end_the_silent();
    }
    for (auto& client : clients_) client.gone = true;
    for (auto& client : clients_) {
        if (client.worker.joinable()) client.worker.join();
    }
    clients_.clear();
}

/// For the next that somebody says, does or leaves.
void ControlServer::wait() {
    std::vector<pollfd> polled{{waker_.get(), POLLIN, 0},
                               {Clock::now() < next_accept_ ? -1 : socket_.descriptor(), POLLIN, 0}};
    for (const auto& client : clients_) {
        const short events = client.worker.joinable() ? POLLRDHUP : POLLIN;
        polled.push_back({client.gone ? -1 : client.connection.get(), events, 0});
    }
    const int timeout = clients_.empty() && Clock::now() >= next_accept_ ? -1 : 1000;
    if (::poll(polled.data(), polled.size(), timeout) <= 0) return;
    std::uint64_t ignored = 0;
    (void)!::read(waker_.get(), &ignored, sizeof(ignored));
    auto seen = polled.begin() + 2;
    for (auto& client : clients_) {
        const auto events = (seen++)->revents;
        if (events == 0) continue;
        if (client.worker.joinable())
            client.gone = true;  // or it has said that it wants no more
        else
            read(client);
    }
    if (polled[1].revents != 0) accept();
}

void ControlServer::accept() {
    auto came = socket_.accept();
    if (!came) {
        log::warning("control: {}", came.error().message());
        next_accept_ = Clock::now() + kAfterFailure;
        return;
    }
    if (*came) admit(std::move(**came));
}

void ControlServer::admit(Descriptor connection) {
    const auto peer = peer_of(connection);
    const bool may_ask = peer && (*peer == 0 || *peer == ::geteuid());
    if (clients_.size() >= limits_.connections) {
        // Those that wait stand in the order in which they came.
        const auto silent = std::find_if(clients_.begin(), clients_.end(), [](const Client& client) {
            return !client.worker.joinable() && !client.gone;
        });
        if (silent != clients_.end()) silent->gone = true;
    }
    auto& client = clients_.emplace_back();
    client.connection = std::move(connection);
    client.until = Clock::now() + limits_.patience;
    if (may_ask) {
        client.account = account_name(*peer);
        return;
    }
    log::warning("control: an account that is neither the node's nor root was refused");
    turn_away(client, {Errc::refused, "only the account of the node and root may ask it"});
}

void ControlServer::turn_away(Client& client, const Error& error) {
    (void)send_if_room(client.connection, answer_line(Result<void>(error)));
    client.gone = true;
}

void ControlServer::read(Client& client) {
    std::array<char, kPiece> piece;
    const auto got = ::recv(client.connection.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        client.gone = true;
        return;
    }
    const std::string_view arrived(piece.data(), static_cast<std::size_t>(got));
    client.received += arrived.substr(0, arrived.find('\n'));
    if (client.received.size() > kLongestRequest)
        return turn_away(client, {Errc::limit_exceeded, "the request is too long: name less at once"});
    if (arrived.find('\n') != std::string_view::npos) begin(client);
}

void ControlServer::begin(Client& client) {
    const auto working = std::count_if(clients_.begin(), clients_.end(), [](const Client& other) {
        return other.worker.joinable() && !other.carried_out;
    });
    if (static_cast<std::size_t>(working) >= limits_.requests)
        return turn_away(client, {Errc::limit_exceeded, "the node is busy with other requests of this kind"});
    try {
        client.worker = std::thread([this, &client] {
            carry_out(client, client.received);
            client.done = true;
            wake();
        });
    } catch (const std::system_error&) {
        turn_away(client, {Errc::limit_exceeded, "the node can have no more threads"});
    }
}

void ControlServer::carry_out(Client& client, std::string_view line) {
    auto request = parse_request(line);
    if (!request) {
        client.carried_out = true;
        (void)send_all(client.connection, answer_line(Result<void>(request.error())));
        return;
    }
    log::info("control: {} asks for {}", log::escaped(client.account), to_string(request->kind));
    const auto answer = answer_to(client, *request);
    client.carried_out = true;  // whoever has the answer may ask again
    if (!send_all(client.connection, answer))
        log::warning("control: nobody waited for the answer to {}", to_string(request->kind));
}

std::string ControlServer::answer_to(Client& client, const ControlRequest& request) {
    const auto administration = administration_(client.account);
    switch (request.kind) {
        case Kind::remove: return answer_line(administration->remove(request.scope, request.flag));
        case Kind::restore: return answer_line(administration->restore(request.scope));
        case Kind::purge: return answer_line(administration->purge(request.until));
        case Kind::deleted: return answer_line(administration->deleted());
        case Kind::set_protected:
            return answer_line(administration->set_protected(request.names, request.flag));
        case Kind::protected_studies: return answer_line(administration->protected_studies());
        case Kind::accept_quarantined: {
            const auto name = only_name(request);
            if (!name) return answer_line(Result<void>(name.error()));
            return answer_line(administration->accept_quarantined(*name));
        }
        case Kind::drop_quarantined: {
            const auto name = only_name(request);
            return answer_line(name ? administration->drop_quarantined(*name) : Result<void>(name.error()));
        }
        case Kind::import: return import(client, *administration, request);
    }
    return answer_line(Result<void>(Error(Errc::unsupported, "no request that this node knows")));
}

std::string ControlServer::import(Client& client, Administration& administration,
                                  const ControlRequest& request) {
    const std::unique_lock alone(importing_, std::try_to_lock);
    if (!alone) return answer_line(Result<void>(Error(Errc::limit_exceeded, "another import is running")));
    ImportOrder order;
    order.paths = request.names;
    order.threads = std::clamp(request.threads, 1u, kMostThreads);
    order.stop = &client.gone;
    return answer_line(administration.import(order, [&client](const media::ImportReport& now) {
        if (!send_if_room(client.connection, progress_line(now))) client.gone = true;
    }));
}

void ControlServer::end_the_silent() {
    const auto now = Clock::now();
    for (auto& client : clients_) {
        if (client.worker.joinable() || client.gone || now < client.until) continue;
        turn_away(client, {Errc::timeout, "no request came"});
    }
}

/// Those with whom nothing is left to do.
void ControlServer::collect() {
    for (auto client = clients_.begin(); client != clients_.end();) {
        const bool works = client->worker.joinable();
        if (works ? !client->done : !client->gone) {
            ++client;
            continue;
        }
        if (works) client->worker.join();
        client = clients_.erase(client);
    }
}

}  // namespace sagitta::app
