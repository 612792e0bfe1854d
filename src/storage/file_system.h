// The operations on files that volumes need, so that tests can make each of them fail or forget.
// Knows nothing of tar or DICOM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace sagitta::storage {

/// An open file. pread is thread-safe; changes come from one thread at a time. Errors everywhere:
/// io_failure with the path; no_space.
class File {
public:
    virtual ~File() = default;

    /// Fills `into` from `offset`; fewer bytes only at the end of the file.
    [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                      std::span<std::byte> into) const = 0;
    /// Writes all parts one behind the other from `offset`. After an error any of the bytes may be there.
    [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset,
                                                std::span<const std::span<const std::byte>> parts) = 0;
    /// The same for bytes that are synced next and not read soon: not kept in memory by the operating system
    /// where the file system and the disk can do without. Offset and length are multiples of 512, or they are
    /// kept.
    [[nodiscard]] virtual Result<void> write_past_cache(std::uint64_t offset,
                                                        std::span<const std::span<const std::byte>> parts) {
        return write_at(offset, parts);
    }
    /// Returns once data and length are on stable storage. After an error nothing is known, and
    /// calling again proves nothing.
    [[nodiscard]] virtual Result<void> sync() = 0;
    /// Begins to bring bytes that were written to disk, so that a later sync is short. Promises nothing.
    virtual void begin_write_out(std::uint64_t /*offset*/, std::uint64_t /*length*/) noexcept {}
    [[nodiscard]] virtual Result<void> truncate(std::uint64_t length) = 0;
    [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
    /// Gives the disk's blocks behind these bytes back; they read as zeros, and the length stays. False, and
    /// nothing happened: the file system cannot do that.
    [[nodiscard]] virtual Result<bool> punch(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
        return false;
    }
    /// The operating system's number for it; -1 when it has none.
    [[nodiscard]] virtual int descriptor() const noexcept { return -1; }
};

enum class OpenMode : std::uint8_t { read, read_write, create };  ///< create: must not exist yet

/// Thread-safe. Paths are as the operating system takes them.
class FileSystem {
public:
    virtual ~FileSystem() = default;

    /// A new one is readable by owner and group at most. Errors: not_found, already_exists,
    /// no_space, io_failure.
    [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    /// Makes creation, renaming and removal of entries in `path` durable.
    [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;
    /// With all missing parents, for owner and group at most; nothing happens when it is there.
    [[nodiscard]] virtual Result<void> make_directory(const std::string& path) = 0;
    /// Names in `path`, sorted, without "." and "..".
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
    [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
    [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
};

/// The operating system's own.
[[nodiscard]] FileSystem& real_file_system();

}  // namespace sagitta::storage
