// Reads the bytes of stored SOP Instances. Knows nothing of patients, studies or queries: that is
// instance_index.h. Writing goes through Archive::submit alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/byte_buffer.h"
#include "core/file_range.h"
#include "core/result.h"
#include "storage/query.h"

namespace sagitta::storage {

/// Thread-safe; blocks on the disk.
class InstanceStore {
public:
    virtual ~InstanceStore() = default;

    /// At most `max_bytes` of the file, from `offset` in it; shorter only at the end of the file.
    /// Errors: not_found (volume missing), io_failure, corrupt (volume shorter than it should be).
    [[nodiscard]] virtual Result<ByteBuffer> read(const InstanceLocation& instance, std::uint64_t offset,
                                                  std::uint64_t max_bytes) const = 0;

    /// The same into memory of the caller; the answer is the number of bytes read.
    [[nodiscard]] virtual Result<std::size_t> read_into(const InstanceLocation& instance,
                                                        std::uint64_t offset,
                                                        std::span<std::byte> into) const = 0;

    /// Where the file lies, for sending it without a copy; nothing when no file of the operating system's
    /// holds it. Errors: those of read.
    [[nodiscard]] virtual Result<std::optional<FileRange>> file_range(
        const InstanceLocation& instance) const = 0;

    /// XXH3-64 of the whole file, as it was written down beside it when it came. Errors: those of read;
    /// not_found also when the instance was deleted and its bytes are gone.
    [[nodiscard]] virtual Result<std::uint64_t> checksum(const InstanceLocation& instance) const = 0;
};

}  // namespace sagitta::storage
