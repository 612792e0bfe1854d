#include "net/ul/tls_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <asio/error.hpp>

#include "net/ul/tls_native.h"

namespace sagitta::net::ul {

namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;
/// Encrypted at one go before the socket gets it.
constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::size_t kKeptBytes = 16 * 1024;
constexpr std::byte kHandshakeRecord{22};
constexpr std::byte kAlertRecord{21};

}  // namespace

/// The library reads from the socket, and writes into out_: what it writes is never refused, so that
/// writing and reading do not wait for each other.
struct SocketBio {
    static int read(BIO* bio, char* into, int size) {
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        const ssize_t count = ::recv(stream.socket_.native_handle(), into, static_cast<std::size_t>(size), 0);
        if (count > 0) {
            if (stream.bytes_received_ == 0) std::memcpy(&stream.first_, into, 1);
            stream.bytes_received_ += static_cast<std::uint64_t>(count);
        } else if (count == 0) {
            BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
            BIO_set_retry_read(bio);
        }
        return static_cast<int>(count);
    }

    static int write(BIO* bio, const char* from, int size) {
        auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        stream.out_.append(std::as_bytes(std::span(from, static_cast<std::size_t>(size))));
        return size;
    }

    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_FLUSH) return 1;
        if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        return 0;
    }

    static const BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* fresh =
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "association socket");
            BIO_meth_set_read(fresh, read);
            BIO_meth_set_write(fresh, write);
            BIO_meth_set_ctrl(fresh, control);
            return fresh;
        }();
        return made;
    }
};

struct TlsStream::Ssl {
    std::unique_ptr<SSL, SslDelete> handle;
    bool done = false;  ///< the handshake
};

TlsStream::TlsStream(asio::ip::tcp::socket& socket, std::shared_ptr<const TlsContext> context, Role role)
    : socket_(socket), context_(std::move(context)), role_(role), ssl_(std::make_unique<Ssl>()) {}

TlsStream::~TlsStream() = default;

void TlsStream::expect(std::string host, std::string identity) {
    host_ = std::move(host);
    identity_ = std::move(identity);
}

/// Whose certificate it must be, and for servers of many names, whom we mean.
void TlsStream::name_peer() {
    SSL* const ssl = ssl_->handle.get();
    std::error_code no_number;
    static_cast<void>(asio::ip::make_address(host_, no_number));
    if (no_number) SSL_set_tlsext_host_name(ssl, host_.c_str());
    if (!identity_.empty()) return;
    if (no_number) {
        SSL_set1_host(ssl, host_.c_str());
    } else {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host_.c_str());
    }
}

Task<Result<void>> TlsStream::handshake() {
    // A connection that says nothing costs nothing: the library's memory comes with the first byte.
    if (role_ == Role::acceptor) {
        auto ready = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, no_throw);
        static_cast<void>(ready);
        if (!socket_.is_open()) co_return Error(Errc::connection_lost, "closed");
    }
    ERR_clear_error();
    ssl_->handle.reset(SSL_new(context_->native().context.get()));
    SSL* const ssl = ssl_->handle.get();
    BIO* const bio = ssl == nullptr ? nullptr : BIO_new(SocketBio::method());
    if (bio == nullptr) co_return Error(Errc::limit_exceeded, "TLS: " + tls_error_text());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    if (role_ == Role::acceptor) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
        name_peer();
    }
    for (;;) {
        ERR_clear_error();
        const int answer = SSL_do_handshake(ssl);
        const int wants = SSL_get_error(ssl, answer);
        Result<void> outcome;
        if (answer != 1 && wants != SSL_ERROR_WANT_READ) outcome = handshake_error(wants);
        if (auto ec = co_await flush(); ec && outcome) outcome = Error(Errc::connection_lost, ec.message());
        if (!outcome) co_return outcome;
        if (answer == 1) break;
        auto ready = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, no_throw);
        static_cast<void>(ready);
        if (!socket_.is_open()) co_return Error(Errc::connection_lost, "closed during the TLS handshake");
    }
    ssl_->done = true;
    note_peer();
    const bool checks = role_ == Role::requestor && context_->native().verifies && !identity_.empty();
    if (checks && !has_identity(peer_, identity_))
        co_return Error(Errc::refused, "TLS: the peer's certificate is not the one configured for it");
    co_return Result<void>();
}

/// What happened, for somebody who has to repair it.
Error TlsStream::handshake_error(int ssl_error) {
    const auto code = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(code);
    const long verified = SSL_get_verify_result(ssl_->handle.get());
    const std::string text = tls_error_text();
    if (code != 0 && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return {Errc::refused, std::string("TLS: the peer's certificate is not trusted: ") +
                                   X509_verify_cert_error_string(verified)};
    if (bytes_received_ == 0)
        return {Errc::connection_lost,
                "TLS: the peer closed the connection without an answer; does it speak TLS on this port?"};
    if (first_ != kHandshakeRecord && first_ != kAlertRecord)
        return {Errc::protocol_error, first_ <= std::byte{7} && first_ != std::byte{0}
                                          ? "TLS: the peer speaks plain DICOM"
                                          : "TLS: the peer does not speak TLS"};
    if (code == 0 || ssl_error == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return {Errc::connection_lost, "TLS: the peer closed the connection during the handshake"};
    switch (reason) {
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            return {Errc::unsupported, "TLS: no version in common (" + text + ")"};
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            return {Errc::unsupported, "TLS: no cipher suite in common (" + text + ")"};
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return {Errc::refused, "TLS: the peer has no certificate, and one is required"};
        default: return {Errc::refused, "TLS: " + text};
    }
}

void TlsStream::note_peer() {
    SSL* const ssl = ssl_->handle.get();
    peer_.version = SSL_get_version(ssl);
    peer_.suite = SSL_get_cipher_name(ssl);
    const std::unique_ptr<X509, SslDelete> certificate(SSL_get1_peer_certificate(ssl));
    if (!certificate) return;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return;
    constexpr char kDigits[] = "0123456789abcdef";
    peer_.fingerprint = "sha256:";
    for (unsigned n = 0; n < size; ++n)
        peer_.fingerprint.append(1, kDigits[digest[n] >> 4]).append(1, kDigits[digest[n] & 15]);
    auto* const names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
    for (int n = 0; n < sk_GENERAL_NAME_num(names); ++n) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, n);
        if (name->type != GEN_DNS && name->type != GEN_URI && name->type != GEN_EMAIL) continue;
        const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5));
        peer_.names.emplace_back(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5)));
    }
    GENERAL_NAMES_free(names);
    const X509_NAME* const subject = X509_get_subject_name(certificate.get());
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char* utf8 = nullptr;
    const int length =
        at < 0 ? -1 : ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length >= 0)
        peer_.names.emplace_back(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(length));
    OPENSSL_free(utf8);
}

std::size_t TlsStream::read_some(std::span<std::byte> into, std::error_code& ec) {
    ec = {};
    std::size_t total = 0;
    while (total < into.size()) {
        ERR_clear_error();
        std::size_t count = 0;
        const int answer = SSL_read_ex(ssl_->handle.get(), into.data() + total, into.size() - total, &count);
        if (answer == 1) {
            total += count;
            continue;
        }
        const int why = SSL_get_error(ssl_->handle.get(), answer);
        if (why == SSL_ERROR_WANT_READ) {
            ec = asio::error::would_block;
        } else if (why == SSL_ERROR_ZERO_RETURN) {
            ec = asio::error::eof;
        } else {
            ec = asio::error::connection_reset;
            const int reason = ERR_GET_REASON(ERR_peek_last_error());
            if (why == SSL_ERROR_SSL && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING)
                trouble_ = "TLS: " + tls_error_text();
        }
        break;
    }
    // Answers of the library's own (key updates, alerts); what does not fit goes before the next write.
    std::error_code ignored;
    push(ignored);
    return total;
}

/// Sends what the socket takes now. True when nothing is left.
bool TlsStream::push(std::error_code& ec) {
    while (out_sent_ < out_.size()) {
        const ssize_t count =
            ::send(socket_.native_handle(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL);
        if (count < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) ec.assign(errno, asio::error::get_system_category());
            return false;
        }
        out_sent_ += static_cast<std::size_t>(count);
        bytes_sent_ += static_cast<std::uint64_t>(count);
    }
    out_.clear();
    out_sent_ = 0;
    return true;
}

Task<std::error_code> TlsStream::flush() {
    std::error_code ec;
    while (socket_.is_open() && !push(ec) && !ec) {
        auto ready = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, no_throw);
        ec = std::get<0>(ready);
    }
    if (!ec && !socket_.is_open()) ec = asio::error::operation_aborted;
    co_return ec;
}

/// The next chunk of `pieces`, which shrink; `offset` is into the first. Small pieces share a record.
bool TlsStream::encrypt(std::span<const asio::const_buffer>& pieces, std::size_t& offset) {
    std::array<std::byte, kRecordBytes> record;
    const std::size_t before = out_.size();
    while (!pieces.empty() && out_.size() - before < kChunkBytes) {
        std::size_t filled = 0;
        const void* from = record.data();
        while (!pieces.empty() && filled < kRecordBytes) {
            const auto* data = static_cast<const std::byte*>(pieces.front().data()) + offset;
            const std::size_t count = std::min(pieces.front().size() - offset, kRecordBytes - filled);
            if (filled == 0 && count == kRecordBytes) {
                from = data;
            } else if (count != 0) {
                std::memcpy(record.data() + filled, data, count);
            }
            filled += count;
            offset += count;
            if (offset == pieces.front().size()) {
                pieces = pieces.subspan(1);
                offset = 0;
            }
        }
        std::size_t written = 0;
        ERR_clear_error();
        if (filled != 0 &&
            (SSL_write_ex(ssl_->handle.get(), from, filled, &written) != 1 || written != filled)) {
            trouble_ = "TLS: " + tls_error_text();
            return false;
        }
    }
    return true;
}

Task<std::error_code> TlsStream::write(std::span<const asio::const_buffer> pieces) {
    std::size_t offset = 0;
    std::error_code ec;
    while (!pieces.empty() && !ec) {
        if (!socket_.is_open()) co_return asio::error::operation_aborted;
        if (!encrypt(pieces, offset)) co_return asio::error::connection_reset;
        ec = co_await flush();
    }
    if (out_.empty() && out_.capacity() > kKeptBytes && !ec) out_ = ByteBuffer();
    co_return ec;
}

void TlsStream::say_goodbye() {
    if (!ssl_->done || !socket_.is_open()) return;
    ERR_clear_error();
    SSL_shutdown(ssl_->handle.get());
    ERR_clear_error();
    std::error_code ignored;
    push(ignored);
}

}  // namespace sagitta::net::ul
