// Another data directory of ours, read by what docs/STORAGE_FORMAT.md says of volumes; its index is not
// looked at, and nothing in it is changed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/result.h"
#include "storage/layout.h"

namespace sagitta::media {

/// A folder that holds volumes or, with `layout = "files"`, files.
[[nodiscard]] bool is_data_directory(const std::string& path);

/// The Part 10 file of an instance that is served.
struct ServedMember {
    std::uint32_t volume = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

struct ServedMembers {
    /// In the order they lie on disk; says false to stop.
    std::function<bool(const ServedMember&)> each;
    /// Damage in a volume, a sentence each. A torn end is none: it was never acknowledged.
    std::function<void(const Error&)> damaged;
};

/// Every volume is read once, to prove its members, before `each` gets those that are served. Holds 40
/// bytes for each member. Errors: io_failure, not_found.
[[nodiscard]] Result<void> list_served(const storage::Layout& layout, const ServedMembers& to);

}  // namespace sagitta::media
