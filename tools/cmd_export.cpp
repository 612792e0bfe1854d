#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include "app/archive_options.h"
#include "app/control_client.h"
#include "command.h"
#include "configuration_options.h"
#include "dicom/json.h"
#include "interrupt.h"
#include "keys.h"
#include "media/export.h"
#include "storage/reading.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

constexpr std::string_view kDefaultName = "{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm";

struct Options {
    std::shared_ptr<ConfigurationOptions> configuration;
    std::string output;
    std::vector<std::string> keys;
    std::string name = std::string(kDefaultName);
    std::string file_set_id;
    bool all = false;
    bool dicomdir = false;
    bool json = false;
};

void print_json(const media::ExportReport& report) {
    auto text = fmt::format(
        "{{\"exported\":{},\"already_there\":{},\"failed\":{},\"bytes\":{},\"interrupted\":{},\"failure_"
        "list\":[",
        report.exported, report.already_there, report.failed, report.bytes, report.interrupted);
    for (std::size_t n = 0; n < report.failures.size(); ++n) {
        text += n == 0 ? "{\"what\":" : ",{\"what\":";
        dicom::append_json_string(report.failures[n].what, text);
        text += ",\"reason\":";
        dicom::append_json_string(report.failures[n].reason, text);
        text += '}';
    }
    text += "],\"warnings\":[";
    for (std::size_t n = 0; n < report.warnings.size(); ++n) {
        if (n != 0) text += ',';
        dicom::append_json_string(report.warnings[n], text);
    }
    print(text + "]}");
}

void print_text(const media::ExportReport& report, const std::string& output) {
    for (const auto& warning : report.warnings) note("DICOMDIR: " + warning);
    for (const auto& failure : report.failures)
        note(fmt::format("failed {}: {}", failure.what, failure.reason));
    print(fmt::format("{} exported to {} ({}), {} already there, {} failed{}", report.exported, output,
                      readable_bytes(report.bytes), report.already_there, report.failed,
                      report.interrupted ? "; interrupted, run it again to go on" : ""));
}

/// The archive: open here, or read beside the node that has it open.
struct Source {
    std::unique_ptr<storage::Archive> archive;
    storage::OpenedForReading beside;

    const storage::InstanceIndex& index() const { return archive ? archive->index() : *beside.index; }
    const storage::InstanceStore& store() const { return archive ? archive->store() : *beside.store; }
};

Result<Source> open_source(const app::Configuration& configuration) {
    Source source;
    if (app::is_served(configuration.node.data)) {
        auto beside = storage::open_for_reading(configuration.node.data);
        if (!beside) return std::move(beside).error();
        source.beside = std::move(*beside);
        return source;
    }
    auto archive = app::open_existing_archive(configuration);
    if (!archive) return std::move(archive).error();
    source.archive = std::move(*archive);
    return source;
}

int run(const Options& options) {
    const auto loaded = read_configuration(*options.configuration);
    auto identifier = make_identifier(options.keys);
    auto pattern = media::NamePattern::parse(options.name);
    if (!identifier) complain("", identifier.error());
    if (!pattern) complain("--name", pattern.error());
    const bool says_what = options.all != !options.keys.empty();
    if (!says_what) complain("say what with -k Keyword=value, or --all");
    if (!loaded || !identifier || !pattern || !says_what) return kUsage;
    umask(S_IWGRP | S_IRWXO);  // patient data
    auto source = open_source(loaded->configuration);
    if (!source) {
        complain("export", source.error());
        return kFailed;
    }
    media::ExportOptions wanted;
    wanted.output = options.output;
    wanted.identifier = std::move(*identifier);
    wanted.pattern = options.dicomdir ? nullptr : &*pattern;
    wanted.file_set_id = options.file_set_id;
    wanted.stop = &stop_on_interrupt();
    Progress progress;
    const auto show = [&](const media::ExportReport& now) {
        if (progress.is_due())
            progress.show(fmt::format("{} exported, {}", now.exported, readable_bytes(now.bytes)));
    };
    const auto report = media::export_instances(source->index(), source->store(), wanted, show);
    progress.clear();
    if (!report) {
        complain("export", report.error());
        return report.error().code == Errc::invalid_argument ? kUsage : kFailed;
    }
    options.json ? print_json(*report) : print_text(*report, options.output);
    return report->failed == 0 && !report->interrupted ? kOk : kFailed;
}

}  // namespace

void add_export(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("export", "Write objects of an archive to a folder, a zip or a medium");
    options->configuration = add_configuration_options(*command, false);
    command->add_option("-o,--output", options->output, "Folder; or a file named .zip, .tar, .tar.gz")
        ->required()
        ->type_name("PATH");
    command->add_option("-k,--key", options->keys, "Match Keyword=value (repeatable; tags work too)")
        ->type_name("KEYWORD=VALUE")
        ->allow_extra_args(false);
    command->add_flag("--all", options->all, "Everything");
    auto* name = command->add_option("--name", options->name, "How files are called")
                     ->type_name("PATTERN")
                     ->capture_default_str();
    command->add_flag("--dicomdir", options->dicomdir, "A medium: File IDs and a DICOMDIR (PS3.10)")
        ->excludes(name);
    command->add_option("--file-set-id", options->file_set_id, "Name of the medium, at most 16 of A-Z 0-9 _")
        ->type_name("ID");
    command->add_flag("--json", options->json, "The report as JSON");
    command->footer(
        "The node may be running; what is deleted meanwhile has failed. Files are written as they are "
        "stored.\n"
        "Doing it again writes only what is missing; a file with other content is never overwritten. A zip\n"
        "or tar file is there whole or not at all.\n\n"
        "Examples:\n"
        "  sagitta export --data /srv/dicom -o out -k PatientID=4711 \\\n"
        "      --name '{PatientID}/{StudyDate}-{StudyDescription}/{SeriesNumber}/{SOPInstanceUID}.dcm'\n"
        "  sagitta export --data /srv/dicom -o cd --dicomdir -k AccessionNumber=A1234\n"
        "  sagitta export --data /srv/dicom -o march.zip -k StudyDate=20240301-20240331 -k Modality=CT");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
