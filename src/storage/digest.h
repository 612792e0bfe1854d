// The two digests of the archive. XXH3 detects damage, not malice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "storage/instance_record.h"

namespace sagitta::storage {

/// XXH3-64 (seed 0) over the parts one behind the other: the checksum of a volume member.
[[nodiscard]] std::uint64_t member_checksum(std::initializer_list<std::span<const std::byte>> parts) noexcept;

/// XXH3-128 (seed 0), canonical (big-endian) byte order.
[[nodiscard]] DataSetDigest data_set_digest(std::span<const std::byte> data_set) noexcept;

}  // namespace sagitta::storage
