// What all TLS connections of one kind share: certificate, key, whom to trust, and the rules of
// PS3.15 B.12 and B.13. Shows nothing of the TLS library.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace sagitta::net::ul {

struct TlsSettings {
    std::string certificate;  ///< PEM file: ours, then what links it to its issuer; a requestor may have none
    std::string key;          ///< PEM file, not encrypted
    std::string ca;  ///< PEM file: whose certificates are believed; a requestor's empty one: the system's
    bool require_client_certificate = true;  ///< acceptor; false: a certificate is verified when there is one
    bool verify_peer = true;                 ///< requestor; false: anybody may be at the other end
    bool only_tls_1_3 = false;
};

/// Thread-safe, immutable.
class TlsContext {
public:
    /// Errors: io_failure, invalid_argument (files that cannot be read, are not PEM or do not belong
    /// together), naming the file.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> for_acceptor(const TlsSettings& settings);
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> for_requestor(const TlsSettings& settings);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// What an operator should know of our certificate: expired, soon to expire, not valid yet.
    [[nodiscard]] std::vector<std::string> warnings() const;

    struct Native;
    [[nodiscard]] const Native& native() const { return *native_; }

private:
    explicit TlsContext(std::unique_ptr<Native> native);
    std::unique_ptr<Native> native_;
};

}  // namespace sagitta::net::ul
