// Files that appear whole or not at all, and never instead of another one.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/result.h"

namespace sagitta::tools {

/// Makes a file of `parts`, one behind the other: written and synced under another name beside it,
/// then given its own. Errors: already_exists (nothing is changed then), no_space, io_failure.
[[nodiscard]] Result<void> write_new_file(const std::string& path,
                                          std::span<const std::span<const std::byte>> parts);

}  // namespace sagitta::tools
