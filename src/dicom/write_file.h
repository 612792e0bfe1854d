// A whole file written so that nobody ever sees half of it, also after a crash. Knows nothing of what
// is in it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/result.h"

namespace sagitta::dicom {

enum class IfFileExists {
    refuse,
    replace,  ///< the name then stands for the new file; readers of the old one keep it
};

/// Writes `parts` one behind the other: to a temporary file in the same folder, synced, renamed, and
/// the folder synced. Returns once all of it is on stable storage. A failure leaves nothing behind.
/// Errors, with the path: already_exists, not_found (the folder), no_space, io_failure.
[[nodiscard]] Result<void> write_file(const std::string& path,
                                      std::span<const std::span<const std::byte>> parts,
                                      IfFileExists if_exists = IfFileExists::refuse);

}  // namespace sagitta::dicom
