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
        storage::verify(loaded->configuration.node.data, [](std::string_view line) { note(line); });
    if (!report) {
        complain("", report.error());
        return kFailed;
    }
    print(fmt::format("{} volumes, {} instances, {} read: {}", report->volumes, report->instances,
                      readable_bytes(report->bytes),
                      report->problems == 0 ? std::string("everything is as it was stored")
                                            : fmt::format("{} problems", report->problems)));
    return report->problems == 0 ? kOk : kFailed;
}

}  // namespace

void add_verify(CLI::App& app, int& status) {
    auto* command =
        app.add_subcommand("verify", "Read every byte of an archive and check that it is as it was stored");
    auto options = add_configuration_options(*command, false);
    command->footer(
        "The node must not be running. Nothing is changed. Exit status 1 when there is damage.\n\n"
        "Example:\n  sagitta verify --data /srv/dicom");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
