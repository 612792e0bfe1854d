#include "doctor/reach.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace sagitta::doctor {
namespace {

using Milliseconds = std::chrono::milliseconds;

class Socket {
public:
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int get() const { return descriptor_; }

private:
    int descriptor_;
};

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses look_up(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &list) != 0) return nullptr;
    return Addresses(list);
}

std::string number_of(const sockaddr* address, socklen_t length) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
    return text.data();
}

bool wait_for(int descriptor, short events, Milliseconds patience) {
    pollfd one{descriptor, events, 0};
    int ready = -1;
    do {
        ready = ::poll(&one, 1, static_cast<int>(patience.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/// 0, or why not as errno has it.
int open_connection(const addrinfo& address, Milliseconds patience, std::optional<Socket>& out) {
    Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return errno;
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) return errno;
        if (!wait_for(socket.get(), POLLOUT, patience)) return ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return error;
    }
    out.emplace(std::move(socket));
    return 0;
}

Error error_of(int why) {
    switch (why) {
        case ECONNREFUSED: return {Errc::refused, "nothing listens on this port"};
        case ETIMEDOUT: return {Errc::timeout, "nobody answers"};
        case EHOSTUNREACH:
        case ENETUNREACH: return {Errc::not_found, "there is no way to this host"};
        default: return {Errc::io_failure, std::strerror(why)};
    }
}

std::optional<Socket> connect_any(const std::string& host, std::uint16_t port, Milliseconds patience,
                                  int& why) {
    const auto list = look_up(host, std::to_string(port));
    std::optional<Socket> socket;
    why = EHOSTUNREACH;
    for (const addrinfo* at = list.get(); at != nullptr && !socket; at = at->ai_next)
        why = open_connection(*at, patience, socket);
    return socket;
}

/// What somebody says first, or after `said`; nothing when he closed without a word.
std::optional<std::string> answer_to(const std::string& host, std::uint16_t port, std::string_view said,
                                     Milliseconds patience, bool& closed) {
    int why = 0;
    const auto socket = connect_any(host, port, patience, why);
    closed = false;
    if (!socket) return std::nullopt;
    if (!said.empty() && ::send(socket->get(), said.data(), said.size(), MSG_NOSIGNAL) < 0) closed = true;
    if (closed || !wait_for(socket->get(), POLLIN, patience)) return std::string();
    std::array<char, 256> bytes{};
    const auto count = ::recv(socket->get(), bytes.data(), bytes.size(), 0);
    closed = count <= 0;
    return std::string(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
}

/// A ClientHello of TLS 1.2 with one cipher suite and no extensions: enough for a ServerHello or an alert.
std::string client_hello() {
    std::string body("\x03\x03", 2);
    body.append(32, '\x2a');                            // random
    body.append(std::string("\0\0\2\xc0\x2f\1\0", 7));  // no session, one suite, no compression
    std::string hello("\x16\x03\x01\0", 4);
    hello += static_cast<char>(body.size() + 4);
    hello.append(std::string("\1\0\0", 3));
    hello += static_cast<char>(body.size());
    return hello + body;
}

bool is_tls(std::string_view answer) {
    return answer.size() >= 3 && (answer[0] == '\x16' || answer[0] == '\x15') && answer[1] == '\x03';
}

}  // namespace

Result<std::vector<std::string>> resolve(const std::string& host) {
    std::vector<std::string> numbers;
    const auto list = look_up(host, "104");
    for (const addrinfo* at = list.get(); at != nullptr; at = at->ai_next)
        numbers.push_back(number_of(at->ai_addr, at->ai_addrlen));
    if (numbers.empty()) return Error(Errc::not_found, "the name of the host is not known");
    return numbers;
}

Result<Route> connect_to(const std::string& host, std::uint16_t port, Milliseconds patience) {
    int why = 0;
    const auto socket = connect_any(host, port, patience, why);
    if (!socket) return error_of(why);
    const auto number = [&](auto ask) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        return ask(socket->get(), plain, &size) == 0 ? number_of(plain, size) : std::string();
    };
    Route route;
    route.peer_address = number(::getpeername);
    route.local_address = number(::getsockname);
    return route;
}

Speaker who_speaks(const std::string& host, std::uint16_t port, Milliseconds patience) {
    bool closed = false;
    const auto greeting = answer_to(host, port, {}, patience, closed);
    if (!greeting) return Speaker::nobody;
    if (closed) return Speaker::closes;
    if (greeting->starts_with("SSH-")) return Speaker::ssh;
    if (!greeting->empty()) return Speaker::greets;
    const auto page = answer_to(host, port, "GET / HTTP/1.0\r\n\r\n", patience, closed);
    if (page && page->starts_with("HTTP/")) return Speaker::http;
    if (page && is_tls(*page)) return Speaker::tls;
    const auto hello = answer_to(host, port, client_hello(), patience, closed);
    if (hello && is_tls(*hello)) return Speaker::tls;
    return Speaker::unknown;
}

}  // namespace sagitta::doctor
