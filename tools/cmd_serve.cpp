#include <fmt/format.h>

#include "app/node.h"
#include "command.h"
#include "configuration_options.h"
#include "core/log.h"

namespace sagitta::tools {
namespace {

int run(const ConfigurationOptions& options) {
    const auto loaded = read_configuration(options);
    if (!loaded) return kUsage;
    log::set_level(loaded->configuration.log_level);
    log::info("configuration: {}", loaded->file.empty() ? "defaults and flags" : loaded->file);
    return app::serve(loaded->configuration);
}

}  // namespace

void add_serve(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("serve", "Run the node until it gets SIGTERM or SIGINT");
    auto options = add_configuration_options(*command, true);
    command->footer(
        "Without a file and flags it listens as SAGITTA on 127.0.0.1:11112 and keeps what it receives in\n"
        "./sagitta-data. `sagitta config check` says what would happen.\n\n"
        "Examples:\n"
        "  sagitta serve\n"
        "  sagitta serve -c /etc/sagitta.toml\n"
        "  sagitta serve --bind 0.0.0.0 --data /srv/dicom --peer PACS@10.0.0.5:104");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
