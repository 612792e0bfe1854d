// Values that lie in a file go from the page cache to the socket; this process sees their headers only.
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "net/ul/tcp_association.h"

namespace sagitta::net::ul {

namespace {

std::error_code last_error() {
    return {errno, std::generic_category()};
}

/// A retry makes sense, once the socket can be written to.
bool must_wait(std::error_code ec) {
    return ec == std::errc::resource_unavailable_try_again;
}

/// Takes what was sent off the front. No error while some is left: the socket is full then.
std::error_code send_some(int socket, std::span<const std::byte>& bytes, int flags) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket, bytes.data(), bytes.size(), flags);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return last_error();
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return {};
}

/// Where the file's own system cannot hand pages to a socket.
ssize_t copy_some(int socket, int descriptor, const FilePiece& piece) {
    std::array<std::byte, 64 * 1024> copy;
    const auto got = ::pread(descriptor, copy.data(), std::min(copy.size(), piece.bytes),
                             static_cast<off_t>(piece.offset));
    if (got <= 0) {
        if (got < 0) errno = EIO;
        return got;
    }
    return ::send(socket, copy.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
}

std::error_code send_some(int socket, int descriptor, FilePiece& piece) {
    while (piece.bytes != 0) {
        auto offset = static_cast<off_t>(piece.offset);
        auto sent = ::sendfile(socket, descriptor, &offset, piece.bytes);
        if (sent < 0 && (errno == EINVAL || errno == ENOSYS)) sent = copy_some(socket, descriptor, piece);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return last_error();
        if (sent == 0) return std::make_error_code(std::errc::io_error);  // the file has become shorter
        piece.offset += static_cast<std::uint64_t>(sent);
        piece.bytes -= static_cast<std::size_t>(sent);
    }
    return {};
}

}  // namespace

Task<std::error_code> TcpAssociation::send_piece(int descriptor, FilePiece piece, bool more) {
    for (;;) {
        if (end_ || !socket_.is_open()) co_return std::make_error_code(std::errc::connection_aborted);
        const int flags = MSG_NOSIGNAL | (more || piece.bytes != 0 ? MSG_MORE : 0);
        const std::size_t before = piece.head.size() + piece.bytes;
        auto ec = send_some(socket_.native_handle(), piece.head, flags);
        if (!ec) ec = send_some(socket_.native_handle(), descriptor, piece);
        sent_bytes_ += before - piece.head.size() - piece.bytes;
        if (!must_wait(ec)) co_return ec;
        moved_some();
        auto writable = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, no_throw);
        auto& [failed] = writable;
        if (failed) co_return failed;
    }
}

Task<Result<void>> TcpAssociation::write_from_file(int descriptor, std::span<const FilePiece> pieces) {
    const auto self = shared_from_this();
    while (writing_ && !end_) co_await wrote_.wait();
    if (!may_send_data()) co_return end_error();
    std::swap(out_, in_flight_);
    begin_write();
    FilePiece waiting;
    waiting.head = std::as_const(in_flight_).span();
    observe_sent(waiting.head);
    for (const auto& piece : pieces) {
        observe_sent(piece.head);
        if (observer_) observer_->sent_unseen(piece.bytes);
    }
    auto ec = co_await send_piece(descriptor, waiting, !pieces.empty());
    for (const auto& piece : pieces) {
        if (ec) break;
        ec = co_await send_piece(descriptor, piece, false);
    }
    written(bool(ec));
    if (end_) co_return end_error();
    if (ec == std::errc::io_error) co_return Error(Errc::io_failure, "the stored file cannot be read");
    if (ec) co_return Error(Errc::connection_lost, "writing to the peer failed");
    if (expect_within_ != Duration::zero()) expect_data(expect_within_);
    co_return Result<void>();
}

}  // namespace sagitta::net::ul
