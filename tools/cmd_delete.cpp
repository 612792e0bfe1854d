#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <limits>
#include <memory>
#include <string>

#include "app/administration.h"
#include "command.h"
#include "configuration_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct DeleteOptions {
    std::shared_ptr<ConfigurationOptions> configuration;
    storage::Scope scope;
    bool undo = false;
    bool purge = false;
    bool at_once = false;
    bool list = false;
    bool force = false;
    bool json = false;
};

bool names_something(const storage::Scope& scope) {
    return !scope.patient_ids.empty() || !scope.study_instance_uids.empty() ||
           !scope.series_instance_uids.empty() || !scope.sop_instance_uids.empty();
}

int failed(const Error& error) {
    complain("", error);
    return kFailed;
}

std::string time_of(std::int64_t seconds) {
    return fmt::format("{:%Y-%m-%d %H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

int report(const DeleteOptions& options, std::string_view what, const Result<storage::KeeperReport>& done) {
    if (!done) return failed(done.error());
    if (options.json) {
        print(fmt::format(R"({{"{}":{{"instances":{},"studies":{},"bytes":{}}}}})", what, done->instances,
                          done->study_uids.size(), done->bytes));
    } else {
        print(fmt::format("{} instances of {} studies {}, {}", done->instances, done->study_uids.size(), what,
                          readable_bytes(done->bytes)));
    }
    return kOk;
}

int list(const DeleteOptions& options, app::Administration& archive) {
    const auto all = archive.deleted();
    if (!all) return failed(all.error());
    for (const auto& study : *all) {
        const auto line =
            options.json
                ? fmt::format(
                      R"({{"study_instance_uid":"{}","instances":{},"bytes":{},"deleted":{},"until":{}}})",
                      study.study_instance_uid, study.instances, study.bytes, study.when, study.until)
                : fmt::format("{}  until {}  {:>6} instances  {:>9}  {}", time_of(study.when),
                              time_of(study.until), study.instances, readable_bytes(study.bytes),
                              study.study_instance_uid);
        if (!print(line)) return kOk;
    }
    return kOk;
}

int purge(const DeleteOptions& options, app::Administration& archive) {
    const auto until = options.at_once ? std::numeric_limits<std::int64_t>::max()
                                       : static_cast<std::int64_t>(std::time(nullptr));
    const auto done = archive.purge(until);
    if (!done) return failed(done.error());
    if (options.json) {
        print(fmt::format(
            R"({{"purged":{{"members":{},"bytes":{},"not_given_back":{},"compacted":{},"left_alone":{},"being_read":{}}}}})",
            done->members, done->bytes, done->not_given_back, done->compacted, done->left_alone,
            done->being_read));
    } else {
        print(fmt::format("{} instances purged, {}", done->members, readable_bytes(done->bytes)));
        if (done->compacted != 0)
            note(fmt::format("{} given back by copying volumes", readable_bytes(done->compacted)));
        if (done->not_given_back > done->compacted)
            note(fmt::format("{} were overwritten and still take room: the file system makes no holes",
                             readable_bytes(done->not_given_back - done->compacted)));
        if (done->being_read != 0)
            note(fmt::format("{} are in volumes that are being sent from: purge again", done->being_read));
    }
    return done->left_alone == 0 ? kOk : kFailed;
}

int run(const DeleteOptions& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    if (!options.purge && !options.list && !names_something(options.scope)) {
        complain("name what to delete: --patient, --study, --series or --instance");
        return kUsage;
    }
    const auto archive = app::administration_of(loaded->configuration);
    if (options.list) return list(options, *archive);
    if (options.purge) return purge(options, *archive);
    if (options.undo) return report(options, "restored", archive->restore(options.scope));
    return report(options, "deleted", archive->remove(options.scope, options.force));
}

}  // namespace

void add_delete(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("delete", "Delete instances of an archive, or bring them back");
    auto options = std::make_shared<DeleteOptions>();
    options->configuration = add_configuration_options(*command, false);
    auto* patient = command->add_option("--patient", options->scope.patient_ids, "Patient ID");
    command->add_option("--study", options->scope.study_instance_uids, "Study Instance UID");
    command->add_option("--series", options->scope.series_instance_uids, "Series Instance UID");
    command->add_option("--instance", options->scope.sop_instance_uids, "SOP Instance UID");
    auto* undo =
        command->add_flag("--undo", options->undo, "Serve again what was deleted")->excludes(patient);
    auto* purge =
        command->add_flag("--purge", options->purge, "Take the bytes of what cannot be undone any more");
    auto* list = command->add_flag("--list", options->list, "What can be undone, and until when");
    command->add_flag("--at-once", options->at_once, "With --purge: of all that was deleted")->needs(purge);
    command->add_flag("--force", options->force, "Protected studies, too");
    command->add_flag("--json", options->json, "A JSON object on each line");
    undo->excludes(purge)->excludes(list);
    purge->excludes(list);
    command->footer(
        "Several options restrict each other; one given several times names several. All is deleted or, when "
        "a\n"
        "study is protected, nothing. It can be undone for `storage.undelete_for`. A running node does it "
        "on\n"
        "request, and purges by itself (docs/KEEPING.md).\n\n"
        "Examples:\n"
        "  sagitta delete --data /srv/dicom --study 1.2.3\n"
        "  sagitta delete --data /srv/dicom --study 1.2.3 --undo\n"
        "  sagitta delete --data /srv/dicom --list");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
