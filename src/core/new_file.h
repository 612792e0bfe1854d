// Files that were not there before: whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/result.h"

namespace sagitta {

/// Never over another file; a file that holds the same already is fine. Readable for all but for the umask,
/// and not synced: sync_tree does that once for many. Errors: already_exists, no_space, io_failure.
[[nodiscard]] Result<void> write_new(const std::string& path, std::span<const std::byte> header,
                                     std::span<const std::byte> body);

/// The same for one that only its owner may read, on stable storage when this returns.
[[nodiscard]] Result<void> write_secret(const std::string& path, std::span<const std::byte> content);

/// Everything written below `folder` is on stable storage afterwards, as far as the system can tell.
void sync_tree(const std::string& folder);

}  // namespace sagitta
