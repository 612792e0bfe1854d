// sagitta-load: asks a DICOM node for the same thing many times and prints what it saw as JSON.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>
#include <random>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "core/freed_memory.h"
#include "core/log.h"
#include "tests/bench/load_least.h"
#include "tests/bench/load_modes.h"
#include "tests/bench/load_sink.h"
#include "tests/bench/process_usage.h"

namespace {

using namespace sagitta;
using namespace sagitta::bench;

std::optional<net::scu::Address> parse_address(const std::string& text) {
    const auto at = text.find('@');
    const auto colon = text.rfind(':');
    if (at == std::string::npos || colon == std::string::npos || colon < at) return std::nullopt;
    const auto title = net::ul::AeTitle::parse(text.substr(0, at));
    const auto port = std::strtoul(text.c_str() + colon + 1, nullptr, 10);
    if (!title || port == 0 || port > 65535) return std::nullopt;
    net::scu::Address address;
    address.called = *title;
    address.host = text.substr(at + 1, colon - at - 1);
    address.port = static_cast<std::uint16_t>(port);
    return address;
}

double percentile(const std::vector<double>& sorted, double share) {
    if (sorted.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
    return sorted[at];
}

nlohmann::json to_json(const LoadSettings& settings, LoadResult& result) {
    auto& report = result.report;
    std::sort(report.latencies_ms.begin(), report.latencies_ms.end());
    const double seconds = std::max(result.seconds, 1e-9);
    nlohmann::json out;
    out["mode"] = settings.mode;
    out["associations"] = settings.associations;
    out["operations"] = report.operations;
    out["failures"] = report.failures;
    out["seconds"] = result.seconds;
    out["ops_per_s"] = static_cast<double>(report.operations) / seconds;
    out["mb_per_s"] = static_cast<double>(report.bytes) / 1e6 / seconds;
    out["bytes"] = report.bytes;
    out["matches"] = report.matches;
    out["p50_ms"] = percentile(report.latencies_ms, 0.50);
    out["p90_ms"] = percentile(report.latencies_ms, 0.90);
    out["p99_ms"] = percentile(report.latencies_ms, 0.99);
    out["max_ms"] = report.latencies_ms.empty() ? 0 : report.latencies_ms.back();
    out["run_id"] = settings.run_id;
    out["reasons"] = report.reasons;
    return out;
}

}  // namespace

int main(int count, char** words) {
    keep_freed_memory();
    LoadSettings settings;
    std::string peer, calling = "LOAD", pool_file;
    int pid = 0;
    CLI::App app(
        "Load for a DICOM node: store, find, get, move, echo, assoc (associate, echo, release), idle;\n"
        "sink listens on PORT itself and forgets what it is sent, until it is ended; least answers assoc\n"
        "with ready-made bytes: no server can do less");
    app.add_option("mode", settings.mode)
        ->required()
        ->check(CLI::IsMember({"store", "find", "get", "move", "echo", "assoc", "idle", "sink", "least"}));
    app.add_option("peer", peer, "AET@HOST:PORT")->required();
    app.add_option("--calling", calling, "our AE title");
    app.add_option("-a,--associations", settings.associations)->check(CLI::PositiveNumber);
    app.add_option("-n,--operations", settings.operations, "in all");
    app.add_option("--seconds", settings.seconds, "stop after so long");
    app.add_option("--threads", settings.threads)->check(CLI::PositiveNumber);
    app.add_option("--max-pdu", settings.max_pdu_bytes);
    app.add_option("--window", settings.window,
                   "C-STOREs of an association at the same time, if the peer agrees");
    app.add_option("--size", settings.object_bytes, "bytes of a synthetic object");
    app.add_option("--template", settings.template_file, "a Part 10 file to send under new UIDs instead");
    app.add_option("--images-per-series", settings.spread.images_per_series)->check(CLI::PositiveNumber);
    app.add_option("--series-per-study", settings.spread.series_per_study)->check(CLI::PositiveNumber);
    app.add_option("--studies-per-patient", settings.spread.studies_per_patient)->check(CLI::PositiveNumber);
    app.add_option("--run-id", settings.run_id, "the same UIDs again for the same number (default: random)");
    app.add_option("--first", settings.first_index, "number of the first object");
    app.add_option("--acked", settings.acked_file,
                   "write 'index sop series study crc32' of each acknowledged object");
    app.add_option("--level", settings.level);
    app.add_option("--model", settings.model)->check(CLI::IsMember({"study", "patient"}));
    app.add_option("-k,--key", settings.keys, "Keyword=value; {} becomes a nine-digit number below --pool");
    app.add_option("--pool", settings.pool)->check(CLI::PositiveNumber);
    app.add_option("--pool-file", pool_file,
                   "values for {}, one a line; for several keys with spaces between");
    app.add_option("--destination", settings.destination, "AE title for move");
    app.add_option("--pid", pid, "report processor time and memory of this process and its children");
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const auto address = parse_address(peer);
    const auto title = net::ul::AeTitle::parse(calling);
    if (!address || !title) {
        std::fprintf(stderr, "sagitta-load: a node is written AET@HOST:PORT\n");
        return 2;
    }
    settings.peer = *address;
    settings.calling = *title;
    if (settings.mode == "sink") return run_sink(settings);
    if (settings.mode == "least") return run_least(settings);
    if (settings.run_id == 0)
        settings.run_id = std::random_device()() * 4294967296ull + std::random_device()();
    if (std::ifstream file(pool_file); file) {
        for (std::string line; std::getline(file, line);) settings.pool_values.push_back(line);
    }
    log::set_level(log::Level::error);

    const auto before = usage_of(pid);
    auto result = run_load(settings);
    if (!result) {
        std::fprintf(stderr, "sagitta-load: %s\n", result.error().message().c_str());
        return 1;
    }
    auto out = to_json(settings, *result);
    if (pid != 0) {
        const auto after = usage_of(pid);
        const auto done = static_cast<double>(std::max<std::uint64_t>(1, result->report.operations));
        out["server_cpu_s"] = after.cpu_seconds - before.cpu_seconds;
        out["server_cpu_ms_per_op"] = (after.cpu_seconds - before.cpu_seconds) * 1000 / done;
        out["server_rss_mib"] = static_cast<double>(after.resident_bytes) / 1048576;
        out["server_peak_rss_mib"] = static_cast<double>(after.peak_resident_bytes) / 1048576;
    }
    if (!settings.acked_file.empty()) {
        std::ofstream acked(settings.acked_file);
        for (const auto& line : result->report.acked) acked << line << '\n';
    }
    std::printf("%s\n", out.dump(2).c_str());
    return result->report.failures == 0 ? 0 : 1;
}
