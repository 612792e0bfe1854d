// What an operator sees of deleted instances. A plain value.
#pragma once

#include <cstdint>
#include <string>

namespace sagitta::storage {

/// Instances of one study that were deleted together and whose bytes are still there.
struct DeletedStudy {
    std::string study_instance_uid;
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;
    std::int64_t when = 0;   ///< seconds since 1970, UTC
    std::int64_t until = 0;  ///< they can be restored until then, and are purged after it
};

}  // namespace sagitta::storage
