#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "app/units.h"
#include "bulk_folder.h"
#include "command.h"
#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/json.h"
#include "dicom/json_reader.h"
#include "dicom/part10.h"
#include "dicom/write_file.h"
#include "dicom/writer.h"
#include "dicom_file.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace tags = dicom::tags;

struct Options {
    std::vector<std::string> files;
    std::string bulk_folder;
    std::string bulk_threshold = "1KiB";
    std::string syntax;
    bool pretty = false;
    bool from_json = false;
};

int print_json(const Options& options) {
    if (options.files.size() != 1) {
        complain("one FILE is printed at a time");
        return kUsage;
    }
    const auto threshold = app::parse_size(options.bulk_threshold);
    if (!threshold) {
        complain("--bulk-threshold", threshold.error());
        return kUsage;
    }
    const std::string& path = options.files.front();
    auto file = load_file(path);
    if (!file) {
        complain("", file.error());
        return kFailed;
    }
    auto parsed = parse_leniently(*file);
    if (!parsed) {
        complain(path, parsed.error());
        return kFailed;
    }
    dicom::JsonOptions json_options;
    if (options.pretty) json_options.indent = 2;
    const auto instance = parsed->data_set.uid(tags::SOPInstanceUID);
    std::optional<BulkFolder> bulk;
    if (!options.bulk_folder.empty()) {
        bulk.emplace(options.bulk_folder, instance ? instance->str() + "-" : std::string());
        json_options.bulk_data = bulk->sink();
        json_options.bulk_data_threshold_bytes = *threshold;
    }
    std::string json;
    dicom::append_json(parsed->data_set, json, json_options);
    if (bulk && bulk->failed()) {
        complain("", *bulk->failed());
        return kFailed;
    }
    print(json);
    for (const auto& warning : parsed->warnings) complain(path, warning);
    return parsed->warnings.empty() ? kOk : kFailed;
}

// The words for the syntaxes that are not compressed; any registered UID otherwise.
const dicom::TransferSyntax* syntax_named(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames{{
        {"explicit-le", "1.2.840.10008.1.2.1"},
        {"implicit-le", "1.2.840.10008.1.2"},
        {"explicit-be", "1.2.840.10008.1.2.2"},
        {"deflated", "1.2.840.10008.1.2.1.99"},
    }};
    for (const auto& [word, uid] : kNames) {
        if (word == name) return dicom::find_transfer_syntax(uid);
    }
    return dicom::find_transfer_syntax(name);
}

// The bytes of the file, or of standard input ("-").
Result<std::string> read_text(const std::string& path) {
    std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
    if (file == nullptr) return Error(Errc::not_found, path + ": cannot be opened");
    std::string text;
    std::array<char, 65536> piece{};
    while (const auto got = std::fread(piece.data(), 1, piece.size(), file)) text.append(piece.data(), got);
    const bool failed = std::ferror(file) != 0;
    if (file != stdin) (void)std::fclose(file);
    if (failed) return Error(Errc::io_failure, path + ": cannot be read");
    return text;
}

// Encapsulation is not visible in the model (PS3.18 F.2.7): the syntax decides, which is asked for, or
// stated in group 0002 by those who write it, or explicit VR little endian.
Result<dicom::JsonDataSet> read_data_set(const std::string& text, const dicom::BulkDataSource& source,
                                         const dicom::TransferSyntax*& syntax) {
    dicom::JsonReadOptions options;
    options.bulk_data = source;
    options.encapsulated = syntax != nullptr && syntax->encapsulated;
    auto made = dicom::read_json(text, options);
    const bool undecided = syntax == nullptr && !made && made.error().code == Errc::unsupported;
    if (undecided) {  // perhaps encapsulated, and group 0002 says so
        options.encapsulated = true;
        auto again = dicom::read_json(text, options);
        if (!again) return made;
        const auto* stated = dicom::find_transfer_syntax(again->meta.text(tags::TransferSyntaxUID));
        if (stated == nullptr || !stated->encapsulated) return made;
        made = std::move(again);
    }
    if (made && syntax == nullptr) {
        syntax = dicom::find_transfer_syntax(made->meta.text(tags::TransferSyntaxUID));
        if (syntax == nullptr || (syntax->encapsulated && !options.encapsulated)) {
            syntax = &dicom::explicit_vr_little_endian();
        }
    }
    return made;
}

int make_file(const Options& options) {
    if (options.files.size() != 2) {
        complain("--from-json takes two files: IN.json OUT.dcm");
        return kUsage;
    }
    const std::string& in = options.files[0];
    const std::string& out = options.files[1];
    const dicom::TransferSyntax* syntax = nullptr;
    if (!options.syntax.empty() && (syntax = syntax_named(options.syntax)) == nullptr) {
        complain(
            "--syntax: explicit-le, implicit-le, explicit-be, deflated, or the UID of a transfer syntax");
        return kUsage;
    }
    const auto text = read_text(in);
    if (!text) {
        complain("", text.error());
        return kFailed;
    }
    const auto beside = in == "-" ? std::filesystem::path() : std::filesystem::path(in).parent_path();
    const std::string folder = beside.empty() ? "." : beside.string();
    const auto source = [&folder](std::string_view uri) { return read_bulk_file(folder, uri); };
    auto made = read_data_set(*text, source, syntax);
    if (!made) {
        complain(in, made.error());
        if (made.error().code == Errc::unsupported) note("sagitta: --syntax UID names the transfer syntax");
        return kFailed;
    }
    const auto sop_class = made->data_set.uid(tags::SOPClassUID);
    const auto instance = made->data_set.uid(tags::SOPInstanceUID);
    if (!sop_class || !instance) {
        complain(in +
                 ": no SOP Class UID or no SOP Instance UID, without which there is no file (PS3.10 7.1)");
        return kFailed;
    }
    ByteBuffer encoded;
    if (auto written = dicom::write_data_set(made->data_set, *syntax, encoded); !written) {
        complain(in, written.error());
        return kFailed;
    }
    const auto header = dicom::make_file_header({*sop_class, *instance, std::string(syntax->uid), {}});
    const std::array<std::span<const std::byte>, 2> parts{header.span(), std::as_const(encoded).span()};
    if (auto written = dicom::write_file(out, parts); !written) {
        complain("", written.error());
        return kFailed;
    }
    return kOk;
}

}  // namespace

void add_json(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "json", "Print a DICOM file as DICOM JSON (PS3.18 Annex F), or make a file of JSON");
    command->add_option("FILE", options->files, "File to print; with --from-json: IN.json (or -) and OUT.dcm")
        ->required()
        ->type_name("");
    command->add_flag("--pretty", options->pretty, "One attribute a line");
    auto* bulk = command->add_option("--bulk", options->bulk_folder,
                                     "Write large binary values to new files in this folder, and their "
                                     "BulkDataURI to the JSON, which belongs beside the folder");
    bulk->type_name("DIR");
    command
        ->add_option("--bulk-threshold", options->bulk_threshold,
                     "Values longer than this are large (default 1KiB)")
        ->type_name("SIZE")
        ->needs(bulk);
    auto* from = command->add_flag("--from-json", options->from_json,
                                   "Make a new DICOM file of JSON; no file is ever overwritten");
    command
        ->add_option(
            "--syntax", options->syntax,
            "Transfer syntax of the new file: explicit-le, implicit-le, explicit-be, deflated, or a UID "
            "(default: that of (0002,0010), else explicit-le)")
        ->type_name("SYNTAX")
        ->needs(from);
    from->excludes(bulk);
    command->footer(
        "Values are inline unless --bulk is given. A BulkDataURI is followed only to files below the folder\n"
        "of the JSON. Encapsulated pixel data is the run of its items; making a file of it needs the "
        "--syntax\n"
        "it is encoded in.\n\n"
        "Examples:\n"
        "  sagitta json image.dcm | jq '.\"00100010\".Value[0].Alphabetic'\n"
        "  sagitta json image.dcm --bulk bulk > image.json\n"
        "  sagitta json --from-json image.json new.dcm\n"
        "  sagitta json ct.dcm | jq 'del(.\"00104000\")' | sagitta json --from-json - new.dcm");
    command->callback(
        [options, &status] { status = options->from_json ? make_file(*options) : print_json(*options); });
}

}  // namespace sagitta::tools
