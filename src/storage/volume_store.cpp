#include "storage/volume_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/tar.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kOpenVolumes = 256;

}  // namespace

VolumeStore::VolumeStore(FileSystem& file_system, Layout layout, VolumeUse& use)
    : file_system_(file_system), layout_(std::move(layout)), use_(use) {}

/// The caller holds the volume.
Result<void> VolumeStore::check_not_purged(const File& file, const InstanceLocation& instance) const {
    if (!use_.has_holes(instance.volume)) return {};
    TarBlock block{};
    auto read = file.read_at(instance.offset - kTarBlock, block);
    if (!read) return std::move(read).error();
    const auto member = parse_tar_header(block);
    if (!member || !is_purged_member(*member)) return {};
    return Error(Errc::not_found, "the instance was deleted", instance.offset);
}

Result<ByteBuffer> VolumeStore::read(const InstanceLocation& instance, std::uint64_t offset,
                                     std::uint64_t max_bytes) const {
    ByteBuffer buffer;
    const auto wanted = offset < instance.length ? std::min(max_bytes, instance.length - offset) : 0;
    auto done = read_into(instance, offset, buffer.prepare(static_cast<std::size_t>(wanted)));
    if (!done) return std::move(done).error();
    buffer.commit(*done);
    return buffer;
}

Result<std::size_t> VolumeStore::read_into(const InstanceLocation& instance, std::uint64_t offset,
                                           std::span<std::byte> into) const {
    if (offset >= instance.length || into.empty()) return std::size_t{0};
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), instance.length - offset));
    const auto held = use_.hold(instance.volume);
    auto file = volume(instance.volume);
    if (!file) return std::move(file).error();
    if (auto there = check_not_purged(**file, instance); !there) return std::move(there).error();
    auto done = (*file)->read_at(instance.offset + offset, into.first(wanted));
    if (done && *done < wanted) {
        return Error(Errc::corrupt,
                     fmt::format("{} is shorter than its index", layout_.volume(instance.volume)),
                     instance.offset + offset);
    }
    return done;
}

Result<std::optional<FileRange>> VolumeStore::file_range(const InstanceLocation& instance) const {
    auto held = use_.hold(instance.volume);
    auto file = volume(instance.volume);
    if (!file) return std::move(file).error();
    if (auto there = check_not_purged(**file, instance); !there) return std::move(there).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    if (*size < instance.offset + instance.length) {
        return Error(Errc::corrupt,
                     fmt::format("{} is shorter than its index", layout_.volume(instance.volume)),
                     instance.offset);
    }
    const int descriptor = (*file)->descriptor();
    if (descriptor < 0) return std::optional<FileRange>();
    using Both = std::pair<std::shared_ptr<const File>, std::shared_ptr<const void>>;
    auto both = std::make_shared<const Both>(std::move(*file), std::move(held));
    FileRange range{std::move(both), descriptor, instance.offset, instance.length};
    return std::optional<FileRange>(std::move(range));
}

Result<std::uint64_t> VolumeStore::checksum(const InstanceLocation& instance) const {
    const auto held = use_.hold(instance.volume);
    auto file = volume(instance.volume);
    if (!file) return std::move(file).error();
    TarBlock block{};
    auto read = (*file)->read_at(instance.offset - kTarBlock, block);
    if (!read) return std::move(read).error();
    const auto member = parse_tar_header(block);
    if (member && is_purged_member(*member))
        return Error(Errc::not_found, "the instance was deleted", instance.offset);
    if (!member || !member->checksum || member->size != instance.length)
        return Error(Errc::corrupt, "the header before the instance is damaged", instance.offset);
    return *member->checksum;
}

Result<std::shared_ptr<const File>> VolumeStore::volume(std::uint32_t number) const {
    const std::lock_guard lock(mutex_);
    const auto replaced = use_.replaced(number);
    const auto known = open_.find(number);
    if (known != open_.end() && known->second.replaced == replaced) return known->second.file;
    auto file = file_system_.open(layout_.volume(number), OpenMode::read);
    if (!file) return std::move(file).error();
    if (open_.size() >= kOpenVolumes) open_.erase(open_.begin());
    std::shared_ptr<const File> shared = std::move(*file);
    open_.insert_or_assign(number, Open{shared, replaced});
    return shared;
}

}  // namespace sagitta::storage
