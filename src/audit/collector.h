// The way to an audit record repository: syslog over UDP (RFC 5426) or TCP (RFC 6587). Blocks, for seconds at
// most.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::audit {

struct CollectorAddress {
    bool tcp = false;
    std::string host;
    std::uint16_t port = 514;
};

/// "udp://HOST:PORT" or "tcp://HOST:PORT", IPv6 in brackets. Errors: invalid_argument.
[[nodiscard]] Result<CollectorAddress> parse_collector(std::string_view text);

/// Not thread-safe.
class Collector {
public:
    explicit Collector(CollectorAddress address) : address_(std::move(address)) {}
    ~Collector();
    Collector(const Collector&) = delete;
    Collector& operator=(const Collector&) = delete;

    /// One syslog message. Connects when it is not connected. Errors: connection_lost; it may have arrived
    /// all the same, since syslog is not answered.
    [[nodiscard]] Result<void> send(std::string_view syslog_message);

private:
    bool connect();
    void close();
    /// The collector has closed its end since the last message.
    [[nodiscard]] bool is_gone() const;

    const CollectorAddress address_;
    int socket_ = -1;
};

}  // namespace sagitta::audit
