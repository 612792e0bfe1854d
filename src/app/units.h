// Sizes and durations as people write them: "16MiB", "30s". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::app {

/// "4096B", "64KiB", "1GB": whole numbers; KiB MiB GiB TiB count in 1024, KB MB GB TB in 1000.
/// Errors: invalid_argument, saying what would be understood.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// "500ms", "30s", "10m", "2h", "7d". Errors: as above.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest exact form that parse_size reads.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace sagitta::app
