#include <memory>
#include <string>
#include <vector>

#include "app/administration.h"
#include "command.h"
#include "configuration_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct ProtectOptions {
    std::shared_ptr<ConfigurationOptions> configuration;
    std::vector<std::string> studies;
};

int failed(const Error& error) {
    complain("", error);
    return kFailed;
}

int run(const ProtectOptions& options, bool is_protected) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    const auto archive = app::administration_of(loaded->configuration);
    if (!options.studies.empty()) {
        const auto done = archive->set_protected(options.studies, is_protected);
        return done ? kOk : failed(done.error());
    }
    const auto all = archive->protected_studies();
    if (!all) return failed(all.error());
    for (const auto& uid : *all) {
        if (!print(uid)) break;
    }
    return kOk;
}

void add(CLI::App& app, int& status, const char* name, const char* what, bool is_protected) {
    auto* command = app.add_subcommand(name, what);
    auto options = std::make_shared<ProtectOptions>();
    options->configuration = add_configuration_options(*command, false);
    auto* studies = command->add_option("STUDY", options->studies, "Study Instance UIDs");
    if (!is_protected) studies->required();
    command->footer(is_protected
                        ? "Protected studies are neither recycled nor deleted without --force. Without "
                          "a STUDY, those that are\nprotected are listed. The node may be running."
                        : "The node may be running.");
    command->callback([options, is_protected, &status] { status = run(*options, is_protected); });
}

}  // namespace

void add_protect(CLI::App& app, int& status) {
    add(app, status, "protect", "Protect studies from deletion", true);
    add(app, status, "unprotect", "Protect them no longer", false);
}

}  // namespace sagitta::tools
