#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "configuration_options.h"
#include "core/bytes.h"
#include "core/new_file.h"
#include "dicom/edit.h"
#include "dicom/generated/tags.h"
#include "dicom/json.h"
#include "dicom/path.h"
#include "dicom/value_text.h"
#include "service/worklist.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

struct Options {
    std::shared_ptr<ConfigurationOptions> configuration;
    std::vector<std::string> files;
    std::vector<std::string> sets;
    std::vector<std::string> names;
    bool json = false;
};

std::optional<std::string> folder_of(const Options& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return std::nullopt;
    return app::worklist_folder(loaded->configuration);
}

Result<void> add_file(const std::string& path, const std::string& folder) {
    auto items = service::read_worklist_file(path);
    if (!items) return std::move(items).error().within(path);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return write_secret((fs::path(folder) / fs::path(path).filename()).string(), as_bytes(text.str()));
}

// One item from the command line, checked like one from a file.
Result<std::string> add_item(const std::vector<std::string>& sets, const std::string& folder) {
    std::vector<dicom::Edit> edits;
    for (const auto& set : sets) {
        auto edit = dicom::parse_set(set);
        if (!edit) return std::move(edit).error();
        edits.push_back(std::move(*edit));
    }
    dicom::EditOptions utf8;
    utf8.text = dicom::EditOptions::Text::utf8_when_needed;
    const auto item = dicom::apply_edits(dicom::DataSet(), edits, utf8);
    if (!item) return item.error();
    if (!item->contains(tags::PatientID) || !item->contains(tags::ScheduledProcedureStepSequence))
        return Error(Errc::malformed,
                     "a worklist item has a Patient ID and a Scheduled Procedure Step Sequence");
    std::string text;
    dicom::append_json(*item, text);
    const auto name = dicom::Uid::generate().str() + ".json";
    auto written = write_secret((fs::path(folder) / name).string(), as_bytes(text));
    if (!written) return std::move(written).error();
    return name;
}

int add(const Options& options) {
    const auto folder = folder_of(options);
    if (!folder) return kUsage;
    if (options.files.empty() == options.sets.empty()) {
        complain("give files, or the attributes of one item with -s");
        return kUsage;
    }
    std::error_code error;
    fs::create_directories(*folder, error);
    if (error) {
        complain(fmt::format("{}: {}", *folder, error.message()));
        return kFailed;
    }
    if (!options.sets.empty()) {
        const auto name = add_item(options.sets, *folder);
        if (name) return print(*name) ? kOk : kFailed;
        complain("", name.error());
        return kFailed;
    }
    int status = kOk;
    for (const auto& file : options.files) {
        if (auto added = add_file(file, *folder); !added) {
            complain("", added.error());
            status = kFailed;
        }
    }
    return status;
}

std::string value_at(const dicom::DataSet& item, std::string_view path) {
    const auto element = dicom::find(item, *dicom::parse_path(path));
    if (!element) return {};
    const auto characters = dicom::character_set_of(item.elements(), dicom::CharacterSet());
    return dicom::printable(dicom::decoded_text(*element, characters));
}

int list(const Options& options) {
    const auto folder = folder_of(options);
    if (!folder) return kUsage;
    std::vector<fs::path> paths;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(*folder, ignored)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    int status = kOk;
    std::string json = "[";
    for (const auto& path : paths) {
        const auto items = service::read_worklist_file(path.string());
        if (!items && items.error().code == Errc::unsupported) continue;
        if (!items) {
            complain("", Error(items.error()).within(path.string()));
            status = kFailed;
            continue;
        }
        for (const auto& item : *items) {
            if (options.json) {
                if (json.size() > 1) json += ",\n";
                dicom::append_json(item, json);
                continue;
            }
            print(fmt::format(
                "{}  {} {}  {:4}  {:12}  {}  {}", path.filename().string(),
                value_at(item, "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate"),
                value_at(item, "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime"),
                value_at(item, "ScheduledProcedureStepSequence[0].Modality"),
                value_at(item, "AccessionNumber"), value_at(item, "PatientID"),
                value_at(item, "PatientName")));
        }
    }
    if (options.json) print(json + "]");
    return status;
}

int remove(const Options& options) {
    const auto folder = folder_of(options);
    if (!folder) return kUsage;
    int status = kOk;
    for (const auto& name : options.names) {
        std::error_code error;
        const bool plain = fs::path(name).filename() == fs::path(name) && name != "." && name != "..";
        if (plain && fs::remove(fs::path(*folder) / name, error)) continue;
        complain(fmt::format("{}: {}", name, error ? error.message() : "is no file of the worklist"));
        status = kFailed;
    }
    return status;
}

}  // namespace

void add_worklist(CLI::App& app, int& status) {
    auto* group = app.add_subcommand("worklist", "What modalities are to do: items of the Modality Worklist");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();
    auto* adding =
        group->add_subcommand("add", "Add files (*.wl, *.dcm, *.json), or one item from its attributes");
    options->configuration = add_configuration_options(*adding, false);
    adding->add_option("FILE", options->files, "Files, copied into the worklist's folder")->type_name("");
    adding->add_option("-s,--set", options->sets, "An attribute of a new item (repeatable)")
        ->type_name("PATH=VALUE")
        ->allow_extra_args(false);
    adding->footer(
        "Prints the name of a new item's file. A running node sees it with the next query.\n\n"
        "Example:\n"
        "  sagitta worklist add -s PatientID=4711 -s 'PatientName=Doe^Jane' -s AccessionNumber=A1 \\\n"
        "      -s 'ScheduledProcedureStepSequence[0].Modality=CT' \\\n"
        "      -s 'ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=20240315'");
    auto* listing = group->add_subcommand("list", "Print the items, a line each");
    auto listed = std::make_shared<Options>();
    listed->configuration = add_configuration_options(*listing, false);
    listing->add_flag("--json", listed->json, "As DICOM JSON");
    auto* removing = group->add_subcommand("remove", "Remove files from the worklist by their names");
    auto removed = std::make_shared<Options>();
    removed->configuration = add_configuration_options(*removing, false);
    removing->add_option("NAME", removed->names, "As `worklist list` prints them")->required()->type_name("");
    adding->callback([options, &status] { status = add(*options); });
    listing->callback([listed, &status] { status = list(*listed); });
    removing->callback([removed, &status] { status = remove(*removed); });
}

}  // namespace sagitta::tools
