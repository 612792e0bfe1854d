#include "storage/file_writer.h"

#include <array>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "storage/file_list.h"
#include "storage/note.h"
#include "storage/spooled_instance.h"

namespace sagitta::storage {

FileWriter::FileWriter(FileSystem& file_system, const Layout& layout)
    : file_system_(file_system), layout_(layout), batch_(file_system, layout.files()) {}

Result<void> FileWriter::open(std::uint64_t tail) {
    auto file = file_system_.open(layout_.file_list(), OpenMode::read_write);
    if (!file && file.error().code == Errc::not_found) {
        file = file_system_.open(layout_.file_list(), OpenMode::create);
    }
    if (!file) return std::move(file).error();
    if (auto synced = file_system_.sync_directory(layout_.data_dir); !synced) return synced;
    list_ = std::move(*file);
    tail_ = previous_tail_ = tail;
    return {};
}

Result<void> FileWriter::write_files(std::span<const NewMember> members) {
    for (const auto& member : members) {
        const std::array parts{member.first, member.second};
        if (auto begun = batch_.begin(member.header.path()); !begun) return begun;
        if (auto written = batch_.append(parts); !written) return written;
    }
    return batch_.commit();
}

Result<Placement> FileWriter::append(std::span<const NewMember> members) {
    if (members.size() == 1 && is_note_member(members.front().header)) {
        const auto text = make_list_note(as_text(members.front().first));
        return append_to_list(text, {tail_ + text.size() - members.front().first.size()});
    }
    if (auto written = write_files(members); !written) {
        batch_.abandon();
        return std::move(written).error();
    }
    std::vector<const TarMember*> headers;
    headers.reserve(members.size());
    for (const auto& member : members) headers.push_back(&member.header);
    return list_files(headers);
}

Result<Placement> FileWriter::adopt(const TarMember& header, SpooledInstance& spooled) {
    auto placed = spooled.complete(header);
    if (placed) placed = batch_.take(header.path(), spooled);
    if (placed) placed = batch_.commit();
    if (!placed) {
        batch_.abandon();
        return std::move(placed).error();
    }
    const std::array headers{&header};
    return list_files(headers);
}

Result<Placement> FileWriter::list_files(std::span<const TarMember* const> headers) {
    std::vector<std::uint64_t> offsets;
    std::string lines;
    for (const auto* header : headers) {
        offsets.push_back(tail_ + lines.size());
        lines +=
            make_list_line({header->path(), header->size, header->checksum.value_or(0), header->modified});
    }
    return append_to_list(lines, std::move(offsets));
}

Result<Placement> FileWriter::append_to_list(std::string_view text, std::vector<std::uint64_t> offsets) {
    Placement placement{kFileListNumber, std::move(offsets), tail_ + text.size()};
    const std::array parts{as_bytes(text)};
    if (auto written = list_->write_at(tail_, parts); !written) {
        if (auto cut = list_->truncate(tail_); !cut) return Error(Errc::io_failure, cut.error().context);
        return std::move(written).error();
    }
    if (auto synced = list_->sync(); !synced) {
        return Error(Errc::io_failure, std::move(synced).error().context);
    }
    previous_tail_ = std::exchange(tail_, placement.end);
    return placement;
}

Result<void> FileWriter::undo_append() {
    tail_ = previous_tail_;
    if (auto cut = list_->truncate(tail_); !cut) return Error(Errc::io_failure, cut.error().context);
    return {};
}

}  // namespace sagitta::storage
