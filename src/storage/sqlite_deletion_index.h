// DeletionIndex over the tables of the index. Internal to storage.
#pragma once

#include <memory>

#include "storage/deletion_index.h"

namespace sagitta::storage {

class Database;

/// `database` outlives the answer.
[[nodiscard]] std::unique_ptr<DeletionIndex> make_deletion_index(Database& database);

}  // namespace sagitta::storage
