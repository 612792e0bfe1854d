// The requestor's way to an association.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "net/ul/association.h"
#include "net/ul/tls_context.h"

namespace sagitta::net::ul {

struct ConnectOptions {
    std::string host;  ///< name or number
    std::uint16_t port = 104;
    AssociateRq request;  ///< its user.max_pdu_bytes is what incoming P-DATA-TF is held to
    AssociationSettings settings;
    std::shared_ptr<const TlsContext> tls;  ///< for_requestor; null: plain
    std::string tls_identity;               ///< who the peer must be (has_identity); empty: `host`
    /// Makes the user of the association; called before anything is sent.
    std::function<std::shared_ptr<AssociationUser>(std::shared_ptr<Association>)> make_user;
};

/// Connects and negotiates on the caller's executor, which must be single-threaded (IoThreads).
/// Errors: refused (with the reason), not_found (no such host), timeout, connection_lost,
/// protocol_error, limit_exceeded (request too long).
[[nodiscard]] Task<Result<std::shared_ptr<Association>>> connect(ConnectOptions options);

}  // namespace sagitta::net::ul
