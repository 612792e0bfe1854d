// Appends batches of instances to the open volume. Knows the tar format and the disk, not the
// index. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/layout.h"
#include "storage/tar.h"

namespace sagitta::storage {

/// A file to append: its header (size and checksum filled in) and its bytes in two parts.
struct NewMember {
    TarMember header;
    std::span<const std::byte> first;
    std::span<const std::byte> second;
};

/// Where members went: the n-th member's data is at offsets[n] of `volume`.
struct Placement {
    std::uint32_t volume = 0;
    std::vector<std::uint64_t> offsets;
    std::uint64_t end = 0;  ///< behind the last one's padding
};

class VolumeWriter {
public:
    /// `full` is called with the number of a volume that gets no more members.
    VolumeWriter(FileSystem& file_system, Layout layout, std::uint64_t volume_size,
                 std::function<void(std::uint32_t)> full);

    /// Continues volume `number` at `tail` bytes (its end), or starts it when `number` is not there.
    [[nodiscard]] Result<void> open(std::uint32_t number, std::uint64_t tail, bool exists);

    /// Makes room: when `bytes` do not fit behind the tail, the volume is full and the next one begins.
    [[nodiscard]] Result<void> reserve(std::uint64_t bytes);

    /// Bytes the open volume still takes, or would take as a new one.
    [[nodiscard]] std::uint64_t room() const noexcept;

    /// Writes the members to the open volume, in one go, and syncs. On an error nothing of them
    /// stays: no_space leaves the writer usable, after any other it must not be used again.
    [[nodiscard]] Result<Placement> append(std::span<const NewMember> members);

    /// Takes back the last append. Errors: io_failure; then the writer must not be used again.
    [[nodiscard]] Result<void> undo_append();

private:
    Result<void> back_to(std::uint64_t length);

    FileSystem& file_system_;
    Layout layout_;
    std::uint64_t volume_size_;
    std::function<void(std::uint32_t)> full_;
    std::unique_ptr<File> file_;
    std::uint32_t number_ = 0;
    std::uint64_t tail_ = 0;
    std::uint64_t previous_tail_ = 0;
};

}  // namespace sagitta::storage
