// InstanceStore over files, found by their lines in the list. Internal to storage.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "storage/file_list.h"
#include "storage/file_system.h"
#include "storage/instance_store.h"
#include "storage/layout.h"

namespace sagitta::storage {

/// Keeps the files read last open.
class FileStore final : public InstanceStore {
public:
    FileStore(FileSystem& file_system, Layout layout);

    Result<ByteBuffer> read(const InstanceLocation& instance, std::uint64_t offset,
                            std::uint64_t max_bytes) const override;
    Result<std::size_t> read_into(const InstanceLocation& instance, std::uint64_t offset,
                                  std::span<std::byte> into) const override;
    Result<std::optional<FileRange>> file_range(const InstanceLocation& instance) const override;
    Result<std::uint64_t> checksum(const InstanceLocation& instance) const override;

private:
    Result<std::shared_ptr<const File>> file(const InstanceLocation& instance) const;
    Result<ListedFile> line_of(const InstanceLocation& instance) const;
    Result<std::shared_ptr<const File>> list() const;

    FileSystem& file_system_;
    Layout layout_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const File> list_;
    mutable std::unordered_map<std::uint64_t, std::shared_ptr<const File>> open_;  ///< by place in the list
    mutable std::list<std::uint64_t> opened_;  ///< the first was opened first
};

}  // namespace sagitta::storage
