#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "command.h"
#include "configuration_options.h"
#include "storage/change_feed.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

constexpr std::uint64_t kAtOnce = 10'000;

struct EventsOptions {
    std::shared_ptr<ConfigurationOptions> configuration;
    std::uint64_t after = 0;
    std::uint64_t limit = 1000;
    bool json = false;
};

/// UIDs hold digits and dots only, so nothing needs to be escaped.
std::string line_of(const storage::Event& event, bool json) {
    if (!json) {
        return fmt::format("{}  {:9}  {}", event.number, to_string(event.kind), event.sop_instance_uid);
    }
    std::string text = fmt::format(R"({{"number":{},"kind":"{}","time":{},"sop_instance_uid":"{}")",
                                   event.number, to_string(event.kind), event.time, event.sop_instance_uid);
    if (!event.series_instance_uid.empty())
        text += fmt::format(R"(,"series_instance_uid":"{}")", event.series_instance_uid);
    if (!event.study_instance_uid.empty())
        text += fmt::format(R"(,"study_instance_uid":"{}")", event.study_instance_uid);
    return text + "}";
}

int run(const EventsOptions& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    auto index = storage::open_index_of(loaded->configuration.node.data);
    if (!index) {
        complain("", index.error());
        return kFailed;
    }
    auto after = options.after;
    for (auto left = options.limit; left != 0;) {
        auto events = (*index)->events(after, std::min(left, kAtOnce));
        if (!events) {
            complain("", events.error());
            return kFailed;
        }
        if (events->empty()) break;
        for (const auto& event : *events) {
            if (!print(line_of(event, options.json))) return kOk;
        }
        after = events->back().number;
        left -= events->size();
    }
    return kOk;
}

}  // namespace

void add_events(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("events", "What has happened in an archive, in order");
    auto options = std::make_shared<EventsOptions>();
    options->configuration = add_configuration_options(*command, false);
    command->add_option("--after", options->after, "Only events with greater numbers")->capture_default_str();
    command->add_option("--limit", options->limit, "At most so many")->capture_default_str();
    command->add_flag("--json", options->json, "A JSON object on each line");
    command->footer(
        "The node may be running. Ask again with the last number to get what has come since; numbers "
        "ascend,\n"
        "with gaps, and stay the same across restarts and `sagitta reindex`.\n\n"
        "Example:\n  sagitta events --data /srv/dicom --after 1099511628288 --json");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
