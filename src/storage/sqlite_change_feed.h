// Reads the change feed out of the index. Internal to storage.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/change_feed.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {

/// The question: volume and offset behind which, at most how many. Each table is read in the order of
/// its places, so that nothing is sorted.
[[nodiscard]] std::string_view change_feed_sql() noexcept;

[[nodiscard]] Result<std::vector<Event>> read_events(Database& database, std::uint64_t after,
                                                     std::uint64_t limit);

}  // namespace sagitta::storage
