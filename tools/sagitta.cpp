// The program: finds the command, runs it, turns what it says into an exit status.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "core/log.h"
#include "core/spelling.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
    return names;
}

int unknown_command(std::string_view word, const std::vector<std::string>& names) {
    std::string what = "no command '" + log::escaped(word) + "'";
    if (const auto near = nearest(word, names); !near.empty())
        what.append(", did you mean ").append(near).append("?");
    complain(what + " (sagitta --help lists them)");
    return kUsage;
}

int run(int argc, char** argv) {
    int status = kOk;
    CLI::App app("A DICOM node: receives, archives, finds and gives back images.", "sagitta");
    app.require_subcommand(1);
    app.set_version_flag("--version", version_line());
    app.footer(
        "A remote node is written AET@HOST:PORT. `sagitta COMMAND --help` explains a command.\n"
        "Exit status: 0 done, 1 failed, 2 not understood.");
    add_commands(app, status);
    const auto names = command_names(app);
    if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
        return unknown_command(argv[1], names);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kOk : kUsage;
    }
    return std::fflush(stdout) == 0 ? status : kFailed;
}

}  // namespace
}  // namespace sagitta::tools

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return sagitta::tools::run(argc, argv);
    } catch (const std::exception& error) {
        sagitta::tools::complain(error.what());
        return sagitta::tools::kFailed;
    }
}
