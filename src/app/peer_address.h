// How a remote node is written everywhere: AET@HOST:PORT. Pure.
#pragma once

#include <string>
#include <string_view>

#include "app/configuration.h"
#include "core/result.h"

namespace sagitta::app {

/// "PACS@10.0.0.5:104", "PACS@pacs.example.org:11112", "PACS@[2001:db8::5]:104". Errors:
/// invalid_argument, saying what is wrong.
[[nodiscard]] Result<PeerAddress> parse_peer_address(std::string_view text);

/// The form parse_peer_address reads.
[[nodiscard]] std::string to_string(const PeerAddress& address);

}  // namespace sagitta::app
