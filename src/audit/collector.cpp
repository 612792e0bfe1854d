#include "audit/collector.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "audit/message.h"

namespace sagitta::audit {

namespace {

constexpr timeval kPatience{5, 0};

}  // namespace

Result<CollectorAddress> parse_collector(std::string_view text) {
    const Error wrong(Errc::invalid_argument, "must be \"udp://HOST:PORT\" or \"tcp://HOST:PORT\"");
    CollectorAddress address;
    address.tcp = text.starts_with("tcp://");
    if (!address.tcp && !text.starts_with("udp://")) return wrong;
    text.remove_prefix(6);
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const std::string_view port = text.substr(colon + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (host.empty() || read.ec != std::errc() || read.ptr != port.data() + port.size() || address.port == 0)
        return wrong;
    address.host = host;
    return address;
}

Collector::~Collector() {
    close();
}

void Collector::close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

bool Collector::connect() {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = address_.tcp ? SOCK_STREAM : SOCK_DGRAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(address_.host.c_str(), std::to_string(address_.port).c_str(), &hints, &list) != 0)
        return false;
    for (const addrinfo* at = list; at != nullptr && socket_ < 0; at = at->ai_next) {
        socket_ = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
        if (socket_ < 0) continue;
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);  // of connect too
        if (::connect(socket_, at->ai_addr, at->ai_addrlen) != 0) close();
    }
    ::freeaddrinfo(list);
    return socket_ >= 0;
}

bool Collector::is_gone() const {
    if (!address_.tcp) return false;
    pollfd one{socket_, POLLIN | POLLRDHUP, 0};
    if (::poll(&one, 1, 0) <= 0) return false;
    if ((one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) return true;
    std::array<char, 256> ignored{};  // syslog is one-way: whatever it says means nothing
    return ::recv(socket_, ignored.data(), ignored.size(), MSG_DONTWAIT) == 0;
}

Result<void> Collector::send(std::string_view syslog_message) {
    const Error lost(Errc::connection_lost, "the audit collector cannot be reached");
    if (socket_ >= 0 && is_gone()) close();
    if (socket_ < 0 && !connect()) return lost;
    const std::string frame = address_.tcp ? framed(syslog_message) : std::string(syslog_message);
    std::string_view left = frame;
    while (!left.empty()) {
        const auto count = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EMSGSIZE) return {};  // longer than a datagram: no way to send it, ever
        if (count <= 0) {
            close();
            return lost;
        }
        left.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace sagitta::audit
