#include "core/new_file.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "core/bytes.h"

namespace sagitta {
namespace {

Error failure(const std::string& path, int number) {
    const Errc code = number == EEXIST   ? Errc::already_exists
                      : number == ENOSPC ? Errc::no_space
                                         : Errc::io_failure;
    return {code, fmt::format("{}: {}", path, std::strerror(number))};
}

bool write_all(int file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto wrote = ::write(file, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return true;
}

// The same instance from another file, or from another run with the same key.
bool holds(const std::string& path, std::span<const std::byte> header, std::span<const std::byte> body) {
    std::ifstream file(path, std::ios::binary);
    std::string there(header.size() + body.size() + 1, '\0');
    file.read(there.data(), static_cast<std::streamsize>(there.size()));
    there.resize(static_cast<std::size_t>(file.gcount()));
    return there.size() == header.size() + body.size() && there.starts_with(as_text(header)) &&
           there.ends_with(as_text(body));
}

// Unlike rename() refuses a name that is taken; not every file system can do it in one step.
bool take_name(const std::string& temporary, const std::string& path) {
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL) return false;
    if (::link(temporary.c_str(), path.c_str()) != 0) return false;
    ::unlink(temporary.c_str());
    return true;
}

struct Kind {
    mode_t mode = 0644;
    bool synced = false;
};

struct Parts {
    std::span<const std::byte> header;
    std::span<const std::byte> body;
};

// 0 or what went wrong.
int fill(int file, const Parts& parts, bool synced) {
    if (!write_all(file, parts.header) || !write_all(file, parts.body)) return errno;
    if (synced && ::fsync(file) != 0) return errno;
    return 0;
}

int sync_folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return errno;
    const int number = ::fsync(opened) == 0 ? 0 : errno;
    ::close(opened);
    return number;
}

Result<void> write(const std::string& path, const Parts& parts, Kind kind) {
    // Two threads may come to the same name at once.
    static std::atomic<unsigned> count = 0;
    const std::string temporary = fmt::format("{}.{}-{}.part", path, ::getpid(), ++count);
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kind.mode);
    if (file < 0) return failure(temporary, errno);
    int number = fill(file, parts, kind.synced);
    if (::close(file) != 0 && number == 0) number = errno;
    if (number == 0 && !take_name(temporary, path)) number = errno;
    if (number != 0) ::unlink(temporary.c_str());
    if (number == EEXIST && holds(path, parts.header, parts.body)) number = 0;
    // Also of one that was there: whoever wrote it may not have come this far.
    const bool named = number == 0 || number == EEXIST;
    if (const int unsynced = named && kind.synced ? sync_folder_of(path) : 0; unsynced != 0)
        number = unsynced;
    if (number != 0) return failure(path, number);
    return {};
}

}  // namespace

Result<void> write_new(const std::string& path, std::span<const std::byte> header,
                       std::span<const std::byte> body) {
    return write(path, {header, body}, {});
}

Result<void> write_secret(const std::string& path, std::span<const std::byte> content) {
    return write(path, {content, {}}, {0600, true});
}

void sync_tree(const std::string& folder) {
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return;
    ::syncfs(opened);
    ::close(opened);
}

}  // namespace sagitta
