// AttributeRows over the tables of the index. Internal to storage.
#pragma once

#include <memory>
#include <vector>

#include "storage/attribute_rows.h"

namespace sagitta::storage {

class Database;

/// `database` outlives the answer.
[[nodiscard]] std::unique_ptr<AttributeRows> make_attribute_rows(Database& database);

/// Those that are chosen now.
[[nodiscard]] Result<std::vector<dicom::Tag>> chosen_attributes(Database& database);

}  // namespace sagitta::storage
