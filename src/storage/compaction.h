// Gives zeros in sealed volumes back to the disk where the file system cannot punch holes into a file but can
// leave them out of a new one: a copy takes the volume's place, byte for byte the same. Internal to storage.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/layout.h"

namespace sagitta::storage {

/// Notes beside the volume that so many of its bytes are zeros that take room. What a crash loses of it costs
/// room, nothing else. Errors: io_failure, no_space.
[[nodiscard]] Result<void> note_zeros(FileSystem& file_system, const Layout& layout, std::uint32_t volume,
                                      std::uint64_t bytes);

/// Volumes of which a quarter or more is noted; their numbers ascend.
[[nodiscard]] Result<std::vector<std::uint32_t>> volumes_to_compact(FileSystem& file_system,
                                                                    const Layout& layout);

/// The copy, read again and compared, in the place of the volume, which nobody writes to meanwhile. The
/// answer is how many bytes were left out. After an error the volume is as it was. Errors: no_space,
/// io_failure, corrupt (the copy is not the same).
[[nodiscard]] Result<std::uint64_t> compact_volume(FileSystem& file_system, const Layout& layout,
                                                   std::uint32_t volume);

}  // namespace sagitta::storage
