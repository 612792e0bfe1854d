// Writes to a file past the page cache of the operating system: what goes to disk at once and is not read
// again soon need not be copied there. Linux's O_DIRECT, and what it asks for. Internal to storage; one
// thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/object_memory.h"

namespace sagitta::storage {

class DirectWriter {
public:
    /// Of the file that is open as `descriptor`, which may be closed or renamed afterwards.
    explicit DirectWriter(int descriptor) noexcept;
    ~DirectWriter();
    DirectWriter(const DirectWriter&) = delete;
    DirectWriter& operator=(const DirectWriter&) = delete;

    /// Writes all parts one behind the other: those that begin on a page (4096 bytes) from where they are,
    /// the others by way of a buffer. Zero, or the errno of what failed; EINVAL: this file system or disk
    /// does not take these bytes so, at this place or at all. After an error any of them may be there.
    [[nodiscard]] int write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts);

private:
    struct Free {
        void operator()(std::byte* memory) const noexcept { give_back_object_memory(memory); }
    };
    void gather(std::span<const std::byte> bytes);
    [[nodiscard]] int write_out(std::uint64_t& offset);

    int descriptor_;
    std::unique_ptr<std::byte, Free> buffer_;
    std::size_t filled_ = 0;       // of the buffer
    std::vector<iovec> gathered_;  // in the buffer or where they are, in order
};

}  // namespace sagitta::storage
