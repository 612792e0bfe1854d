// How the allocator treats memory that programs of ours give back.
#pragma once

namespace sagitta {

/// Objects come and go in buffers of their size: kept, the kernel need not make their pages anew for each.
/// For the whole process, up to 64 MiB for each of the allocator's arenas. Call before the first thread.
void keep_freed_memory() noexcept;

}  // namespace sagitta
