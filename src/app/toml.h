// TOML as the readers of the configuration see it. Internal to app: slow to compile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Debian's compiled form of the library throws; only the header-only one can be had without.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "app/configuration_keys.h"

namespace sagitta::app {

/// Something to be told about a line of the file.
struct Remark {
    std::uint32_t line = 0;
    std::string text;
};

/// "a table", "true or false".
[[nodiscard]] std::string_view type_name(toml::node_type type);
[[nodiscard]] RawValue raw_value(const toml::node& node);

}  // namespace sagitta::app
