// The files that [tls] names: what is wrong with them, and what the network makes of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "core/result.h"
#include "net/ul/tls_context.h"

namespace sagitta::app {

/// Null where the configuration asks for no TLS.
struct TlsContexts {
    std::shared_ptr<const net::ul::TlsContext> acceptor;
    std::shared_ptr<const net::ul::TlsContext> requestor;  ///< for peers with `tls = true`
};

/// Errors: what is wrong with which file.
[[nodiscard]] Result<TlsContexts> open_tls(const Configuration& configuration);

struct TlsRemarks {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;  ///< such as a certificate near its end, or a key that others can read
};

/// What `sagitta config check` says of them.
[[nodiscard]] TlsRemarks check_tls(const Configuration& configuration);

}  // namespace sagitta::app
