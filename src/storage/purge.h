// Takes the bytes of deleted members out of their volumes. Internal to storage; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/keeper.h"
#include "storage/layout.h"
#include "storage/note.h"
#include "storage/volume_use.h"

namespace sagitta::storage {

/// Zeros in the place of `size` bytes of a member's data and its padding; true when the disk has its
/// blocks back. Errors: io_failure, no_space.
[[nodiscard]] Result<bool> erase(File& volume, std::uint64_t data_offset, std::uint64_t size);

/// First the headers, synced, so that no checksum claims what is going; then the bytes, synced. May be
/// repeated. Members come by volume; the answer is those with which nothing more is to be done. Errors:
/// io_failure, no_space.
[[nodiscard]] Result<std::vector<NoteLine>> purge_members(FileSystem& file_system, const Layout& layout,
                                                          const std::vector<NoteLine>& members,
                                                          VolumeUse& use, PurgeReport& report);

}  // namespace sagitta::storage
