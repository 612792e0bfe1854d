// Processor time and memory of a server, from /proc: the process and its descendants, those already
// reaped included.
#pragma once

#include <cstdint>

namespace sagitta::bench {

struct ProcessUsage {
    double cpu_seconds = 0;
    std::uint64_t resident_bytes = 0;       ///< now, of all
    std::uint64_t peak_resident_bytes = 0;  ///< of the process itself
};

/// Zeros when there is no such process.
[[nodiscard]] ProcessUsage usage_of(int pid);

}  // namespace sagitta::bench
