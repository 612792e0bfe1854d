#include "storage/file_batch.h"

#include <utility>

#include "storage/spooled_instance.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kKnownFolders = 16 * 1024;

std::string above(const std::string& path) {
    const auto slash = path.find_last_of('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string partial(const std::string& path) {
    return path + std::string(kPartialSuffix);
}

}  // namespace

FileBatch::FileBatch(FileSystem& file_system, std::string root)
    : file_system_(file_system), root_(std::move(root)) {}

FileBatch::~FileBatch() {
    abandon();
}

/// Whether a folder was there before is not asked: its entry may be no more than in memory, left by an
/// attempt that failed. So each is synced once.
Result<void> FileBatch::enter_folder(const std::string& path) {
    folders_to_sync_.insert(path);
    if (path.empty() || known_folders_.contains(path)) return {};
    if (auto made = file_system_.make_directory(root_ + "/" + path); !made) return made;
    for (auto folder = path; !folder.empty() && !known_folders_.contains(folder); folder = above(folder)) {
        folders_to_sync_.insert(above(folder));
    }
    return {};
}

Result<void> FileBatch::begin(const std::string& path) {
    if (auto entered = enter_folder(above(path)); !entered) return entered;
    const auto name = partial(root_ + "/" + path);
    auto file = file_system_.open(name, OpenMode::create);
    if (!file && file.error().code == Errc::already_exists) {
        if (auto removed = file_system_.remove(name); !removed) return removed;
        file = file_system_.open(name, OpenMode::create);
    }
    if (!file && file.error().code == Errc::not_found) {  // somebody tidied up
        known_folders_.clear();
        if (auto entered = enter_folder(above(path)); !entered) return entered;
        file = file_system_.open(name, OpenMode::create);
    }
    if (!file) return std::move(file).error();
    files_.push_back({root_ + "/" + path, std::move(*file), 0});
    return {};
}

Result<void> FileBatch::append(std::span<const std::span<const std::byte>> parts) {
    auto& last = files_.back();
    if (auto written = last.file->write_at(last.length, parts); !written) return written;
    for (const auto part : parts) {
        last.length += part.size();
        bytes_ += part.size();
    }
    return {};
}

Result<void> FileBatch::take(const std::string& path, SpooledInstance& spooled) {
    // Begun like any other, so that folders and leftovers are seen to; then what is there is replaced.
    if (auto begun = begin(path); !begun) return begun;
    const auto length = spooled.length();
    auto file = spooled.move_to(partial(root_ + "/" + path));
    if (!file) return std::move(file).error();
    files_.back().file = std::move(*file);
    files_.back().length = length;
    bytes_ += length;
    return {};
}

void FileBatch::drop_last() {
    bytes_ -= files_.back().length;
    files_.back().file.reset();
    (void)file_system_.remove(partial(files_.back().path));
    files_.pop_back();
}

Result<void> FileBatch::commit() {
    for (const auto& file : files_) {
        if (auto synced = file.file->sync(); !synced) {
            return Error(Errc::io_failure, std::move(synced).error().context);
        }
    }
    for (auto& file : files_) {
        file.file.reset();
        if (auto renamed = file_system_.rename(partial(file.path), file.path); !renamed) return renamed;
    }
    for (const auto& folder : folders_to_sync_) {
        const auto path = folder.empty() ? root_ : root_ + "/" + folder;
        if (auto synced = file_system_.sync_directory(path); !synced) {
            return Error(Errc::io_failure, std::move(synced).error().context);
        }
    }
    if (known_folders_.size() > kKnownFolders) known_folders_.clear();
    known_folders_.merge(folders_to_sync_);
    folders_to_sync_.clear();
    files_.clear();
    bytes_ = 0;
    return {};
}

void FileBatch::abandon() noexcept {
    for (auto& file : files_) {
        file.file.reset();
        (void)file_system_.remove(partial(file.path));  // renamed already: then it is not there
    }
    files_.clear();
    folders_to_sync_.clear();
    bytes_ = 0;
}

}  // namespace sagitta::storage
