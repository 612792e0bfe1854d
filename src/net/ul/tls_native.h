// The TLS library as net/ul sees it. Internal to the tls_* files.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "net/ul/tls_context.h"

namespace sagitta::net::ul {

struct SslDelete {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(X509* certificate) const { X509_free(certificate); }
};

struct TlsContext::Native {
    std::unique_ptr<SSL_CTX, SslDelete> context;
    bool verifies = true;
};

/// The library's words for its latest error on this thread, which is forgotten.
[[nodiscard]] std::string tls_error_text();

}  // namespace sagitta::net::ul
