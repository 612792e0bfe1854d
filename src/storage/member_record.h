// The index record of a file that lies in a volume, read without holding all of the file. Internal
// to storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/instance_record.h"

namespace sagitta::storage {

/// `size` bytes at `offset` are a Part 10 file that begins with `head` (or is it). Of a longer one
/// the header is read, up to `most_header` bytes: what an object has before its pixel data beyond
/// that is not seen. Equal to extract_record of the whole. Errors: io_failure, and those of parsing.
[[nodiscard]] Result<InstanceRecord> record_of_member(const File& volume, std::uint64_t offset,
                                                      std::uint64_t size, std::span<const std::byte> head,
                                                      std::uint64_t most_header = 64u << 20);

}  // namespace sagitta::storage
