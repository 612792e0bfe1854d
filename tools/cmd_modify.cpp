#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "command.h"
#include "dicom/edit.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/write_file.h"
#include "dicom/writer.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;
using Kind = dicom::Edit::Kind;

struct Change {
    Kind kind;
    std::string text;
};

struct Options {
    std::string in;
    std::string out;
    std::vector<std::string> sets;
    std::vector<std::string> deletes;
    std::vector<std::string> inserts;
    std::vector<Change> changes;  ///< all three in the order they were given
    bool to_utf8 = false;
    bool no_check = false;
    bool force = false;
};

Result<dicom::Edit> edit_from(const Change& change) {
    if (change.kind == Kind::set) return dicom::parse_set(change.text);
    auto path = dicom::parse_path(change.text);
    if (!path) return std::move(path).error();
    dicom::Edit edit;
    edit.kind = change.kind;
    edit.path = std::move(*path);
    return edit;
}

Result<std::vector<dicom::Edit>> edits_from(const Options& options) {
    std::vector<dicom::Edit> edits;
    for (const auto& change : options.changes) {
        auto edit = edit_from(change);
        if (!edit) return std::move(edit).error();
        if (edit->path.steps.front().tag.group() <= 0x0002) {
            return Error(Errc::invalid_argument,
                         dicom::to_string(edit->path) + " is file meta information, which is made anew");
        }
        edits.push_back(std::move(*edit));
    }
    if (edits.empty() && !options.to_utf8)
        return Error(Errc::invalid_argument, "nothing to change: give -s, -d, -i or --to-utf8");
    return edits;
}

Result<void> may_write(const Options& options) {
    std::error_code ignored;
    if (fs::equivalent(options.in, options.out, ignored)) {
        return Error(Errc::already_exists, options.out + " is the input, which is never changed");
    }
    if (!options.force && fs::exists(fs::symlink_status(options.out, ignored))) {
        return Error(Errc::already_exists, options.out + " exists, --force replaces it");
    }
    return {};
}

Result<dicom::DataSet> changed(const dicom::ParsedFile& file, std::span<const dicom::Edit> edits,
                               const Options& options) {
    if (file.data_set.contains(dicom::tags::DirectoryRecordSequence)) {
        return Error(Errc::unsupported,
                     "a DICOMDIR holds the byte offsets of its records, which would be wrong");
    }
    dicom::EditOptions edit_options;
    edit_options.check_values = !options.no_check;
    if (options.to_utf8) edit_options.text = dicom::EditOptions::Text::utf8;
    edit_options.syntax = file.layout.syntax;
    return dicom::apply_edits(file.data_set, edits, edit_options);
}

Result<void> write_changed(const dicom::ParsedFile& file, const dicom::DataSet& data_set,
                           const Options& options) {
    const auto meta = dicom::file_meta_of(data_set, file.layout.transfer_syntax_uid, file.layout.meta);
    if (!meta) return Error(meta.error()).within(options.in);
    const ByteBuffer header = dicom::make_file_header(*meta, file.layout.meta);
    ByteBuffer body;
    if (auto written = dicom::write_data_set(data_set, *file.layout.syntax, body); !written) return written;
    const std::array parts{header.span(), std::as_const(body).span()};
    return dicom::write_file(options.out, parts,
                             options.force ? dicom::IfFileExists::replace : dicom::IfFileExists::refuse);
}

int run(const Options& options) {
    const auto edits = edits_from(options);
    if (!edits) {
        complain("", edits.error());
        return kUsage;
    }
    if (auto allowed = may_write(options); !allowed) {
        complain("", allowed.error());
        return kFailed;
    }
    const auto file = dicom::read_file(options.in);
    if (!file) {
        complain("", file.error());
        return kFailed;
    }
    for (const auto& warning : file->warnings) complain(options.in, warning);
    const auto data_set = changed(*file, *edits, options);
    if (!data_set) {
        complain(options.in, data_set.error());
        const bool text = data_set.error().code == Errc::unsupported &&
                          !file->data_set.contains(dicom::tags::DirectoryRecordSequence);
        if (text) note("  --to-utf8 makes the whole data set UTF-8, in which all text fits");
        return kFailed;
    }
    if (auto written = write_changed(*file, *data_set, options); !written) {
        complain("", written.error());
        return kFailed;
    }
    return kOk;
}

// Edits are applied in the order of the command line, whatever their option.
std::vector<Change> in_order(const CLI::App& command, const std::map<const CLI::Option*, Kind>& kinds) {
    std::vector<Change> changes;
    std::map<const CLI::Option*, std::size_t> taken;
    for (const CLI::Option* option : command.parse_order()) {
        const auto kind = kinds.find(option);
        if (kind != kinds.end()) changes.push_back({kind->second, option->results().at(taken[option]++)});
    }
    return changes;
}

}  // namespace

void add_modify(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("modify", "Write a changed copy of a DICOM file");
    command->add_option("IN", options->in, "File to read, never changed")->required()->type_name("");
    command->add_option("OUT", options->out, "File to write")->required()->type_name("");
    const auto add_edits = [&](const char* names, std::vector<std::string>& texts, const char* what,
                               const char* type) {
        return command->add_option(names, texts, what)->type_name(type)->allow_extra_args(false);
    };
    const std::map<const CLI::Option*, Kind> kinds = {
        {add_edits("-s,--set", options->sets, "Set an element, made where it is missing (repeatable)",
                   "PATH[:VR]=VALUE"),
         Kind::set},
        {add_edits("-d,--delete", options->deletes, "Delete elements or items (repeatable)", "PATH"),
         Kind::erase},
        {add_edits("-i,--insert", options->inserts, "Insert an empty item before the one named (repeatable)",
                   "PATH"),
         Kind::insert},
    };
    command->add_flag("--to-utf8", options->to_utf8, "All text in UTF-8, Specific Character Set ISO_IR 192");
    command->add_flag("--no-check", options->no_check, "Set values even when their VR does not allow them");
    command->add_flag("--force", options->force, "Replace OUT when it exists");
    command->footer(
        "PATH is a keyword, a tag, or (gggg,\"CREATOR\",ee) for a private element; [0] is the first item of "
        "a\n"
        "sequence, [*] every one, [+] a new one. Several values are separated by a backslash; opaque bytes "
        "are\n"
        "hex:0a0b. Changes are made in the order given. What is not named stays as it is, byte for byte; "
        "the\n"
        "file meta information is made anew. Setting SpecificCharacterSet changes what the file says of its\n"
        "text, not the text; with --to-utf8 it says how to read it.\n\n"
        "Examples:\n"
        "  sagitta modify in.dcm out.dcm -s PatientID=4711 -s PatientName='Doe^Jane' -d OtherPatientIDs\n"
        "  sagitta modify in.dcm out.dcm -s 'RequestAttributesSequence[0].ScheduledProcedureStepID=1'\n"
        "  sagitta modify in.dcm out.dcm -d 'ReferencedImageSequence[*].(0029,\"ACME 1.0\",10)' --to-utf8");
    command->callback([options, command, kinds, &status] {
        options->changes = in_order(*command, kinds);
        status = run(*options);
    });
}

}  // namespace sagitta::tools
