#include "mpps_archive.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "configuration_options.h"
#include "core/log.h"
#include "dicom/json.h"
#include "dicom/uid.h"
#include "service/completeness.h"
#include "service/procedure_step_scp.h"
#include "storage/change_feed.h"
#include "storage/procedure_step_log.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

constexpr std::uint64_t kAtOnce = 1000;

struct Options {
    std::shared_ptr<ConfigurationOptions> configuration;
    std::string uid;
    std::string study;
    bool json = false;
};

struct Archive {
    std::unique_ptr<storage::ProcedureStepLog> log;
    std::unique_ptr<storage::InstanceIndex> index;
};

/// Told when it cannot be opened; then `status` says how.
std::optional<Archive> open(const Options& options, int& status) {
    status = kUsage;
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return std::nullopt;
    status = kFailed;
    auto log = storage::ProcedureStepLog::open_to_read(loaded->configuration.node.data);
    auto index = storage::open_index_of(loaded->configuration.node.data);
    if (!log) complain("", log.error());
    if (!index) complain("", index.error());
    if (!log || !index) return std::nullopt;
    return Archive{std::move(*log), std::move(*index)};
}

std::string time_text(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc));
}

std::string line_of(const service::StepProgress& progress, bool json) {
    const auto& step = progress.step;
    if (!json)
        return fmt::format("{:12}  {}  {:>6} of {:<6}  {:16}  {}", to_string(step.state),
                           time_text(step.changed), progress.present(), progress.expected.size(),
                           log::escaped(step.sender), step.sop_instance_uid);
    std::string sender;
    dicom::append_json_string(step.sender, sender);
    return fmt::format(
        R"({{"sop_instance_uid":"{}","state":"{}","sender":{},"created":{},"changed":{},"arrived":{},)"
        R"("studies":[{}],"expected":{},"present":{}}})",
        step.sop_instance_uid, to_string(step.state), sender, step.created, step.changed, step.arrived,
        step.study_instance_uids.empty()
            ? ""
            : fmt::format("\"{}\"", fmt::join(step.study_instance_uids, "\",\"")),
        progress.expected.size(), progress.present());
}

bool tell(const Result<service::StepProgress>& progress, bool json, int& status) {
    if (progress) return print(line_of(*progress, json));
    complain("", progress.error());
    status = kFailed;
    return true;
}

int list(const Options& options) {
    int status = kOk;
    auto archive = open(options, status);
    if (!archive) return status;
    status = kOk;
    if (!options.study.empty()) {
        auto steps = service::progress_of_study(options.study, *archive->log, *archive->index);
        if (!steps) {
            complain("", steps.error());
            return kFailed;
        }
        const bool complete = service::prove_complete(*steps);
        for (auto& step : *steps) print(line_of(step, options.json));
        if (!options.json) print(complete ? "complete by its procedure steps" : "not proven complete");
        return kOk;
    }
    std::int64_t after = 0;
    while (true) {
        auto steps = archive->log->list(after, kAtOnce);
        if (!steps) {
            complain("", steps.error());
            return kFailed;
        }
        if (steps->empty()) return status;
        after = steps->back().id;
        for (const auto& head : *steps) {
            auto step = archive->log->find(head.id);
            if (step && !*step) continue;  // forgotten meanwhile
            const auto progress = step ? service::progress_of(std::move(**step), *archive->index)
                                       : Result<service::StepProgress>(step.error());
            if (!tell(progress, options.json, status)) return status;
        }
    }
}

int show(const Options& options) {
    int status = kOk;
    auto archive = open(options, status);
    if (!archive) return status;
    auto step = archive->log->find(options.uid);
    if (!step || !*step) {
        complain("", step ? Error(Errc::not_found, "there is no such step") : step.error());
        return kFailed;
    }
    const auto data_set = service::data_set_of(**step);
    const auto progress = service::progress_of(**step, *archive->index);
    if (!data_set || !progress) {
        complain("", !data_set ? data_set.error() : progress.error());
        return kFailed;
    }
    dicom::JsonOptions form;
    form.indent = options.json ? 0 : 2;
    std::string text;
    dicom::append_json(*data_set, text, form);
    if (options.json) {
        std::string missing;
        for (const auto& uid : progress->missing)
            missing += fmt::format("{}\"{}\"", missing.empty() ? "" : ",", uid);
        print(fmt::format(R"({{"step":{},"missing":[{}],"attributes":{}}})", line_of(*progress, true),
                          missing, text));
        return kOk;
    }
    print(line_of(*progress, false));
    for (const auto& study : progress->step.study_instance_uids) print("study    " + study);
    for (const auto& uid : progress->missing) print("missing  " + uid);
    print(text);
    return kOk;
}

}  // namespace

void add_mpps_archive(CLI::App& group, int& status) {
    auto* listing = group.add_subcommand(
        "list", "Print an archive's steps: state, changed, instances here of those named, sender, UID");
    auto listed = std::make_shared<Options>();
    listed->configuration = add_configuration_options(*listing, false);
    listing
        ->add_option("--study", listed->study, "Only those of this study, and whether they prove it complete")
        ->type_name("UID");
    listing->add_flag("--json", listed->json, "A JSON object for each");
    listing->callback([listed, &status] { status = list(*listed); });
    auto* showing =
        group.add_subcommand("show", "Print one step of an archive, what is missing, and its attributes");
    auto shown = std::make_shared<Options>();
    shown->configuration = add_configuration_options(*showing, false);
    showing->add_option("UID", shown->uid, "The step's SOP Instance UID")->required()->type_name("");
    showing->add_flag("--json", shown->json, "A JSON object");
    showing->callback([shown, &status] { status = show(*shown); });
}

}  // namespace sagitta::tools
