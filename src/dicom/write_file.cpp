#include "dicom/write_file.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

namespace sagitta::dicom {
namespace {

Error failure(const std::string& path, int reason) {
    const auto code = reason == EEXIST                       ? Errc::already_exists
                      : reason == ENOENT                     ? Errc::not_found
                      : reason == ENOSPC || reason == EDQUOT ? Errc::no_space
                                                             : Errc::io_failure;
    return {code, path + ": " + std::strerror(reason)};
}

/// A new file beside the one to be; removed again unless it got its name.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::filesystem::path& target) {
        std::uint64_t number = 0;
        constexpr int kAttempts = 16;
        for (int attempt = 0; attempt < kAttempts && descriptor_ < 0; ++attempt) {
            if (getrandom(&number, sizeof number, 0) != sizeof number) continue;
            name_ = target.parent_path() / fmt::format(".sagitta-{:016x}.tmp", number);
            descriptor_ = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (descriptor_ < 0 && errno != EEXIST) return;
        }
    }
    ~TemporaryFile() {
        if (descriptor_ < 0) return;
        close(descriptor_);
        if (!renamed_) unlink(name_.c_str());
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

    /// These answer 0, or the errno.
    int append(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const auto put = ::write(descriptor_, bytes.data(), bytes.size());
            if (put < 0 && errno != EINTR) return errno;
            if (put > 0) bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        return 0;
    }
    int overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const auto put = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno != EINTR) return errno;
            if (put <= 0) continue;
            offset += static_cast<std::uint64_t>(put);
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        return 0;
    }
    int sync() { return fsync(descriptor_) == 0 ? 0 : errno; }
    int rename_to(const std::filesystem::path& target, IfFileExists if_exists) {
        if (if_exists == IfFileExists::replace) {
            if (::rename(name_.c_str(), target.c_str()) != 0) return errno;
            renamed_ = true;
            return 0;
        }
        if (renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
            renamed_ = true;
            return 0;
        }
        if (errno != EINVAL && errno != ENOSYS) return errno;
        // A file system without that flag: a second name is never given to what exists; the first goes
        // with this object.
        return link(name_.c_str(), target.c_str()) == 0 ? 0 : errno;
    }

private:
    std::filesystem::path name_;
    int descriptor_ = -1;
    bool renamed_ = false;
};

int sync_folder(const std::filesystem::path& folder) {
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    const int reason = fsync(descriptor) == 0 ? 0 : errno;
    close(descriptor);
    return reason;
}

}  // namespace

struct NewFile::State {
    State(const std::string& path, IfFileExists exists) : target(path), if_exists(exists), file(target) {}

    std::filesystem::path target;
    IfFileExists if_exists;
    TemporaryFile file;

    [[nodiscard]] Result<void> checked(int reason) const {
        if (reason == 0) return {};
        return failure(target.string(), reason);
    }
};

NewFile::NewFile(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
NewFile::NewFile(NewFile&&) noexcept = default;
NewFile& NewFile::operator=(NewFile&&) noexcept = default;
NewFile::~NewFile() = default;

Result<NewFile> NewFile::create(const std::string& path, IfFileExists if_exists) {
    // Before the work; the rename at the end is what decides.
    if (if_exists == IfFileExists::refuse && access(path.c_str(), F_OK) == 0) return failure(path, EEXIST);
    errno = EIO;
    auto state = std::make_unique<State>(path, if_exists);
    if (!state->file.is_open()) return failure(path, errno);
    return NewFile(std::move(state));
}

Result<void> NewFile::append(std::span<const std::byte> bytes) {
    return state_->checked(state_->file.append(bytes));
}

Result<void> NewFile::overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
    return state_->checked(state_->file.overwrite(offset, bytes));
}

Result<void> NewFile::commit() {
    auto& state = *state_;
    if (const int reason = state.file.sync(); reason != 0) return state.checked(reason);
    if (const int reason = state.file.rename_to(state.target, state.if_exists); reason != 0)
        return state.checked(reason);
    const auto folder =
        state.target.has_parent_path() ? state.target.parent_path() : std::filesystem::path(".");
    return state.checked(sync_folder(folder));
}

Result<void> write_file(const std::string& path, std::span<const std::span<const std::byte>> parts,
                        IfFileExists if_exists) {
    auto file = NewFile::create(path, if_exists);
    if (!file) return std::move(file).error();
    for (const auto part : parts) {
        if (auto appended = file->append(part); !appended) return appended;
    }
    return file->commit();
}

}  // namespace sagitta::dicom
