#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "command.h"
#include "configuration_options.h"
#include "dicom/uid.h"
#include "dicom/value_text.h"
#include "storage/statistics.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

using storage::Heap;
using storage::Share;
using storage::Statistics;

struct StatsOptions {
    std::shared_ptr<ConfigurationOptions> configuration;
    bool json = false;
};

std::string time_of(std::int64_t seconds) {
    return fmt::format("{:%Y-%m-%d %H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string name_of(const std::string& uid) {
    const auto* known = dicom::find_uid(uid);
    return known != nullptr ? std::string(known->name) : uid;
}

nlohmann::ordered_json json_of(const Heap& heap) {
    return {{"count", heap.count}, {"bytes", heap.bytes}, {"on_disk", heap.on_disk}};
}

nlohmann::ordered_json json_of(const std::vector<Share>& shares, const char* key) {
    auto all = nlohmann::ordered_json::array();
    for (const auto& share : shares) {
        all.push_back({{key, share.value},
                       {"series", share.series},
                       {"instances", share.instances},
                       {"bytes", share.bytes}});
    }
    return all;
}

void print_json(const Statistics& all) {
    nlohmann::ordered_json json;
    json["patients"] = all.counts.patients;
    json["studies"] = all.counts.studies;
    json["series"] = all.counts.series;
    json["instances"] = all.counts.instances;
    json["bytes"] = all.counts.bytes;
    json["first_received"] = all.first_received;
    json["last_received"] = all.last_received;
    json["superseded"] = {{"count", all.superseded}, {"bytes", all.superseded_bytes}};
    json["deleted"] = {{"count", all.deleted}, {"bytes", all.deleted_bytes}};
    json["volumes"] = json_of(all.volumes);
    json["volumes"]["sealed"] = all.sealed_volumes;
    json["index"] = json_of(all.index);
    json["quarantine"] = json_of(all.quarantine);
    json["free_bytes"] = all.free_bytes;
    if (all.patrol) {
        json["patrol"] = {{"began", all.patrol->began},
                          {"under_way", all.patrol->is_under_way},
                          {"instances", all.patrol->instances},
                          {"damaged", all.patrol->damaged},
                          {"completed", all.patrol->completed},
                          {"completed_instances", all.patrol->completed_instances},
                          {"completed_damaged", all.patrol->completed_damaged}};
    }
    json["modalities"] = json_of(all.modalities, "modality");
    json["sop_classes"] = json_of(all.sop_classes, "uid");
    json["transfer_syntaxes"] = json_of(all.transfer_syntaxes, "uid");
    print(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_line(std::string_view what, std::uint64_t count, const std::string& more) {
    print(fmt::format("{:12} {:>12}  {}", what, count, more));
}

void print_heap(std::string_view what, const Heap& heap, const std::string& more = {}) {
    print_line(
        what, heap.count,
        fmt::format("{}, {} on disk{}", readable_bytes(heap.bytes), readable_bytes(heap.on_disk), more));
}

void print_shares(std::string_view what, const std::vector<Share>& shares, bool uids) {
    print("");
    print(fmt::format("{:50} {:>9} {:>11} {:>10}", what, "series", "instances", "bytes"));
    for (const auto& share : shares) {
        std::string name = uids ? name_of(share.value) : share.value;
        if (name.empty()) name = "(none)";
        const auto line = fmt::format("{:50} {:>9} {:>11} {:>10}", dicom::printable(name), share.series,
                                      share.instances, readable_bytes(share.bytes));
        if (!print(line)) return;
    }
}

void print_text(const Statistics& all) {
    print_line("patients", all.counts.patients, "");
    print_line("studies", all.counts.studies, "");
    print_line("series", all.counts.series, "");
    print_line("instances", all.counts.instances, readable_bytes(all.counts.bytes));
    if (all.superseded != 0) print_line("superseded", all.superseded, readable_bytes(all.superseded_bytes));
    if (all.deleted_bytes != 0)
        print_line("deleted", all.deleted, readable_bytes(all.deleted_bytes) + ", not yet purged");
    if (all.volumes.count != 0)
        print_heap("volumes", all.volumes, fmt::format(", {} sealed", all.sealed_volumes));
    print_heap("index", all.index);
    if (all.quarantine.count != 0) print_heap("quarantine", all.quarantine);
    if (all.last_received != 0) {
        print(fmt::format("{:12} {:>12}  {} to {}", "received", "", time_of(all.first_received),
                          time_of(all.last_received)));
    }
    print(fmt::format("{:12} {:>12}  {}", "free", "", readable_bytes(all.free_bytes)));
    if (all.patrol && all.patrol->completed != 0) {
        print_line(
            "read again", all.patrol->completed_instances,
            fmt::format("{} damaged, {}", all.patrol->completed_damaged, time_of(all.patrol->completed)));
    }
    if (all.patrol && all.patrol->is_under_way) {
        print_line("being read", all.patrol->instances,
                   fmt::format("{} damaged, since {}", all.patrol->damaged, time_of(all.patrol->began)));
    }
    if (all.counts.instances == 0) return;
    print_shares("modality", all.modalities, false);
    print_shares("SOP Class", all.sop_classes, true);
    print_shares("transfer syntax", all.transfer_syntaxes, true);
}

int run(const StatsOptions& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    const auto statistics = storage::statistics_of(loaded->configuration.node.data);
    if (!statistics) {
        complain("", statistics.error());
        return kFailed;
    }
    if (options.json)
        print_json(*statistics);
    else
        print_text(*statistics);
    return kOk;
}

}  // namespace

void add_stats(CLI::App& app, int& status) {
    auto* command = app.add_subcommand("stats", "How much an archive holds, of what, and what is free");
    auto options = std::make_shared<StatsOptions>();
    options->configuration = add_configuration_options(*command, false);
    command->add_flag("--json", options->json, "One JSON object");
    command->footer(
        "The node may be running. Bytes are those of the Part 10 files; what volumes take on disk is told\n"
        "beside them. Every row of the index is read: a second for each million instances, about.\n\n"
        "Example:\n  sagitta stats --data /srv/dicom");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
