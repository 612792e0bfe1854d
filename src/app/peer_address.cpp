#include "app/peer_address.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "core/log.h"

namespace sagitta::app {
namespace {

Error refused(std::string_view text, std::string_view why) {
    return {Errc::invalid_argument, fmt::format("'{}' is no AET@HOST:PORT: {}", log::escaped(text), why)};
}

bool is_host(std::string_view host) {
    return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return letter || c == '-' || c == '.' || c == '_';
    });
}

bool is_bracketed_address(std::string_view host) {
    return !host.empty() && host.find(':') != std::string_view::npos &&
           host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data(), end, port);
    if (ec != std::errc() || rest != end || port == 0) return std::nullopt;
    return port;
}

}  // namespace

Result<PeerAddress> parse_peer_address(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == std::string_view::npos) return refused(text, "there is no '@' behind the AE title");
    const auto ae_title = net::ul::AeTitle::parse(text.substr(0, at));
    if (!ae_title)
        return refused(text, "an AE title has 1 to 16 printable ASCII characters and no backslash");
    std::string_view host = text.substr(at + 1);
    std::string_view port;
    if (host.starts_with('[')) {
        const auto closing = host.find(']');
        if (closing == std::string_view::npos) return refused(text, "']' is missing");
        port = host.substr(closing + 1);
        host = host.substr(1, closing - 1);
        if (!is_bracketed_address(host)) return refused(text, "between '[' and ']' stands no IPv6 address");
        if (!port.starts_with(':')) return refused(text, "the port is missing, for example :104");
        port.remove_prefix(1);
    } else {
        const auto colon = host.find(':');
        if (colon == std::string_view::npos) return refused(text, "the port is missing, for example :104");
        if (host.find(':', colon + 1) != std::string_view::npos)
            return refused(text, "an IPv6 address stands in '[' and ']'");
        port = host.substr(colon + 1);
        host = host.substr(0, colon);
        if (!is_host(host)) return refused(text, "the host is no name and no address");
    }
    const auto number = parse_port(port);
    if (!number) return refused(text, "the port is a number from 1 to 65535");
    PeerAddress address;
    address.ae_title = *ae_title;
    address.host = std::string(host);
    address.port = *number;
    return address;
}

std::string to_string(const PeerAddress& address) {
    const bool bracketed = address.host.find(':') != std::string::npos;
    return fmt::format("{}@{}{}{}:{}", address.ae_title.view(), bracketed ? "[" : "", address.host,
                       bracketed ? "]" : "", address.port);
}

}  // namespace sagitta::app
