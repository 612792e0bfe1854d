// Writes each instance of a batch to a file of its own, then the list (file_list.h), which has the notes,
// too. Internal to storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/file_batch.h"
#include "storage/layout.h"
#include "storage/member_writer.h"

namespace sagitta::storage {

/// One thread.
class FileWriter final : public MemberWriter {
public:
    FileWriter(FileSystem& file_system, const Layout& layout);

    /// The list goes on at `tail`, or is begun when it is not there.
    [[nodiscard]] Result<void> open(std::uint64_t tail);

    Result<void> reserve(std::uint64_t) override { return {}; }
    std::uint64_t room() const noexcept override { return UINT64_MAX; }
    /// Files synced and named before the list says so; a note is in the list alone. What an error leaves is
    /// in no list: the next one of that name takes its place.
    Result<Placement> append(std::span<const NewMember> members) override;
    Result<Placement> adopt(const TarMember& header, SpooledInstance& spooled) override;
    /// One list entry after the other.
    bool can_follow(std::uint64_t) const noexcept override { return false; }
    Result<void> undo_append() override;

private:
    Result<Placement> list_files(std::span<const TarMember* const> headers);
    Result<Placement> append_to_list(std::string_view text, std::vector<std::uint64_t> offsets);
    Result<void> write_files(std::span<const NewMember> members);

    FileSystem& file_system_;
    Layout layout_;
    FileBatch batch_;
    std::unique_ptr<File> list_;
    std::uint64_t tail_ = 0;
    std::uint64_t previous_tail_ = 0;
};

}  // namespace sagitta::storage
