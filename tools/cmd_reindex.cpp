#include <fmt/format.h>

#include "command.h"
#include "configuration_options.h"
#include "storage/maintenance.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

int run(const ConfigurationOptions& options) {
    const auto loaded = read_configuration(options);
    if (!loaded) return kUsage;
    const auto report =
        storage::reindex(loaded->configuration.node.data, [](std::string_view line) { note(line); });
    if (!report) {
        complain("", report.error());
        return kFailed;
    }
    print(fmt::format("{} instances indexed, {} superseded, {} damaged", report->instances,
                      report->superseded, report->damaged));
    return report->damaged == 0 ? kOk : kFailed;
}

}  // namespace

void add_reindex(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("reindex", "Rebuild the index of an archive from its volumes");
    auto options = add_configuration_options(*command, false);
    command->footer(
        "The node must not be running. The old index is replaced when the new one is complete.\n"
        "Exit status 1 when something in the volumes could not be read.\n\n"
        "Example:\n  sagitta reindex --data /srv/dicom");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
