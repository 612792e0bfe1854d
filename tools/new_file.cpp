#include "new_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace sagitta::tools {
namespace {

Error failure(const std::string& path, int reason) {
    const Errc code = reason == EEXIST                       ? Errc::already_exists
                      : reason == ENOSPC || reason == EDQUOT ? Errc::no_space
                                                             : Errc::io_failure;
    return {code, path + ": " + std::strerror(reason)};
}

bool write_all(int file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto wrote = ::write(file, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return true;
}

// 0, or why the name could not be given.
int give_name(const std::string& from, const std::string& to) {
    if (link(from.c_str(), to.c_str()) == 0) return 0;
    if (errno == EEXIST) return errno;
    // File systems without hard links (FAT) may still know how to rename onto nothing.
    return renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
}

}  // namespace

Result<void> write_new_file(const std::string& path, std::span<const std::span<const std::byte>> parts) {
    if (access(path.c_str(), F_OK) == 0)
        return failure(path, EEXIST);  // before the work, not instead of link
    const std::string unfinished = fmt::format("{}.{}.partial", path, getpid());
    const int file = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return failure(unfinished, errno);
    int reason = 0;
    const bool written =
        std::all_of(parts.begin(), parts.end(), [&](auto part) { return write_all(file, part); });
    if (!written || fsync(file) != 0) reason = errno;
    if (close(file) != 0 && reason == 0) reason = errno;
    if (reason == 0) reason = give_name(unfinished, path);
    unlink(unfinished.c_str());
    if (reason != 0) return failure(path, reason);
    return {};
}

}  // namespace sagitta::tools
