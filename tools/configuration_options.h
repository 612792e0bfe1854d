// The options of every command that reads the configuration: -c and the flags above the file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/configuration_file.h"
#include "command.h"

namespace sagitta::tools {

struct ConfigurationOptions {
    std::string file;
    app::ConfigurationFlags flags;
};

/// -c, --data; with `node_flags` also --ae-title, --bind, --port, --peer and --set.
std::shared_ptr<ConfigurationOptions> add_configuration_options(CLI::App& command, bool node_flags);

/// Reads ./sagitta.toml when no file is named and it exists. Problems and warnings have been told
/// when this returns; empty when there were problems.
[[nodiscard]] std::optional<app::LoadedConfiguration> read_configuration(const ConfigurationOptions& options);

}  // namespace sagitta::tools
