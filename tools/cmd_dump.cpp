#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "dicom/dump.h"
#include "dicom/part10.h"
#include "dicom_file.h"
#include "keys.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct Options {
    std::vector<std::string> files;
    std::vector<std::string> keywords;
    bool full = false;
    std::uint32_t depth = UINT32_MAX;
    ColourMode colour = ColourMode::automatic;
};

std::string heading(const FileInMemory& file) {
    const auto& syntax = *file.layout.syntax;
    std::string text = "data set · ";
    text += file.layout.meta.empty() ? std::string("no meta information, looks like ") : std::string();
    text +=
        file.layout.transfer_syntax_uid == syntax.uid
            ? std::string(syntax.name)
            : "transfer syntax " + file.layout.transfer_syntax_uid + ", read as " + std::string(syntax.name);
    if (syntax.deflated) text += " (offsets are those of the inflated data set)";
    return text;
}

// What can be read is printed, what cannot is told, with the byte where it goes wrong.
bool dump_file(const std::string& path, const Options& options, dicom::DumpOptions dump_options) {
    const dicom::LineSink line = [](std::string_view text) { print(text); };
    const bool everything = dump_options.only.empty();
    if (options.files.size() > 1) dicom::dump_heading("# " + path, dump_options, line);
    auto file = load_file(path);
    if (!file) {
        complain("", file.error());
        return false;
    }
    dump_options.offset_base = file->meta_offset;
    if (!file->layout.meta.empty()) {
        if (everything) dicom::dump_heading("file meta information", dump_options, line);
        dicom::dump(file->layout.meta, dump_options, line);
    }
    auto parsed = parse_leniently(*file);
    if (!parsed) {
        std::fflush(stdout);
        complain(path, parsed.error());
        return false;
    }
    if (everything) dicom::dump_heading(heading(*file), dump_options, line);
    dump_options.offset_base = file->layout.syntax->deflated ? 0 : file->layout.data_set_offset;
    dicom::dump(parsed->data_set, dump_options, line);
    std::fflush(stdout);
    for (const auto& warning : parsed->warnings) complain(path, warning);
    return parsed->warnings.empty();
}

int run(const Options& options) {
    dicom::DumpOptions dump_options;
    dump_options.colour = use_colour(options.colour);
    dump_options.full = options.full;
    dump_options.width = terminal_width();
    dump_options.depth = options.depth;
    for (const auto& keyword : options.keywords) {
        const auto tag = parse_keyword(keyword);
        if (!tag) {
            complain("", tag.error());
            return kUsage;
        }
        dump_options.only.push_back(*tag);
    }
    bool good = true;
    for (const auto& path : options.files) good = dump_file(path, options, dump_options) && good;
    return good ? kOk : kFailed;
}

}  // namespace

void add_dump(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("dump", "Show what is in DICOM files");
    command->add_option("FILE", options->files, "Files to show")->required()->type_name("");
    command
        ->add_option("-k,--key", options->keywords,
                     "Show only this keyword or tag, at any depth (repeatable)")
        ->type_name("KEYWORD")
        ->allow_extra_args(false);
    command->add_flag("--full", options->full, "Show long values whole, and every fragment");
    command->add_option("--depth", options->depth, "Open sequences only this many levels deep")
        ->type_name("N");
    command->add_flag_callback(
        "--colour,--color", [options] { options->colour = ColourMode::always; },
        "Colours even when not on a terminal");
    command->add_flag_callback(
        "--no-colour,--no-color", [options] { options->colour = ColourMode::never; }, "No colours");
    command->footer(
        "Columns: offset of the value in the file, tag, VR, length in bytes (u/l: undefined), number of\n"
        "values, keyword (private elements: creator and element), value.\n"
        "A damaged file is shown as far as it can be read; exit status 1 then.\n\n"
        "Examples:\n"
        "  sagitta dump image.dcm\n"
        "  sagitta dump --full image.dcm | less\n"
        "  sagitta dump -k PatientName -k 0020,000d *.dcm");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
