// Databases beside the index that hold what no volume could give back: requests, steps, notices. Internal to
// storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {

/// Opens for writing, every commit on stable storage; a new one is made by `script`, as version `known`.
/// Errors: unsupported (of a newer version), no_space, corrupt, io_failure.
[[nodiscard]] Result<std::unique_ptr<Database>> open_log(const std::string& path, std::int64_t known,
                                                         std::string_view script);

/// 0: nothing was ever written to it. Errors: as above.
[[nodiscard]] Result<std::int64_t> log_version(Database& database, const std::string& path,
                                               std::int64_t known);

/// `work`, a function that answers Result<void>, in a transaction that is undone when it fails.
template <class Work>
[[nodiscard]] Result<void> in_transaction(Database& database, Work work) {
    if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> done = work();
    if (done) done = database.execute("COMMIT");
    if (!done) (void)database.execute("ROLLBACK").has_value();  // the first failure is the one to tell
    return done;
}

}  // namespace sagitta::storage
