// InstanceStore over volumes. Internal to storage.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "storage/file_system.h"
#include "storage/instance_store.h"
#include "storage/layout.h"

namespace sagitta::storage {

/// Keeps the volumes it has read open.
class VolumeStore final : public InstanceStore {
public:
    VolumeStore(FileSystem& file_system, Layout layout);

    Result<ByteBuffer> read(const InstanceLocation& instance, std::uint64_t offset,
                            std::uint64_t max_bytes) const override;
    Result<std::size_t> read_into(const InstanceLocation& instance, std::uint64_t offset,
                                  std::span<std::byte> into) const override;

private:
    Result<std::shared_ptr<const File>> volume(std::uint32_t number) const;

    FileSystem& file_system_;
    Layout layout_;
    mutable std::mutex mutex_;
    mutable std::map<std::uint32_t, std::shared_ptr<const File>> open_;
};

}  // namespace sagitta::storage
