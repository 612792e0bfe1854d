// One instance that is written as it comes instead of collected in memory: a file in DATA/incoming that
// has the shape it will have in the archive (docs/adr/0011-large-objects.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"
#include "storage/digest.h"
#include "storage/file_system.h"
#include "storage/tar.h"

namespace sagitta::storage {

/// One thread at a time. Destroyed before it was moved into place, it leaves nothing behind.
class SpooledInstance {
public:
    /// A new file at `path`: `reserved` bytes for a member header, then `file_header`. Errors: no_space,
    /// io_failure.
    [[nodiscard]] static Result<std::unique_ptr<SpooledInstance>> begin(
        FileSystem& file_system, std::string path, std::uint64_t reserved,
        std::span<const std::byte> file_header);
    ~SpooledInstance();
    SpooledInstance(const SpooledInstance&) = delete;
    SpooledInstance& operator=(const SpooledInstance&) = delete;

    /// The next bytes of the data set. After an error the instance is lost. Errors: no_space, io_failure.
    [[nodiscard]] Result<void> append(std::span<const std::byte> bytes);
    /// Brings what was appended to stable storage, so that little is left for `complete`.
    [[nodiscard]] Result<void> sync();

    /// Where the Part 10 file begins in file(): behind what was reserved.
    [[nodiscard]] std::uint64_t offset() const noexcept { return reserved_; }
    [[nodiscard]] std::uint64_t file_header_length() const noexcept { return file_header_length_; }
    [[nodiscard]] std::uint64_t data_set_length() const noexcept { return data_set_length_; }
    [[nodiscard]] std::uint64_t length() const noexcept { return file_header_length_ + data_set_length_; }
    [[nodiscard]] const File& file() const noexcept { return *file_; }
    /// XXH3 of the Part 10 file, and of the data set in it.
    [[nodiscard]] std::uint64_t checksum() const noexcept { return digest_.member_checksum(); }
    [[nodiscard]] DataSetDigest data_set_digest() const noexcept { return digest_.data_set_digest(); }

    /// Writes the member header where room was reserved, and padding; all is on stable storage then.
    /// Errors: no_space, io_failure.
    [[nodiscard]] Result<void> complete(const TarMember& header);
    /// Renames the file: from now on it belongs to the archive. Not durable before its folder is synced.
    [[nodiscard]] Result<std::unique_ptr<File>> move_to(const std::string& path);

private:
    SpooledInstance(FileSystem& file_system, std::string path, std::uint64_t reserved,
                    std::unique_ptr<File> file)
        : file_system_(file_system), path_(std::move(path)), reserved_(reserved), file_(std::move(file)) {}

    FileSystem& file_system_;
    std::string path_;
    std::uint64_t reserved_;
    std::unique_ptr<File> file_;  ///< none once it was moved
    std::uint64_t file_header_length_ = 0;
    std::uint64_t data_set_length_ = 0;
    PieceDigest digest_;
};

}  // namespace sagitta::storage
