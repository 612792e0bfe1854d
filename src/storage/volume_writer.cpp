#include "storage/volume_writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/spooled_instance.h"

namespace sagitta::storage {
namespace {

constexpr std::array<std::byte, kTarBlock> kZeros{};

}  // namespace

VolumeWriter::VolumeWriter(FileSystem& file_system, Layout layout, std::uint64_t volume_size,
                           std::uint64_t direct_write_from, std::function<void(std::uint32_t)> full)
    : file_system_(file_system),
      layout_(std::move(layout)),
      volume_size_(volume_size),
      direct_write_from_(direct_write_from),
      full_(std::move(full)) {}

Result<void> VolumeWriter::open(std::uint32_t number, std::uint64_t tail, bool exists) {
    auto file = file_system_.open(layout_.volume(number), exists ? OpenMode::read_write : OpenMode::create);
    if (!file) return std::move(file).error();
    if (!exists) {
        if (auto synced = file_system_.sync_directory(layout_.volumes()); !synced) return synced;
    }
    file_ = std::move(*file);
    number_ = number;
    tail_ = previous_tail_ = earlier_tail_ = tail;
    return {};
}

std::uint64_t VolumeWriter::room() const noexcept {
    return tail_ < volume_size_ ? volume_size_ - tail_ : volume_size_;
}

Result<void> VolumeWriter::reserve(std::uint64_t bytes) {
    if (tail_ == 0 || tail_ + bytes <= volume_size_) return {};
    const auto finished = number_;
    auto next = file_system_.open(layout_.volume(number_ + 1), OpenMode::create);
    if (!next && next.error().code == Errc::already_exists) {
        // Left by an attempt whose directory sync failed: nothing was ever written to it.
        next = file_system_.open(layout_.volume(number_ + 1), OpenMode::read_write);
    }
    if (!next) return std::move(next).error();
    if (auto synced = file_system_.sync_directory(layout_.volumes()); !synced) return synced;
    file_ = std::move(*next);
    ++number_;
    tail_ = previous_tail_ = earlier_tail_ = 0;
    full_(finished);
    return {};
}

Result<Placement> VolumeWriter::append(std::span<const NewMember> members) {
    std::vector<TarBlock> headers;
    std::vector<std::span<const std::byte>> parts;
    headers.reserve(members.size());
    parts.reserve(members.size() * 4);
    Placement placement{number_, {}, tail_};
    placement.offsets.reserve(members.size());
    for (const auto& member : members) {
        const auto& header = headers.emplace_back(make_tar_header(member.header));
        if (member.whole.empty()) {
            parts.insert(parts.end(), {std::span<const std::byte>(header), member.first, member.second,
                                       std::span(kZeros).first(tar_padding(member.header.size))});
        } else {
            std::copy(header.begin(), header.end(), member.whole.begin());
            parts.push_back(member.whole);
        }
        placement.offsets.push_back(placement.end + kTarBlock);
        placement.end += tar_footprint(member.header.size);
    }
    const bool direct = direct_write_from_ != 0 && placement.end - tail_ >= direct_write_from_;
    auto written = direct ? file_->write_past_cache(tail_, parts) : file_->write_at(tail_, parts);
    if (!written) {
        if (auto undone = back_to(tail_); !undone) return std::move(undone).error();
        return std::move(written).error();
    }
    // Never tried twice: after a failed sync the kernel may have dropped the dirty pages and would
    // report success (which is also why nothing is truncated here: start-up decides what is good).
    if (auto synced = file_->sync(); !synced) {
        return Error(Errc::io_failure, std::move(synced).error().context);
    }
    earlier_tail_ = std::exchange(previous_tail_, std::exchange(tail_, placement.end));
    return placement;
}

Result<Placement> VolumeWriter::adopt(const TarMember& header, SpooledInstance& spooled) {
    // An open volume that is empty still is replaced: numbers have no gaps.
    const auto number = tail_ == 0 ? number_ : number_ + 1;
    if (auto completed = spooled.complete(header); !completed) return std::move(completed).error();
    if (auto free = check_free(number); !free) return std::move(free).error();
    auto moved = spooled.move_to(layout_.volume(number));
    if (!moved) return std::move(moved).error();
    if (auto synced = file_system_.sync_directory(layout_.volumes()); !synced) {
        return Error(Errc::io_failure, std::move(synced).error().context);
    }
    file_ = std::move(*moved);
    const auto finished = std::exchange(number_, number);
    previous_tail_ = earlier_tail_ = 0;
    tail_ = tar_footprint(header.size);
    if (finished != number) full_(finished);
    return Placement{number, {kTarBlock}, tail_};
}

/// A rename would silently take the place of whatever is there.
Result<void> VolumeWriter::check_free(std::uint32_t number) {
    auto present = file_system_.open(layout_.volume(number), OpenMode::read);
    if (!present && present.error().code == Errc::not_found) return {};
    if (!present) return std::move(present).error();
    auto size = (*present)->size();
    if (!size) return std::move(size).error();
    if (*size != 0) return Error(Errc::io_failure, layout_.volume(number) + " is there already");
    return {};
}

bool VolumeWriter::can_follow(std::uint64_t bytes) const noexcept {
    return tail_ != 0 && tail_ + bytes <= volume_size_;
}

Result<void> VolumeWriter::undo_append() {
    tail_ = std::exchange(previous_tail_, earlier_tail_);
    return back_to(tail_);
}

Result<void> VolumeWriter::back_to(std::uint64_t length) {
    if (auto cut = file_->truncate(length); !cut) {
        return Error(Errc::io_failure, std::move(cut).error().context);
    }
    return {};
}

}  // namespace sagitta::storage
