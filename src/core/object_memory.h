// Memory for objects on their way to the disk. It comes out of huge pages where the system gives them: a disk
// then gets an object in a few long pieces instead of one for each page, and memory that is used over and
// over is not touched for the first time again.
#pragma once

#include <cstddef>
#include <span>

namespace sagitta {

/// `bytes` or a little more, beginning on a page (4096 bytes), uninitialised; throws bad_alloc. To be given
/// back. Thread-safe.
[[nodiscard]] std::span<std::byte> take_object_memory(std::size_t bytes);

/// What begins there, and was taken. Thread-safe.
void give_back_object_memory(std::byte* memory) noexcept;

/// Bytes taken from the system at the moment, used or kept for later: of what is not used at most 32 MiB, and
/// the rest of chunks of 8 MiB that something is in. Thread-safe.
[[nodiscard]] std::size_t object_memory_bytes() noexcept;

}  // namespace sagitta
