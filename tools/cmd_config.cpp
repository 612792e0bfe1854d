#include <fmt/format.h>

#include "app/configuration_report.h"
#include "app/deid_projects.h"
#include "command.h"
#include "configuration_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

int check(const ConfigurationOptions& options) {
    const auto loaded = read_configuration(options);
    if (!loaded) return kUsage;
    const auto problems = app::deid_problems(loaded->configuration);
    for (const auto& problem : problems) note(problem);
    if (!problems.empty()) return kUsage;
    print(loaded->file.empty() ? "# no file: flags and defaults" : fmt::format("# from {}", loaded->file));
    std::string toml = app::to_toml(loaded->configuration);
    toml.pop_back();
    print(toml);
    print("\n# What would happen:");
    for (const auto& line : app::explain(loaded->configuration)) print("# - " + line);
    return kOk;
}

}  // namespace

void add_config(CLI::App& app, int& status) {
    auto* group = app.add_subcommand("config", "Work on the configuration");
    group->require_subcommand(1);
    auto* command =
        group->add_subcommand("check", "Show the configuration that would hold, and who may come in");
    auto options = add_configuration_options(*command, true);
    command->footer(
        "Exit status: 0 when a node would start with it, 2 when not; every problem is told with its line.\n\n"
        "Examples:\n"
        "  sagitta config check\n"
        "  sagitta config check -c /etc/sagitta.toml --set node.bind=0.0.0.0");
    command->callback([options, &status] { status = check(*options); });
}

}  // namespace sagitta::tools
