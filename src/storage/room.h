// How much more an archive may take. A plain value.
#pragma once

#include <cstdint>

namespace sagitta::storage {

inline constexpr std::uint64_t kNoLimit = UINT64_MAX;

struct Room {
    std::uint64_t bytes = kNoLimit;    ///< of Part 10 files
    std::uint64_t studies = kNoLimit;  ///< that may begin
};

}  // namespace sagitta::storage
