// The Unix domain socket by which a running node takes orders: DATA/control.sock. Who may speak there is
// decided here; what is said is control_messages.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "core/result.h"

namespace sagitta::app {

/// A file descriptor that is closed with it.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor();

    [[nodiscard]] int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

private:
    int number_ = -1;
};

/// Listens as long as it lives; then the socket is removed.
class ControlSocket {
public:
    /// Replaces the one of a process that was killed: only who holds the archive's lock may call this.
    /// Errors: io_failure, already_exists (something else has the name).
    [[nodiscard]] static Result<ControlSocket> listen(const std::string& data_dir);
    ControlSocket(ControlSocket&&) noexcept = default;
    ControlSocket& operator=(ControlSocket&&) noexcept = default;
    ~ControlSocket();

    [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
    /// The next one who has come; reading does not block. Nothing: nobody has. Errors: io_failure.
    [[nodiscard]] Result<std::optional<Descriptor>> accept() const;

private:
    ControlSocket(Descriptor folder, Descriptor socket)
        : folder_(std::move(folder)), socket_(std::move(socket)) {}

    Descriptor folder_;
    Descriptor socket_;
};

/// To the node that serves the archive there. Nothing when none listens.
[[nodiscard]] Descriptor connect_control(const std::string& data_dir);

/// Who is at the other end. Errors: io_failure.
[[nodiscard]] Result<uid_t> peer_of(const Descriptor& connection);

/// The name of the account, or its number where it has none.
[[nodiscard]] std::string account_name(uid_t account);

/// All of `text`, or false: nobody reads it (any more).
[[nodiscard]] bool send_all(const Descriptor& connection, std::string_view text);
/// All of `text` if there is room for it at once, or nothing. False when nobody will read it any more.
[[nodiscard]] bool send_if_room(const Descriptor& connection, std::string_view text);

}  // namespace sagitta::app
