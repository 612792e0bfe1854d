#include <fmt/format.h>

#include "command.h"
#include "dicom/part10.h"
#include "terminal.h"

namespace sagitta::tools {

std::string version_line() {
    return "sagitta " SAGITTA_VERSION;
}

void add_version(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("version", "Show the version and how it names itself to others");
    command->footer("Example:\n  sagitta version");
    command->callback([&status] {
        print(version_line());
        print(fmt::format("implementation class UID     {}", dicom::kImplementationClassUid));
        print(fmt::format("implementation version name  {}", dicom::kImplementationVersionName));
        status = kOk;
    });
}

}  // namespace sagitta::tools
