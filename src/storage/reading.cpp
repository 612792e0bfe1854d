#include "storage/reading.h"

#include <utility>

#include "storage/change_feed.h"
#include "storage/file_store.h"
#include "storage/layout.h"
#include "storage/maintenance.h"
#include "storage/volume_store.h"
#include "storage/volume_use.h"

namespace sagitta::storage {
namespace {

/// Nobody here makes holes; who does is in the other process.
class VolumesOfAnother final : public InstanceStore {
public:
    explicit VolumesOfAnother(const Layout& layout) : store_(real_file_system(), layout, use_) {}

    Result<ByteBuffer> read(const InstanceLocation& instance, std::uint64_t offset,
                            std::uint64_t max_bytes) const override {
        return store_.read(instance, offset, max_bytes);
    }
    Result<std::size_t> read_into(const InstanceLocation& instance, std::uint64_t offset,
                                  std::span<std::byte> into) const override {
        return store_.read_into(instance, offset, into);
    }
    Result<std::optional<FileRange>> file_range(const InstanceLocation& instance) const override {
        return store_.file_range(instance);
    }
    Result<std::uint64_t> checksum(const InstanceLocation& instance) const override {
        return store_.checksum(instance);
    }

private:
    VolumeUse use_;
    VolumeStore store_;
};

}  // namespace

Result<OpenedForReading> open_for_reading(const std::string& data_dir) {
    OpenedForReading opened;
    auto how = layout_of(data_dir);
    if (!how) return std::move(how).error();
    auto index = open_index_of(data_dir);
    if (!index) return std::move(index).error();
    opened.index = std::move(*index);
    const Layout layout{data_dir};
    if (*how == StorageLayout::files)
        opened.store = std::make_unique<FileStore>(real_file_system(), layout);
    else
        opened.store = std::make_unique<VolumesOfAnother>(layout);
    return opened;
}

}  // namespace sagitta::storage
