#include "configuration_options.h"

#include <fmt/format.h>

#include "terminal.h"

namespace sagitta::tools {

std::shared_ptr<ConfigurationOptions> add_configuration_options(CLI::App& command, bool node_flags) {
    auto options = std::make_shared<ConfigurationOptions>();
    auto& flags = options->flags;
    command
        .add_option("-c,--config", options->file,
                    "Configuration file (default: ./sagitta.toml, when it exists)")
        ->type_name("FILE");
    command.add_option("--data", flags.data, "Folder of the archive")->type_name("DIR");
    if (!node_flags) return options;
    command.add_option("--ae-title", flags.ae_title, "Our AE title")->type_name("AET");
    command.add_option("--bind", flags.bind, "Address to listen on")->type_name("ADDR");
    command.add_option("--port", flags.port, "Port to listen on")->type_name("N");
    command.add_option("--peer", flags.peers, "A node that may come in and be sent to (repeatable)")
        ->type_name("AET@HOST:PORT")
        ->allow_extra_args(false);
    command
        .add_option_function<std::string>(
            "--trace", [&flags](const std::string& folder) { flags.set.push_back("log.trace=" + folder); },
            "Write what goes over each association into this folder, values masked")
        ->type_name("DIR");
    command.add_option("--set", flags.set, "Any key, for example limits.max_pdu=64KiB (repeatable)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    return options;
}

std::optional<app::LoadedConfiguration> read_configuration(const ConfigurationOptions& options) {
    auto loaded = app::load_configuration(
        options.file.empty() ? app::default_configuration_file() : options.file, options.flags);
    for (const auto& warning : loaded.warnings) note(fmt::format("{} (warning)", warning));
    for (const auto& problem : loaded.problems) note(problem);
    if (!loaded.problems.empty()) return std::nullopt;
    return loaded;
}

}  // namespace sagitta::tools
