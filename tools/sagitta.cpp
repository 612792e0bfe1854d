// The program: finds the command, runs it, turns what it says into an exit status.
#include <csignal>
#include <cstdio>
#include <exception>

#include "command.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

int run(int argc, char** argv) {
    int status = kOk;
    CLI::App app("A DICOM node: receives, archives, finds and gives back images.", "sagitta");
    app.require_subcommand(1);
    app.set_version_flag("--version", version_line());
    app.footer(
        "A remote node is written AET@HOST:PORT. `sagitta COMMAND --help` explains a command.\n"
        "Exit status: 0 done, 1 failed, 2 not understood.");
    add_commands(app, status);
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
