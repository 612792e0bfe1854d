// An original that must not go out and must not be lost: a Part 10 file, encrypted with a key derived from
// the project key, so that nothing readable lies on a disk. docs/DEIDENTIFICATION.md describes the file.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "deid/project_key.h"

namespace sagitta::deid {

struct SealedInstance {
    std::string sop_instance_uid;  ///< the new one; no secret
    std::string part10;            ///< the original, whole
};

/// What the file holds. Errors: limit_exceeded beyond 1 GiB.
[[nodiscard]] Result<std::string> seal_instance(const ProjectKey& key, const SealedInstance& instance);

/// Errors: malformed when it is no such file, refused when it was sealed with another key, corrupt when
/// anything was changed.
[[nodiscard]] Result<SealedInstance> open_sealed_instance(const ProjectKey& key, std::string_view file);

}  // namespace sagitta::deid
