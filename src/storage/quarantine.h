// What is kept but not served, as files in DATA/quarantine. Internal to storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/result.h"
#include "dicom/uid.h"
#include "storage/file_system.h"
#include "storage/instance_record.h"
#include "storage/layout.h"

namespace sagitta::storage {

/// Under what a whole Part 10 file is kept: the same object kept again takes no more room.
struct AsideName {
    const dicom::Uid& sop_instance_uid;
    const DataSetDigest& digest;
};

/// Durable on return. Errors: no_space, io_failure; then there is no file of that name.
[[nodiscard]] Result<void> keep_aside(FileSystem& file_system, const Layout& layout, AsideName name,
                                      std::span<const std::byte> file_header,
                                      std::span<const std::byte> data_set);

/// The same of a whole Part 10 file of `length` bytes at `offset` of `file`, copied in pieces.
[[nodiscard]] Result<void> keep_copy_aside(FileSystem& file_system, const Layout& layout, AsideName name,
                                           const File& file, std::uint64_t offset, std::uint64_t length);

/// Where bytes lie that are to be copied.
struct VolumeRange {
    std::uint32_t volume = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};

/// The same of a member's file in a volume, copied in pieces. Errors also: corrupt (the volume ends
/// before), not_found.
[[nodiscard]] Result<void> keep_stored_aside(FileSystem& file_system, const Layout& layout, AsideName name,
                                             VolumeRange stored);

/// The same of a volume's torn end, under a name of ours.
[[nodiscard]] Result<void> keep_torn_end(FileSystem& file_system, const Layout& layout, VolumeRange torn);

}  // namespace sagitta::storage
