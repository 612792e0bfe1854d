// The tables of the index, as numbered scripts. Internal to storage.
#pragma once

#include "core/result.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {

/// Brings the database to the schema of this program. Errors: unsupported when it is newer.
[[nodiscard]] Result<void> migrate(Database& database);

}  // namespace sagitta::storage
