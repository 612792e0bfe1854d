// What is kept but not served, as files in DATA/quarantine. Internal to storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/instance_record.h"
#include "storage/layout.h"

namespace sagitta::storage {

/// Durable on return. The name is made of the SOP Instance UID and the data set's digest, so the
/// same object sent again takes no more room. Errors: no_space, io_failure.
[[nodiscard]] Result<void> keep_aside(FileSystem& file_system, const Layout& layout,
                                      const InstanceRecord& record, std::span<const std::byte> file_header,
                                      std::span<const std::byte> data_set);

/// The same under a name of ours, for bytes of a volume's torn end.
[[nodiscard]] Result<void> keep_torn_end(FileSystem& file_system, const Layout& layout, const File& volume,
                                         std::uint32_t number, std::uint64_t from, std::uint64_t to);

}  // namespace sagitta::storage
