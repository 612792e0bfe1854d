// A reading connection that knows dicom_match and dicom_match_instant. Internal to storage.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "storage/query.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {

/// One thread at a time.
struct Reader {
    std::unique_ptr<Database> database;
    const Query* query = nullptr;  ///< whose keys dicom_match judges by; must outlive the statement
};

[[nodiscard]] Result<std::unique_ptr<Reader>> open_reader(const std::string& path);

}  // namespace sagitta::storage
