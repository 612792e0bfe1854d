// [deid.NAME] and [[sender]] of the configuration. Internal to app.
#pragma once

#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/toml.h"

namespace sagitta::app {

struct DeidTables {
    std::vector<Remark> problems;
    std::vector<Remark> references;  ///< names of projects, and where they are used
};

/// Puts them into the configuration. Files that they name are found from `folder`.
[[nodiscard]] DeidTables read_deid_tables(const toml::table& file, const std::string& folder,
                                          Configuration& configuration);

}  // namespace sagitta::app
