#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include "app/administration.h"
#include "command.h"
#include "configuration_options.h"
#include "dicom/json.h"
#include "interrupt.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct Options {
    std::vector<std::string> paths;
    std::shared_ptr<ConfigurationOptions> configuration;
    unsigned threads = std::clamp(std::thread::hardware_concurrency(), 4u, 16u);
    bool json = false;
};

using Failures = std::vector<media::ImportFailure>;

void append_list(std::string& text, std::string_view name, const Failures& list) {
    text += fmt::format(",\"{}\":[", name);
    for (std::size_t n = 0; n < list.size(); ++n) {
        text += n == 0 ? "{\"path\":" : ",{\"path\":";
        dicom::append_json_string(list[n].path, text);
        text += ",\"reason\":";
        dicom::append_json_string(list[n].reason, text);
        text += '}';
    }
    text += ']';
}

void print_json(const media::ImportReport& report, double seconds) {
    auto text = fmt::format(
        "{{\"imported\":{},\"already_there\":{},\"conflicts\":{},\"passed_over\":{},\"failed\":{},"
        "\"bytes\":{},\"seconds\":{:.3f},\"interrupted\":{}",
        report.imported, report.already_there, report.conflicts, report.passed_over, report.failed,
        report.bytes, seconds, report.interrupted);
    append_list(text, "conflict_list", report.conflicting);
    append_list(text, "failure_list", report.failures);
    print(text + "}");
}

void print_text(const media::ImportReport& report, double seconds) {
    for (const auto& conflict : report.conflicting) {
        note(fmt::format("conflict {}: {}", conflict.path, conflict.reason));
    }
    for (const auto& failure : report.failures)
        note(fmt::format("failed {}: {}", failure.path, failure.reason));
    if (report.failed > report.failures.size()) {
        note(fmt::format("and {} more", report.failed - report.failures.size()));
    }
    print(
        fmt::format("{} imported ({}, {:.0f} per second), {} already there, {} conflicts, {} passed over, "
                    "{} failed{}",
                    report.imported, readable_bytes(report.bytes),
                    static_cast<double>(report.imported) / std::max(seconds, 0.001), report.already_there,
                    report.conflicts, report.passed_over, report.failed,
                    report.interrupted ? "; interrupted, run it again to go on" : ""));
}

/// A running node reads it, from another folder.
std::string absolute(const std::string& path) {
    std::error_code failed;
    const auto found = std::filesystem::absolute(path, failed);
    return failed ? path : found.string();
}

int run(const Options& options) {
    const auto loaded = read_configuration(*options.configuration);
    if (!loaded) return kUsage;
    umask(S_IWGRP | S_IRWXO);  // as the node does: patient data
    app::ImportOrder order;
    for (const auto& path : options.paths) order.paths.push_back(absolute(path));
    order.threads = options.threads;
    order.stop = &stop_on_interrupt();
    Progress progress;
    const auto started = std::chrono::steady_clock::now();
    const auto archive = app::administration_of(loaded->configuration);
    const auto report = archive->import(order, [&](const media::ImportReport& now) {
        if (!progress.is_due()) return;
        progress.show(fmt::format("{} imported, {} already there, {} passed over, {} failed", now.imported,
                                  now.already_there, now.passed_over, now.failed));
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    progress.clear();
    if (!report) {
        complain("import", report.error());
        return kFailed;
    }
    options.json ? print_json(*report, took.count()) : print_text(*report, took.count());
    return report->failed == 0 && !report->interrupted ? kOk : kFailed;
}

}  // namespace

void add_import(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("import", "Take objects from folders and files into an archive");
    command->add_option("PATH", options->paths, "Files, folders, tar, tar.gz or zip files, DICOMDIRs")
        ->required();
    options->configuration = add_configuration_options(*command, false);
    command->add_option("--threads", options->threads, "Files read at the same time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command->add_flag("--json", options->json, "The report as JSON");
    command->footer(
        "Beside a running node, which then reads the files. Folders are searched to the bottom; what is no "
        "DICOM\nis passed over and counted. The storage folders of Orthanc and dcmqrscp are folders like "
        "others. Of another\n"
        "Sagitta's data directory what it serves is taken. Doing it again imports only what is missing:\n"
        "after Ctrl-C, too. Exit status 1 when anything failed.\n\n"
        "Examples:\n"
        "  sagitta import --data /srv/dicom /media/cdrom studies.zip\n"
        "  sagitta import --data /srv/dicom --json /var/lib/orthanc/db-v6");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
