// An archive that another process has open, for reading beside it. What that process deletes and purges
// meanwhile reads as zeros or not at all: InstanceStore::checksum says what there was.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "storage/instance_index.h"
#include "storage/instance_store.h"

namespace sagitta::storage {

struct OpenedForReading {
    std::unique_ptr<InstanceIndex> index;
    std::unique_ptr<InstanceStore> store;
};

/// Changes nothing. Errors: not_found, unsupported (an index of another version than this program's),
/// corrupt, io_failure.
[[nodiscard]] Result<OpenedForReading> open_for_reading(const std::string& data_dir);

}  // namespace sagitta::storage
