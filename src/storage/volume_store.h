// InstanceStore over volumes. Internal to storage.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "storage/file_system.h"
#include "storage/instance_store.h"
#include "storage/layout.h"
#include "storage/volume_use.h"

namespace sagitta::storage {

/// Keeps the volumes it has read open.
class VolumeStore final : public InstanceStore {
public:
    VolumeStore(FileSystem& file_system, Layout layout, VolumeUse& use);

    Result<ByteBuffer> read(const InstanceLocation& instance, std::uint64_t offset,
                            std::uint64_t max_bytes) const override;
    Result<std::size_t> read_into(const InstanceLocation& instance, std::uint64_t offset,
                                  std::span<std::byte> into) const override;
    Result<std::optional<FileRange>> file_range(const InstanceLocation& instance) const override;
    Result<std::uint64_t> checksum(const InstanceLocation& instance) const override;

private:
    Result<std::shared_ptr<const File>> volume(std::uint32_t number) const;
    Result<void> check_not_purged(const File& file, const InstanceLocation& instance) const;

    FileSystem& file_system_;
    Layout layout_;
    VolumeUse& use_;
    mutable std::mutex mutex_;
    struct Open {
        std::shared_ptr<const File> file;
        std::uint64_t replaced = 0;  ///< as VolumeUse said before it was opened
    };
    mutable std::map<std::uint32_t, Open> open_;
};

}  // namespace sagitta::storage
