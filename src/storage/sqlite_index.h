// The reading side of the index. Internal to storage.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "storage/instance_index.h"

namespace sagitta::storage {

/// `path` is an index that exists and has this program's schema. Connections are opened as threads
/// need them and kept.
[[nodiscard]] std::unique_ptr<InstanceIndex> open_instance_index(const std::string& path);

}  // namespace sagitta::storage
