// The way to a host before any DICOM: its name, its port, and what else may be listening there. Blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace sagitta::doctor {

/// Addresses as numbers, in the order in which they are tried. Errors: not_found.
[[nodiscard]] Result<std::vector<std::string>> resolve(const std::string& host);

/// A connection that was possible.
struct Route {
    std::string peer_address;
    std::string local_address;  ///< as the peer sees us, unless something translates on the way
};
/// Errors: refused (nothing listens), timeout (nothing answers), not_found (no way there), io_failure.
[[nodiscard]] Result<Route> connect_to(const std::string& host, std::uint16_t port,
                                       std::chrono::milliseconds patience);

/// What speaks at a port where DICOM does not.
enum class Speaker : std::uint8_t { unknown, nobody, closes, http, tls, ssh, greets };
/// Three connections at most: silence, a request of HTTP, a ClientHello (RFC 8446 4.1.2).
[[nodiscard]] Speaker who_speaks(const std::string& host, std::uint16_t port,
                                 std::chrono::milliseconds patience);

}  // namespace sagitta::doctor
