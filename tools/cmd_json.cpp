#include <memory>
#include <string>

#include "command.h"
#include "dicom/json.h"
#include "dicom_file.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

int run(const std::string& path, bool pretty) {
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
    dicom::JsonOptions options;
    if (pretty) options.indent = 2;
    std::string json;
    dicom::append_json(parsed->data_set, json, options);
    print(json);
    for (const auto& warning : parsed->warnings) complain(path, warning);
    return parsed->warnings.empty() ? kOk : kFailed;
}

}  // namespace

void add_json(CLI::App& app, int& status) {
    struct Options {
        std::string path;
        bool pretty = false;
    };
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("json", "Print a DICOM file as DICOM JSON (PS3.18 Annex F), bulk data inline");
    command->add_option("FILE", options->path, "File to print")->required()->type_name("");
    command->add_flag("--pretty", options->pretty, "One attribute a line");
    command->footer("Example:\n  sagitta json image.dcm | jq '.\"00100010\".Value[0].Alphabetic'");
    command->callback([options, &status] { status = run(options->path, options->pretty); });
}

}  // namespace sagitta::tools
