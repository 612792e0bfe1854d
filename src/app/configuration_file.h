// Reads what an operator decides: a TOML file, and flags above it. Finds every problem, not only the
// first, and says where it is. What the keys mean is docs/CONFIGURATION.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/configuration.h"

namespace sagitta::app {

/// What the command line says; it wins over the file.
struct ConfigurationFlags {
    std::optional<std::string> ae_title;
    std::optional<std::string> bind;
    std::optional<std::string> port;
    std::optional<std::string> data;
    std::vector<std::string> peers;  ///< AET@HOST:PORT, beside those of the file, with all rights
    std::vector<std::string> set;    ///< "limits.max_pdu=64KiB"
};

struct LoadedConfiguration {
    Configuration configuration;        ///< to be used only when there are no problems
    std::string file;                   ///< what was read; empty: nothing but flags and defaults
    std::vector<std::string> problems;  ///< "sagitta.toml:12: unknown key …", by line
    std::vector<std::string> warnings;  ///< in the same form
};

/// "sagitta.toml" when the working directory has one, else empty.
[[nodiscard]] std::string default_configuration_file();

/// An empty `path` reads no file.
[[nodiscard]] LoadedConfiguration load_configuration(const std::string& path,
                                                     const ConfigurationFlags& flags = {});

/// The same for text that is already here; `name` stands in front of line numbers.
[[nodiscard]] LoadedConfiguration parse_configuration(std::string_view toml, const std::string& name,
                                                      const ConfigurationFlags& flags = {});

}  // namespace sagitta::app
