// TLS over the socket of one association, without waiting of its own where it need not: reading fits a
// read loop of non-blocking reads, writing encrypts into memory first. Internal to net/ul.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "core/task.h"
#include "net/ul/machine.h"
#include "net/ul/tls_context.h"
#include "net/ul/tls_identity.h"

namespace sagitta::net::ul {

/// Everything on the socket's executor; the socket, non-blocking, outlives it.
class TlsStream {
public:
    TlsStream(asio::ip::tcp::socket& socket, std::shared_ptr<const TlsContext> context, Role role);
    ~TlsStream();
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    /// Requestor, before the handshake: the certificate must have this identity (has_identity), or when
    /// that is empty be for `host`.
    void expect(std::string host, std::string identity);
    /// Ends early when the socket is closed. Errors: refused (certificates), protocol_error, connection_lost.
    [[nodiscard]] Task<Result<void>> handshake();
    /// What the peer is, once the handshake is done.
    [[nodiscard]] const TlsPeer& peer() const { return peer_; }

    /// As much as there is. When it is less than `into` there is nothing left to decrypt: `ec` is
    /// would_block, or what ended the stream (bytes may have come before it).
    [[nodiscard]] std::size_t read_some(std::span<std::byte> into, std::error_code& ec);
    /// One at a time.
    [[nodiscard]] Task<std::error_code> write(std::span<const asio::const_buffer> pieces);
    /// Tells the peer that nothing more will come, if it can be told without waiting.
    void say_goodbye();

    /// Why the stream ended, in words; empty for an orderly end.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

private:
    struct Ssl;
    friend struct SocketBio;
    [[nodiscard]] Error handshake_error(int ssl_error);
    void name_peer();
    void note_peer();
    bool push(std::error_code& ec);
    [[nodiscard]] Task<std::error_code> flush();
    [[nodiscard]] bool encrypt(std::span<const asio::const_buffer>& pieces, std::size_t& offset);

    asio::ip::tcp::socket& socket_;
    std::shared_ptr<const TlsContext> context_;
    const Role role_;
    std::unique_ptr<Ssl> ssl_;
    std::string host_;
    std::string identity_;
    TlsPeer peer_;
    std::string trouble_;
    ByteBuffer out_;  ///< encrypted, not sent
    std::size_t out_sent_ = 0;
    std::uint64_t bytes_sent_ = 0;
    std::uint64_t bytes_received_ = 0;
    std::byte first_{};  ///< that the peer ever sent
};

}  // namespace sagitta::net::ul
