#include "core/freed_memory.h"

#include <malloc.h>

namespace sagitta {

void keep_freed_memory() noexcept {
    constexpr int kBytes = 16 * 1024 * 1024;
    ::mallopt(M_MMAP_THRESHOLD, kBytes);
    ::mallopt(M_TRIM_THRESHOLD, 4 * kBytes);
}

}  // namespace sagitta
