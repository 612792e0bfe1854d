// The way back out of what a node could not de-identify: DATA/deid/NAME/quarantine/*.sealed.
#pragma once

#include <string>
#include <vector>

#include "deid/project_key.h"

namespace sagitta::tools {

/// Writes the originals to OUT/SOP-INSTANCE-UID.dcm by their new UIDs, readable by their owner only. Files
/// and folders go in. True when every one was opened; what was not is told.
[[nodiscard]] bool unseal(const std::vector<std::string>& in, const std::string& out,
                          const deid::ProjectKey& key);

}  // namespace sagitta::tools
