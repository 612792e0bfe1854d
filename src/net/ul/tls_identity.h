// Who the other side of a TLS connection is, by its certificate. Values only; knows no TLS library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sagitta::net::ul {

/// What was agreed, and what the peer's certificate says; the certificate is verified unless the
/// settings said otherwise.
struct TlsPeer {
    std::string version;             ///< "TLSv1.3"
    std::string suite;               ///< "TLS_AES_256_GCM_SHA384"
    std::string fingerprint;         ///< "sha256:" and 64 lower-case digits; empty: no certificate
    std::vector<std::string> names;  ///< subject alternative names, common name, subject; untrusted text
    bool has_certificate() const { return !fingerprint.empty(); }
};

/// Whether the certificate is the one meant: "sha256:…" its fingerprint, else one of its names. DNS
/// names in any case; wildcards are not names of anybody.
[[nodiscard]] bool has_identity(const TlsPeer& peer, std::string_view wanted);

/// "sha256:0a1b…" in the one form that is compared (digits in lower case, colons between them gone), or
/// empty when it is no SHA-256 fingerprint.
[[nodiscard]] std::string normal_fingerprint(std::string_view text);

}  // namespace sagitta::net::ul
