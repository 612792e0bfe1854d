#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "command.h"
#include "core/freed_memory.h"
#include "deid/explain.h"
#include "deid/profile_file.h"
#include "deid/project_key.h"
#include "deid/vault.h"
#include "deid_preview.h"
#include "deid_run.h"
#include "deid_unseal.h"
#include "keys.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::vector<std::string> paths;
    std::string profile;
    std::string key;
    std::string report;
    std::string vault;
    std::string explain;
    std::string preview;
    std::string new_key;
    std::vector<std::string> sealed;
    unsigned threads = 0;
    bool dry_run = false;
    bool diff = false;
    bool show_values = false;
};

int init_key(const Options& options) {
    const auto key = deid::ProjectKey::create(options.new_key);
    if (!key) {
        complain("", key.error());
        return kFailed;
    }
    print(fmt::format("{}: key {}", options.new_key, key->identifier()));
    note("Keep a copy in a safe place: without it nothing can be added to the project or traced back.");
    return kOk;
}

int unseal_from(const Options& options) {
    if (options.sealed.size() < 2) {
        complain("give the sealed files or their folder, and OUT");
        return kUsage;
    }
    const auto key = deid::ProjectKey::load(options.key);
    if (!key) {
        complain("", key.error());
        return kFailed;
    }
    auto in = options.sealed;
    in.pop_back();
    return unseal(in, options.sealed.back(), *key) ? kOk : kFailed;
}

std::optional<deid::Profile> profile_from(const Options& options) {
    auto loaded = deid::load_profile(options.profile);
    for (const auto& problem : loaded.problems) complain(problem);
    if (!loaded.problems.empty()) return std::nullopt;
    return std::move(loaded.profile);
}

int explain(const Options& options, const deid::Profile& profile) {
    const auto tag = parse_keyword(options.explain);
    if (!tag) {
        complain("", tag.error());
        return kUsage;
    }
    for (const auto& line : deid::explain(profile, *tag)) print(line);
    return kOk;
}

int preview(const Options& options, const deid::Profile& profile) {
    if (options.paths.size() != 1) {
        complain("--preview wants one file");
        return kUsage;
    }
    const auto report = write_preview(profile, options.paths.front(), options.preview);
    if (!report) {
        complain("", report.error());
        return kFailed;
    }
    print(fmt::format("{} areas covered; {}", report->masks, report->decided_by));
    note(options.preview + " shows what is under the masks: it identifies.");
    return kOk;
}

// Never in place: an output folder that is or holds an input would mix what is safe with what is not.
Result<void> check_folders(const DeidRun& run) {
    std::error_code ignored;
    for (const auto& in : run.in) {
        if (!fs::exists(in, ignored)) return Error(Errc::not_found, in + ": is not there");
        if (!run.out.empty() && fs::equivalent(in, run.out, ignored))
            return Error(Errc::already_exists, run.out + " is the input, which is never changed");
    }
    if (run.out.empty()) return {};
    std::error_code error;
    fs::create_directories(run.out, error);
    if (error) return Error(Errc::io_failure, fmt::format("{}: {}", run.out, error.message()));
    return {};
}

Result<void> write_reports(const deid::Report& report, const std::string& path) {
    if (path.empty()) return {};
    for (const auto& [name, text] :
         {std::pair(path, report.json()), std::pair(path + ".txt", report.text())}) {
        std::ofstream file(name, std::ios::binary | std::ios::trunc);
        file << text;
        file.flush();
        if (!file) return Error(Errc::io_failure, name + ": cannot be written");
    }
    return {};
}

Result<DeidCounts> deidentify(const Options& options, deid::Profile profile) {
    DeidRun run;
    run.in = options.paths;
    run.dry_run = options.dry_run;
    run.diff = options.diff;
    run.show_values = options.show_values;
    run.threads = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
    if (run.diff) run.threads = 1;
    if (!run.dry_run) {
        run.out = run.in.back();
        run.in.pop_back();
    }
    if (auto checked = check_folders(run); !checked) return checked.error();
    auto key = deid::ProjectKey::load(options.key);
    if (!key) return key.error();
    std::optional<deid::Vault> vault;
    if (!options.vault.empty() && !run.dry_run) {
        auto opened = deid::Vault::open(options.vault, *key);
        if (!opened) return opened.error();
        vault.emplace(std::move(*opened));
    }
    deid::Report report(profile, key->identifier());
    auto pseudonyms = deid::load_pseudonyms(profile, std::move(*key));
    if (!pseudonyms) return pseudonyms.error();
    deid::DeidentifierOptions deid_options;
    deid_options.mappings = vault.has_value();
    const deid::Deidentifier deidentifier(profile, std::move(*pseudonyms), deid_options);
    const DeidCounts counts = deidentify_files(run, deidentifier, report, vault ? &*vault : nullptr);
    if (vault) {
        const auto noted =
            vault->note("deid", fmt::format("profile {}, {} instances", profile.digest, counts.written));
        if (!noted) return noted.error();
    }
    if (auto written = write_reports(report, options.report); !written) return written.error();
    return counts;
}

int run(const Options& options) {
    keep_freed_memory();
    auto profile = profile_from(options);
    if (!profile) return kUsage;
    if (!options.explain.empty()) return explain(options, *profile);
    if (!options.preview.empty()) return preview(options, *profile);
    if (options.key.empty() || options.paths.size() < (options.dry_run ? 1u : 2u)) {
        complain(options.key.empty() ? "--key FILE is missing; `sagitta deid init-key FILE` makes one"
                                     : "give IN and OUT");
        return kUsage;
    }
    const auto counts = deidentify(options, std::move(*profile));
    if (!counts) {
        complain("", counts.error());
        return kFailed;
    }
    print(fmt::format("{} {}, {} quarantined, {} failed, {} passed over", counts->written,
                      options.dry_run ? "would be written" : "written", counts->quarantined, counts->failed,
                      counts->no_dicom));
    return counts->quarantined + counts->failed == 0 ? kOk : kFailed;
}

}  // namespace

void add_deid(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("deid", "De-identify files into a new tree (PS3.15 Annex E)");
    command->add_option("PATH", options->paths, "Files and folders to read, then the folder to write")
        ->type_name("IN... OUT");
    command->add_option("--profile", options->profile, "What is removed, kept and cleaned (TOML)")
        ->type_name("FILE");
    command->add_option("--key", options->key, "Key of the project, of `sagitta deid init-key`")
        ->type_name("FILE");
    command->add_option("--report", options->report, "What was done, as JSON, and as text in FILE.txt")
        ->type_name("FILE");
    command
        ->add_option("--vault", options->vault, "Remember the originals, encrypted, for `sagitta reidentify`")
        ->type_name("FILE");
    command->add_option("--threads", options->threads, "How many at once; all processors when not given");
    command->add_flag("--dry-run", options->dry_run, "Write nothing; all paths are input");
    command->add_flag("--diff", options->diff, "Show what changes in each file, without values");
    command->add_flag("--show-values", options->show_values, "With --diff: original values, too");
    command->add_option("--explain", options->explain, "Say what happens to an attribute, and why")
        ->type_name("KEYWORD");
    command
        ->add_option(
            "--preview", options->preview,
            "Show what [[pixel]] rules and ultrasound regions cover in one file, and write nothing else")
        ->type_name("OUT.png");
    auto* key = command->add_subcommand("init-key", "Make a new key, readable by its owner only");
    key->add_option("FILE", options->new_key, "File to make")->required()->type_name("");
    auto* opened = command->add_subcommand(
        "unseal", "Write the originals that a node could not de-identify and kept encrypted");
    opened->add_option("PATH", options->sealed, "*.sealed files or their folder, then the folder to write")
        ->required()
        ->type_name("IN... OUT");
    opened->add_option("--key", options->key, "Key of the project")->required()->type_name("FILE");
    opened->footer(
        "A node keeps them in DATA/deid/NAME/quarantine. Mend the profile, then de-identify and store what "
        "this writes.\n\n"
        "Example:\n"
        "  sagitta deid unseal --key research.key sagitta-data/deid/research/quarantine originals/");
    command->footer(
        "What must not go out is quarantined: nothing of it is written, the reason is printed and in the "
        "report, and\n"
        "the exit status is 1. The input is never changed. docs/DEIDENTIFICATION.md explains profiles.\n\n"
        "Examples:\n"
        "  sagitta deid init-key project.key\n"
        "  sagitta deid scans/ out/ --profile config/deid/basic.toml --key project.key --report report.json\n"
        "  sagitta deid scans/ --dry-run --diff --profile config/deid/research-longitudinal.toml --key "
        "project.key\n"
        "  sagitta deid --explain StudyDescription --profile config/deid/basic.toml");
    command->callback([options, key, opened, &status] {
        if (key->parsed()) {
            status = init_key(*options);
        } else if (opened->parsed()) {
            status = unseal_from(*options);
        } else if (options->profile.empty()) {
            complain("--profile FILE is missing");
            status = kUsage;
        } else {
            status = run(*options);
        }
    });
}

}  // namespace sagitta::tools
