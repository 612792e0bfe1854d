// The subcommands of `sagitta`, one file each (cmd_*.cpp). Each adds itself to the command line and,
// when it was chosen, leaves its exit status.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <string>

namespace sagitta::tools {

/// What every command ends with (also the shell's view of it).
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

void add_commit(CLI::App& app, int& status);
void add_config(CLI::App& app, int& status);
void add_deid(CLI::App& app, int& status);
void add_delete(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);
void add_dump(CLI::App& app, int& status);
void add_echo(CLI::App& app, int& status);
void add_events(CLI::App& app, int& status);
void add_export(CLI::App& app, int& status);
void add_find(CLI::App& app, int& status);
void add_get(CLI::App& app, int& status);
void add_import(CLI::App& app, int& status);
void add_json(CLI::App& app, int& status);
void add_modify(CLI::App& app, int& status);
void add_move(CLI::App& app, int& status);
void add_mpps(CLI::App& app, int& status);
void add_protect(CLI::App& app, int& status);
void add_quarantine(CLI::App& app, int& status);
void add_reidentify(CLI::App& app, int& status);
void add_reindex(CLI::App& app, int& status);
void add_render(CLI::App& app, int& status);
void add_serve(CLI::App& app, int& status);
void add_stats(CLI::App& app, int& status);
void add_store(CLI::App& app, int& status);
void add_transcode(CLI::App& app, int& status);
void add_verify(CLI::App& app, int& status);
void add_worklist(CLI::App& app, int& status);
void add_volume(CLI::App& app, int& status);
void add_version(CLI::App& app, int& status);

/// All of them, in the order of `sagitta --help`.
void add_commands(CLI::App& app, int& status);

/// "sagitta 0.1.0".
[[nodiscard]] std::string version_line();

}  // namespace sagitta::tools
