// Files that were not there before, written by commands that make whole trees.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/result.h"

namespace sagitta::tools {

/// Whole or not at all, and never over another file; a file that holds the same already is fine. Not synced:
/// sync_tree does that once. Errors: already_exists, no_space, io_failure.
[[nodiscard]] Result<void> write_new(const std::string& path, std::span<const std::byte> header,
                                     std::span<const std::byte> body);

/// Everything written below `folder` is on stable storage afterwards, as far as the system can tell.
void sync_tree(const std::string& folder);

}  // namespace sagitta::tools
