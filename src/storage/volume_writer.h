// Appends batches of instances to the open volume. Knows the tar format and the disk, not the
// index. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/layout.h"
#include "storage/member_writer.h"

namespace sagitta::storage {

class VolumeWriter final : public MemberWriter {
public:
    /// Batches of `direct_write_from` bytes and more are written past the page cache. `full` is called with
    /// the number of a volume that gets no more members.
    VolumeWriter(FileSystem& file_system, Layout layout, std::uint64_t volume_size,
                 std::uint64_t direct_write_from, std::function<void(std::uint32_t)> full);

    /// Continues volume `number` at `tail` bytes (its end), or starts it when `number` is not there.
    [[nodiscard]] Result<void> open(std::uint32_t number, std::uint64_t tail, bool exists);

    Result<void> reserve(std::uint64_t bytes) override;
    std::uint64_t room() const noexcept override;
    /// In one go, and one sync.
    Result<Placement> append(std::span<const NewMember> members) override;
    /// Its file becomes the next volume: the one open until now is full.
    Result<Placement> adopt(const TarMember& header, SpooledInstance& spooled) override;
    bool can_follow(std::uint64_t bytes) const noexcept override;
    Result<void> undo_append() override;

private:
    Result<void> check_free(std::uint32_t number);
    Result<void> back_to(std::uint64_t length);

    FileSystem& file_system_;
    Layout layout_;
    std::uint64_t volume_size_;
    std::uint64_t direct_write_from_;
    std::function<void(std::uint32_t)> full_;
    std::unique_ptr<File> file_;
    std::uint32_t number_ = 0;
    std::uint64_t tail_ = 0;
    std::uint64_t previous_tail_ = 0;  ///< before the last append
    std::uint64_t earlier_tail_ = 0;   ///< before the one before it
};

}  // namespace sagitta::storage
