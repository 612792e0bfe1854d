// Bytes of an open file, told rather than copied: what the kernel can send by itself.
#pragma once

#include <cstdint>
#include <memory>

namespace sagitta {

struct FileRange {
    std::shared_ptr<const void> file;  ///< keeps the descriptor open
    int descriptor = -1;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    [[nodiscard]] FileRange part(std::uint64_t from, std::uint64_t count) const {
        return {file, descriptor, offset + from, count};
    }
};

/// All of it is in the page cache: reading does not wait for the disk. False also when nobody can tell.
[[nodiscard]] bool is_in_memory(const FileRange& range) noexcept;

/// Blocks until it has been read into the page cache. What cannot be read is left to the reader that follows.
void bring_into_memory(const FileRange& range) noexcept;

}  // namespace sagitta
