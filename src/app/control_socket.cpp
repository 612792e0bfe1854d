#include "app/control_socket.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace sagitta::app {
namespace {

constexpr const char* kName = "control.sock";
constexpr int kWaiting = 32;
constexpr timeval kSendPatience{10, 0};

Error failure(std::string_view what) {
    return {Errc::io_failure, fmt::format("{}: {}", what, std::generic_category().message(errno))};
}

/// A path of any length: where it does not fit into an address it goes by the open folder.
sockaddr_un address_in(const std::string& data_dir, const Descriptor& folder) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto path = fmt::format("{}/{}", data_dir, kName);
    if (path.size() >= sizeof(address.sun_path))
        path = fmt::format("/proc/self/fd/{}/{}", folder.get(), kName);
    std::copy(path.begin(), path.end(), address.sun_path);
    return address;
}

Descriptor open_folder(const std::string& data_dir) {
    return Descriptor(::open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// What a killed process left; nothing else.
Result<void> remove_old(const Descriptor& folder) {
    struct stat status {};
    if (::fstatat(folder.get(), kName, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return {};
        return failure(kName);
    }
    if (!S_ISSOCK(status.st_mode)) return Error(Errc::already_exists, "control.sock is there and no socket");
    if (::unlinkat(folder.get(), kName, 0) != 0 && errno != ENOENT) return failure("removing control.sock");
    return {};
}

template <class Address>
const sockaddr* generic(const Address& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Result<ControlSocket> ControlSocket::listen(const std::string& data_dir) {
    auto folder = open_folder(data_dir);
    if (!folder) return failure(data_dir);
    if (auto removed = remove_old(folder); !removed) return std::move(removed).error();
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failure("socket");
    // Before it has a name: nobody else ever sees it open to others.
    if (::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0) return failure("fchmod of control.sock");
    const auto address = address_in(data_dir, folder);
    if (::bind(socket.get(), generic(address), sizeof(address)) != 0) return failure("bind of control.sock");
    ControlSocket made(std::move(folder), std::move(socket));
    if (::listen(made.descriptor(), kWaiting) != 0) return failure("listen on control.sock");
    return made;
}

ControlSocket::~ControlSocket() {
    if (folder_) (void)::unlinkat(folder_.get(), kName, 0);
}

Result<std::optional<Descriptor>> ControlSocket::accept() const {
    Descriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) {
        if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return std::optional<Descriptor>();
        return failure("accept on control.sock");
    }
    ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof(kSendPatience));
    return std::optional(std::move(connection));
}

Descriptor connect_control(const std::string& data_dir) {
    const auto folder = open_folder(data_dir);
    if (!folder) return {};
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_in(data_dir, folder);
    if (!socket || ::connect(socket.get(), generic(address), sizeof(address)) != 0) return {};
    return socket;
}

Result<uid_t> peer_of(const Descriptor& connection) {
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return failure("SO_PEERCRED");
    return peer.uid;
}

std::string account_name(uid_t account) {
    std::vector<char> room(16 * 1024);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(account, &entry, room.data(), room.size(), &found) == 0 && found != nullptr)
        return found->pw_name;
    return fmt::format("{}", account);
}

bool send_all(const Descriptor& connection, std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool send_if_room(const Descriptor& connection, std::string_view text) {
    const auto sent = ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    return static_cast<std::size_t>(sent) == text.size();  // half a line would spoil what follows
}

}  // namespace sagitta::app
