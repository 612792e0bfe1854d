#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "app/administration.h"
#include "command.h"
#include "configuration_options.h"
#include "storage/change_feed.h"
#include "storage/quarantined.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

using storage::Quarantined;

struct QuarantineOptions {
    std::shared_ptr<ConfigurationOptions> configuration;
    std::string name;
};

std::string_view kind_of(const Quarantined& one) {
    switch (one.kind) {
        case Quarantined::Kind::instance: return "instance";
        case Quarantined::Kind::torn_end: return "torn end";
        case Quarantined::Kind::unfinished: return "unfinished";
    }
    return "unknown";
}

std::string time_of(const Quarantined& one) {
    return fmt::format("{:%Y-%m-%d %H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(one.modified)));
}

std::optional<std::string> data_of(const QuarantineOptions& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return std::nullopt;
    return loaded->configuration.node.data;
}

int failed(const Error& error) {
    complain("", error);
    return kFailed;
}

int list(const QuarantineOptions& options) {
    const auto data = data_of(options);
    if (!data) return kUsage;
    const auto all = storage::list_quarantine(*data);
    if (!all) return failed(all.error());
    for (const auto& one : *all) {
        const auto line = fmt::format("{}  {:>9}  {:10}  {}", time_of(one), readable_bytes(one.bytes),
                                      kind_of(one), one.name);
        if (!print(line)) return kOk;
    }
    return kOk;
}

/// What is served under the UID now, in a sentence.
std::string served_now(const std::string& data, const Quarantined& one) {
    auto index = storage::open_index_of(data);
    if (!index) return index.error().message();
    auto found = (*index)->find_instance(one.sop_instance_uid);
    if (!found) return found.error().message();
    if (!*found) return "nothing";
    return fmt::format("{} bytes in volume {} at byte {}", (*found)->length, (*found)->volume,
                       (*found)->offset);
}

int show(const QuarantineOptions& options) {
    const auto data = data_of(options);
    if (!data) return kUsage;
    const auto one = storage::find_quarantined(*data, options.name);
    if (!one) return failed(one.error());
    print(fmt::format("file     {}/quarantine/{}", *data, one->name));
    print(fmt::format("kind     {}", kind_of(*one)));
    print(fmt::format("since    {}", time_of(*one)));
    print(fmt::format("length   {} bytes", one->bytes));
    if (one->kind != Quarantined::Kind::instance) return kOk;
    print(fmt::format("SOP      {}", one->sop_instance_uid.view()));
    print(fmt::format("served   {}", served_now(*data, *one)));
    return kOk;
}

int accept(const QuarantineOptions& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    const auto outcome = app::administration_of(loaded->configuration)->accept_quarantined(options.name);
    if (!outcome) return failed(outcome.error());
    print(*outcome == storage::IngestOutcome::conflict_replaced
              ? "served now; what was served before is in quarantine"
              : (*outcome == storage::IngestOutcome::stored ? "served now" : "was served already"));
    return kOk;
}

int drop(const QuarantineOptions& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    const auto dropped = app::administration_of(loaded->configuration)->drop_quarantined(options.name);
    return dropped ? kOk : failed(dropped.error());
}

void add(CLI::App& group, int& status, const char* name, const char* what,
         int (*run)(const QuarantineOptions&), bool of_one) {
    auto* command = group.add_subcommand(name, what);
    auto options = std::make_shared<QuarantineOptions>();
    options->configuration = add_configuration_options(*command, false);
    if (of_one) command->add_option("NAME", options->name, "As `list` shows it")->required();
    command->callback([options, run, &status] { status = run(*options); });
}

}  // namespace

void add_quarantine(CLI::App& app, int& status) {
    auto* group = app.add_subcommand("quarantine", "Decide about what is kept but not served");
    group->require_subcommand(1);
    add(*group, status, "list", "What is there: since when, size, kind, name", list, false);
    add(*group, status, "show", "One of them, and what is served in its place", show, true);
    add(*group, status, "accept", "Serve it; what was served until now goes to quarantine", accept, true);
    add(*group, status, "drop", "Remove it for good", drop, true);
    group->footer(
        "The node may be running. `sagitta dump` shows what is in a file of DATA/quarantine.\n\n"
        "Examples:\n"
        "  sagitta quarantine list --data /srv/dicom\n"
        "  sagitta quarantine accept --data /srv/dicom 1.2.3-0123456789abcdef0123456789abcdef.dcm");
}

}  // namespace sagitta::tools
