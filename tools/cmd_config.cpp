#include <termios.h>
#include <unistd.h>

#include <fmt/format.h>

#include <iostream>
#include <string>

#include "app/configuration_report.h"
#include "app/deid_projects.h"
#include "app/passcode.h"
#include "app/tls_files.h"
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
    const auto tls = app::check_tls(loaded->configuration);
    for (const auto& warning : tls.warnings) note(warning + " (warning)");
    for (const auto& problem : tls.problems) note(problem);
    if (!problems.empty() || !tls.problems.empty()) return kUsage;
    print(loaded->file.empty() ? "# no file: flags and defaults" : fmt::format("# from {}", loaded->file));
    std::string toml = app::to_toml(loaded->configuration);
    toml.pop_back();
    print(toml);
    print("\n# What would happen:");
    for (const auto& line : app::explain(loaded->configuration)) print("# - " + line);
    return kOk;
}

/// What a terminal would show while a passcode is typed.
class Unseen {
public:
    Unseen() {
        if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
        on_terminal_ = true;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        note("Passcode:");
    }
    ~Unseen() {
        if (on_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;

private:
    termios before_{};
    bool on_terminal_ = false;
};

int hash_password() {
    std::string passcode;
    {
        const Unseen unseen;
        std::getline(std::cin, passcode);
    }
    if (passcode.ends_with('\r')) passcode.pop_back();
    if (passcode.empty()) {
        complain("hash-password: no passcode on standard input");
        return kUsage;
    }
    const auto hash = app::hash_passcode(passcode);
    if (!hash) {
        complain("hash-password", hash.error());
        return kFailed;
    }
    print(*hash);
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
    auto* hash = group->add_subcommand("hash-password", "Hash a passcode for `[[user]] passcode`");
    hash->footer(
        "Reads one line from standard input and prints its salted hash.\n\n"
        "Example:\n"
        "  sagitta config hash-password < passcode.txt");
    hash->callback([&status] { status = hash_password(); });
}

}  // namespace sagitta::tools
