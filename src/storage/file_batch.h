// Files that get their names together, after all of them are on stable storage. Knows nothing of DICOM.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"

namespace sagitta::storage {

class SpooledInstance;

/// What an unfinished file's name ends with; worthless after a crash.
inline constexpr std::string_view kPartialSuffix = ".partial";

/// One thread. Destroyed, it removes what was not committed.
class FileBatch {
public:
    /// `root` is a folder that exists; `file_system` outlives it.
    FileBatch(FileSystem& file_system, std::string root);
    ~FileBatch();
    FileBatch(const FileBatch&) = delete;
    FileBatch& operator=(const FileBatch&) = delete;

    /// Begins a file at `path` below the root, making folders; a partial one is overwritten. Errors:
    /// no_space, io_failure.
    [[nodiscard]] Result<void> begin(const std::string& path);
    /// Appends to the one begun last.
    [[nodiscard]] Result<void> append(std::span<const std::span<const std::byte>> parts);
    /// The same with a whole file, renamed to its partial name.
    [[nodiscard]] Result<void> take(const std::string& path, SpooledInstance& spooled);
    /// Forgets the one begun last.
    void drop_last();

    [[nodiscard]] std::size_t count() const noexcept { return files_.size(); }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

    /// Each file synced, then renamed, over another one if need be, then the folders synced: all names
    /// survive power loss. After an error nothing is known of any of them. Errors: io_failure.
    [[nodiscard]] Result<void> commit();
    /// Removes what was begun since the last commit.
    void abandon() noexcept;

private:
    struct Unfinished {
        std::string path;
        std::unique_ptr<File> file;
        std::uint64_t length = 0;
    };
    Result<void> enter_folder(const std::string& path);

    FileSystem& file_system_;
    const std::string root_;
    std::vector<Unfinished> files_;
    std::set<std::string> known_folders_;    ///< durable in the folders above them
    std::set<std::string> folders_to_sync_;  ///< the root is the empty one
    std::uint64_t bytes_ = 0;
};

}  // namespace sagitta::storage
