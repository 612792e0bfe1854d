// The tables of the index, as numbered scripts. Internal to storage.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {

/// Of this program.
[[nodiscard]] std::int64_t schema_version() noexcept;

/// Brings the database to the schema of this program, step by step, each in one transaction. Errors:
/// unsupported when it is newer, corrupt when it is too old to be migrated.
[[nodiscard]] Result<void> migrate(Database& database);

}  // namespace sagitta::storage
