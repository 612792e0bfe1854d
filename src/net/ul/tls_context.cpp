#include "net/ul/tls_context.h"

#include <ctime>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/ul/tls_native.h"

namespace sagitta::net::ul {

namespace {

/// PS3.15 B.13: every one of these.
constexpr const char* kSuites13 =
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
/// Forward secrecy and authenticated encryption only (RFC 9325 4.2).
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384:P-521:ffdhe2048:ffdhe3072";
/// 112 bits: RSA and DH of 2048, no SHA-1 (RFC 9325 4.5).
constexpr int kSecurityLevel = 2;
constexpr int kSoonDays = 30;
constexpr int kLongestChain = 8;

/// A key that is encrypted would make the library ask at the terminal.
int no_password(char*, int, int, void*) {
    return 0;
}

Error file_error(std::string_view what, const std::string& file) {
    return {Errc::invalid_argument, std::string(what) + " " + file + ": " + tls_error_text()};
}

std::unique_ptr<SSL_CTX, SslDelete> make_context(const SSL_METHOD* method, const TlsSettings& settings) {
    std::unique_ptr<SSL_CTX, SslDelete> context(SSL_CTX_new(method));
    if (!context) return nullptr;
    SSL_CTX* const c = context.get();
    SSL_CTX_set_security_level(c, kSecurityLevel);
    const bool good =
        SSL_CTX_set_min_proto_version(c, settings.only_tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_ciphersuites(c, kSuites13) == 1 && SSL_CTX_set_cipher_list(c, kSuites12) == 1 &&
        SSL_CTX_set1_groups_list(c, kGroups) == 1;
    if (!good) return nullptr;
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_NO_TICKET);
    // No resumption: every association proves its certificate anew, and nothing is kept that could leak.
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 0);
    SSL_CTX_set_dh_auto(c, 1);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_mode(
        c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify_depth(c, kLongestChain);
    SSL_CTX_set_default_passwd_cb(c, no_password);
    return context;
}

Result<void> load_own_certificate(SSL_CTX* context, const TlsSettings& settings) {
    if (settings.certificate.empty() != settings.key.empty())
        return Error(Errc::invalid_argument, "a certificate and its key come together");
    if (settings.certificate.empty()) return {};
    if (SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1)
        return file_error("certificate", settings.certificate);
    if (SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) == 1) return {};
    if (ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH)
        return file_error("key", settings.key);
    ERR_clear_error();
    return Error(Errc::mismatch,
                 "key " + settings.key + " does not belong to the certificate " + settings.certificate);
}

Result<void> load_authorities(SSL_CTX* context, const std::string& file) {
    if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) return file_error("ca", file);
    return {};
}

}  // namespace

std::string tls_error_text() {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    if (const char* reason = ERR_reason_error_string(code)) return reason;
    return "error " + std::to_string(ERR_GET_REASON(code));
}

TlsContext::TlsContext(std::unique_ptr<Native> native) : native_(std::move(native)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::for_acceptor(const TlsSettings& settings) {
    ERR_clear_error();
    auto native = std::make_unique<Native>();
    native->context = make_context(TLS_server_method(), settings);
    if (!native->context) return Error(Errc::unsupported, "TLS cannot be set up: " + tls_error_text());
    SSL_CTX* const context = native->context.get();
    if (settings.certificate.empty()) return Error(Errc::invalid_argument, "an acceptor needs a certificate");
    if (auto loaded = load_own_certificate(context, settings); !loaded) return std::move(loaded).error();
    if (settings.ca.empty()) {
        if (settings.require_client_certificate)
            return Error(Errc::invalid_argument, "client certificates are required, but no ca is believed");
    } else {
        if (auto loaded = load_authorities(context, settings.ca); !loaded) return std::move(loaded).error();
        // Tells clients whose certificates would do.
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(settings.ca.c_str()));
        SSL_CTX_set_verify(
            context,
            SSL_VERIFY_PEER | (settings.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
            nullptr);
    }
    ERR_clear_error();
    return std::shared_ptr<const TlsContext>(new TlsContext(std::move(native)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_requestor(const TlsSettings& settings) {
    ERR_clear_error();
    auto native = std::make_unique<Native>();
    native->context = make_context(TLS_client_method(), settings);
    if (!native->context) return Error(Errc::unsupported, "TLS cannot be set up: " + tls_error_text());
    SSL_CTX* const context = native->context.get();
    native->verifies = settings.verify_peer;
    if (auto loaded = load_own_certificate(context, settings); !loaded) return std::move(loaded).error();
    if (!settings.ca.empty()) {
        if (auto loaded = load_authorities(context, settings.ca); !loaded) return std::move(loaded).error();
    } else {
        SSL_CTX_set_default_verify_paths(context);
    }
    SSL_CTX_set_verify(context, settings.verify_peer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    ERR_clear_error();
    return std::shared_ptr<const TlsContext>(new TlsContext(std::move(native)));
}

std::vector<std::string> TlsContext::warnings() const {
    std::vector<std::string> found;
    const X509* own = SSL_CTX_get0_certificate(native_->context.get());
    if (own == nullptr) return found;
    int days = 0;
    int seconds = 0;
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0)
        found.emplace_back("the certificate is not valid yet");
    if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(own)) != 1) return found;
    if (days < 0 || seconds < 0) {
        found.emplace_back("the certificate has expired");
    } else if (days < kSoonDays) {
        found.push_back("the certificate expires in " + std::to_string(days) + " days");
    }
    return found;
}

}  // namespace sagitta::net::ul
