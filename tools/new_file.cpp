#include "new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "core/bytes.h"

namespace sagitta::tools {
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

}  // namespace

Result<void> write_new(const std::string& path, std::span<const std::byte> header,
                       std::span<const std::byte> body) {
    // Two threads may come to the same name at once.
    static std::atomic<unsigned> count = 0;
    const std::string temporary = fmt::format("{}.{}-{}.part", path, ::getpid(), ++count);
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) return failure(temporary, errno);
    bool fine = write_all(file, header) && write_all(file, body);
    int number = errno;
    if (::close(file) != 0 && fine) {
        fine = false;
        number = errno;
    }
    if (fine && !take_name(temporary, path)) {
        fine = false;
        number = errno;
    }
    if (!fine) ::unlink(temporary.c_str());
    if (!fine && number == EEXIST && holds(path, header, body)) return {};
    if (!fine) return failure(path, number);
    return {};
}

void sync_tree(const std::string& folder) {
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return;
    ::syncfs(opened);
    ::close(opened);
}

}  // namespace sagitta::tools
