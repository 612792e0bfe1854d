// Where things lie in a data directory (docs/STORAGE_FORMAT.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"

namespace sagitta::storage {

struct Layout {
    std::string data_dir;

    [[nodiscard]] std::string volumes() const { return data_dir + "/volumes"; }
    [[nodiscard]] std::string quarantine() const { return data_dir + "/quarantine"; }
    /// Instances being received that are too large for memory; worthless after a crash.
    [[nodiscard]] std::string incoming() const { return data_dir + "/incoming"; }
    /// With `layout = "files"`: the tree, and the list of what is in it (docs/STORAGE_FORMAT.md).
    [[nodiscard]] std::string files() const { return data_dir + "/files"; }
    [[nodiscard]] std::string file_list() const { return data_dir + "/files.tsv"; }
    /// With `layout = "files"`: files that can be restored until they are purged.
    [[nodiscard]] std::string deleted() const { return data_dir + "/deleted"; }
    [[nodiscard]] std::string index() const { return data_dir + "/index.sqlite"; }
    [[nodiscard]] std::string lock() const { return data_dir + "/lock"; }
    /// DATA/volumes/00000001.tar
    [[nodiscard]] std::string volume(std::uint32_t number) const;
};

/// "00000001.tar" as 1; empty for any other form of name.
[[nodiscard]] std::optional<std::uint32_t> volume_number(std::string_view file_name) noexcept;

/// Numbers of the volumes there are, ascending.
[[nodiscard]] Result<std::vector<std::uint32_t>> list_volumes(FileSystem& file_system, const Layout& layout);

/// Held as long as it lives: no other process (or object) opens the same data directory.
class DirectoryLock {
public:
    DirectoryLock() = default;
    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&& other) noexcept;
    ~DirectoryLock();

    /// Errors: already_exists when another holds it, not_found, io_failure.
    [[nodiscard]] static Result<DirectoryLock> take(const Layout& layout);

private:
    explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace sagitta::storage
