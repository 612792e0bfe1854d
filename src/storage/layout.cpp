#include "storage/layout.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace sagitta::storage {

std::string Layout::volume(std::uint32_t number) const {
    return fmt::format("{}/{:08}.tar", volumes(), number);
}

std::optional<std::uint32_t> volume_number(std::string_view file_name) noexcept {
    if (file_name.size() != 12 || !file_name.ends_with(".tar")) return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(file_name.data(), file_name.data() + 8, number);
    if (error != std::errc() || end != file_name.data() + 8 || number == 0) return std::nullopt;
    return number;
}

Result<std::vector<std::uint32_t>> list_volumes(FileSystem& file_system, const Layout& layout) {
    auto names = file_system.list(layout.volumes());
    if (!names) return std::move(names).error();
    std::vector<std::uint32_t> numbers;
    for (const auto& name : *names) {
        if (const auto number = volume_number(name)) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

DirectoryLock::~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<DirectoryLock> DirectoryLock::take(const Layout& layout) {
    const auto path = layout.lock();
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor < 0) {
        const auto code = errno == ENOENT ? Errc::not_found : Errc::io_failure;
        return Error(code, fmt::format("opening {}: {}", path, std::generic_category().message(errno)));
    }
    DirectoryLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) {
        return Error(Errc::already_exists, layout.data_dir + " is in use by another process");
    }
    return Error(Errc::io_failure,
                 fmt::format("locking {}: {}", path, std::generic_category().message(errno)));
}

}  // namespace sagitta::storage
