#include "storage/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "storage/direct_writer.h"
#include "storage/io_vectors.h"

namespace sagitta::storage {
namespace {

Error failure(std::string_view doing, const std::string& path) {
    const int code = errno;
    const auto text = fmt::format("{} {}: {}", doing, path, std::generic_category().message(code));
    switch (code) {
        case ENOSPC:
        case EDQUOT: return {Errc::no_space, text};
        case ENOENT: return {Errc::not_found, text};
        case EEXIST: return {Errc::already_exists, text};
        default: return {Errc::io_failure, text};
    }
}

class RealFile final : public File {
public:
    RealFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
    ~RealFile() override { ::close(descriptor_); }
    RealFile(const RealFile&) = delete;
    RealFile& operator=(const RealFile&) = delete;

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
        std::size_t done = 0;
        while (done < into.size()) {
            const auto n = ::pread(descriptor_, into.data() + done, into.size() - done,
                                   static_cast<off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("reading", path_);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

    Result<void> write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
        std::vector<iovec> vectors;
        vectors.reserve(parts.size());
        for (const auto part : parts) {
            if (!part.empty()) vectors.push_back({const_cast<std::byte*>(part.data()), part.size()});
        }
        std::size_t first = 0;
        while (first < vectors.size()) {
            const auto count = static_cast<int>(std::min<std::size_t>(vectors.size() - first, IOV_MAX));
            const auto n = ::pwritev(descriptor_, vectors.data() + first, count, static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("writing", path_);
            offset += static_cast<std::uint64_t>(n);
            first = skip_written(vectors, first, static_cast<std::size_t>(n));
        }
        return {};
    }

    Result<void> write_past_cache(std::uint64_t offset,
                                  std::span<const std::span<const std::byte>> parts) override {
        if (!direct_) direct_.emplace(descriptor_);
        errno = direct_->write(offset, parts);
        if (errno == 0) return {};
        if (errno != EINVAL) return failure("writing", path_);
        return write_at(offset, parts);
    }

    Result<void> sync() override {
        if (::fdatasync(descriptor_) != 0) return failure("syncing", path_);
        return {};
    }

    void begin_write_out(std::uint64_t offset, std::uint64_t length) noexcept override {
        // Without waiting: what fails is said by the next sync.
        (void)::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length),
                                SYNC_FILE_RANGE_WRITE);
    }

    Result<void> truncate(std::uint64_t length) override {
        while (::ftruncate(descriptor_, static_cast<off_t>(length)) != 0) {
            if (errno != EINTR) return failure("truncating", path_);
        }
        return {};
    }

    Result<std::uint64_t> size() const override {
        struct stat status {};
        if (::fstat(descriptor_, &status) != 0) return failure("reading", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }
    Result<bool> punch(std::uint64_t offset, std::uint64_t length) override {
        while (::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                           static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
            if (errno == EOPNOTSUPP || errno == ENOSYS) return false;
            if (errno != EINTR) return failure("punching a hole into", path_);
        }
        return true;
    }
    int descriptor() const noexcept override { return descriptor_; }

private:
    int descriptor_;
    std::string path_;
    std::optional<DirectWriter> direct_;
};

class RealFileSystem final : public FileSystem {
public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        int flags = O_CLOEXEC;
        if (mode == OpenMode::read) flags |= O_RDONLY;
        if (mode == OpenMode::read_write) flags |= O_RDWR;
        if (mode == OpenMode::create) flags |= O_RDWR | O_CREAT | O_EXCL;
        const int descriptor = ::open(path.c_str(), flags, 0640);
        if (descriptor < 0) return failure("opening", path);
        return std::unique_ptr<File>(std::make_unique<RealFile>(descriptor, path));
    }

    Result<void> sync_directory(const std::string& path) override {
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor < 0) return failure("opening", path);
        const int synced = ::fsync(descriptor);
        const int code = errno;
        ::close(descriptor);
        errno = code;
        if (synced != 0) return failure("syncing", path);
        return {};
    }

    Result<void> make_directory(const std::string& path) override {
        // Missing parents from the top: nobody but owner and group looks into what is made here.
        for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
            const auto part = path.substr(0, end);
            if (::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
                const int reason = errno;
                struct stat status {};
                const bool there = ::stat(part.c_str(), &status) == 0;  // others' parents: fine
                errno = reason;
                if (!there) return failure("creating", path);
            }
            if (end == std::string::npos) break;
        }
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) return failure("creating", path);
        errno = ENOTDIR;
        if (!S_ISDIR(status.st_mode)) return failure("creating", path);
        return {};
    }

    Result<std::vector<std::string>> list(const std::string& path) override {
        DIR* directory = ::opendir(path.c_str());
        if (directory == nullptr) return failure("listing", path);
        std::vector<std::string> names;
        while (const dirent* entry = ::readdir(directory)) {
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        ::closedir(directory);
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<void> rename(const std::string& from, const std::string& to) override {
        if (std::rename(from.c_str(), to.c_str()) != 0) return failure("renaming", from);
        return {};
    }

    Result<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return failure("removing", path);
        return {};
    }
};

}  // namespace

FileSystem& real_file_system() {
    static RealFileSystem instance;
    return instance;
}

}  // namespace sagitta::storage
