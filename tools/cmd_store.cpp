#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include "codec/transcode_for.h"
#include "command.h"
#include "dicom/json.h"
#include "dicom/part10.h"
#include "file_payload.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "store_plan.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;

struct Options {
    PeerOptions peer;
    std::vector<std::string> paths;
    unsigned associations = 1;
    bool quiet = false;
    bool as_they_are = false;
};

/// What became of the files. Thread-safe.
class Tally {
public:
    Tally(const StorePlan& plan, bool json)
        : plan_(plan), json_(json), start_(std::chrono::steady_clock::now()) {}

    void sent(const FileToSend& file, const Outcome& outcome) {
        const std::scoped_lock lock(mutex_);
        if (outcome.status == Status::success) {
            ++sent_;
            bytes_ += file.data_set_bytes;
        } else if (net::dimse::is_warning(outcome.status)) {
            ++warnings_;
            bytes_ += file.data_set_bytes;
            tell(file.path, "warning", describe(outcome));
        } else {
            ++failed_;
            tell(file.path, "failed", describe(outcome));
        }
        show_progress();
    }

    void failed(const std::string& path, const std::string& why) {
        const std::scoped_lock lock(mutex_);
        ++failed_;
        tell(path, "failed", why);
    }

    /// Files that were not even tried, for one reason.
    void failed(std::uint64_t files, const std::string& why) {
        const std::scoped_lock lock(mutex_);
        failed_ += files;
        progress_.clear();
        complain(fmt::format("{} file{} not sent: {}", files, files == 1 ? "" : "s", why));
    }

    int finish() {
        const std::scoped_lock lock(mutex_);
        progress_.clear();
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        const auto rate = static_cast<std::uint64_t>(static_cast<double>(bytes_) / std::max(seconds, 1e-6));
        if (json_) {
            print(fmt::format(
                "{{\"sent\":{},\"warnings\":{},\"failed\":{},\"skipped\":{},\"bytes\":{},\"seconds\":{:.3f},"
                "\"files\":[{}]}}",
                sent_, warnings_, failed_, plan_.skipped, bytes_, seconds, told_));
        } else {
            print(fmt::format(
                "{} sent, {} with warnings, {} failed, {} skipped; {} in {:.1f} s, {}/s, {:.0f} files/s",
                sent_, warnings_, failed_, plan_.skipped, readable_bytes(bytes_), seconds,
                readable_bytes(rate), static_cast<double>(sent_ + warnings_) / std::max(seconds, 1e-6)));
        }
        return failed_ == 0 ? kOk : kFailed;
    }

private:
    void tell(const std::string& path, std::string_view what, const std::string& why) {
        progress_.clear();
        note(fmt::format("{}: {}: {}", what, path, why));
        if (!json_) return;
        told_ += told_.empty() ? "{\"path\":" : ",{\"path\":";
        dicom::append_json_string(path, told_);
        told_ += fmt::format(",\"result\":\"{}\",\"why\":", what);
        dicom::append_json_string(why, told_);
        told_ += '}';
    }

    void show_progress() {
        if (!progress_.is_due()) return;
        progress_.show(fmt::format("{} of {} files, {} of {}", sent_ + warnings_ + failed_,
                                   plan_.files.size(), readable_bytes(bytes_), readable_bytes(plan_.bytes)));
    }

    const StorePlan& plan_;
    bool json_;
    std::chrono::steady_clock::time_point start_;
    std::mutex mutex_;
    Progress progress_;
    std::uint64_t sent_ = 0;
    std::uint64_t warnings_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t bytes_ = 0;
    std::string told_;
};

/// The files of one round, handed to whichever association is free.
struct Round {
    std::vector<const FileToSend*> files;
    std::vector<net::scu::WantedContext> wanted;
    std::atomic<std::size_t> next{0};

    const FileToSend* take() {
        const auto n = next.fetch_add(1);
        return n < files.size() ? files[n] : nullptr;
    }
};

std::vector<std::string> accepted_syntaxes(const net::scu::Client& client, const dicom::Uid& sop_class_uid) {
    std::vector<std::string> syntaxes;
    for (const auto& context : client.contexts()) {
        if (context.abstract_syntax == sop_class_uid.view()) syntaxes.push_back(context.transfer_syntax);
    }
    return syntaxes;
}

Result<codec::EncodedDataSet> transcode_file_for(const std::string& path, const std::string& syntax,
                                                 const std::vector<std::string>& accepted) {
    const auto file = dicom::read_file(path);
    if (!file) return file.error();
    return codec::transcode_for(file->data_set, syntax, accepted);
}

std::string not_taken(const FileKind& kind) {
    const auto* sop_class = dicom::find_uid(kind.sop_class_uid.view());
    const auto* syntax = dicom::find_uid(kind.transfer_syntax_uid);
    return fmt::format("the node does not take {} in {}",
                       sop_class != nullptr ? sop_class->name : kind.sop_class_uid.view(),
                       syntax != nullptr ? syntax->name : std::string_view(kind.transfer_syntax_uid));
}

Task<void> send_payload(net::scu::Client& client, net::scu::StoreOperation operation,
                        net::dimse::Payload& payload, const FileToSend& file, Tally& tally) {
    const auto outcome = co_await client.store(std::move(operation), payload);
    if (outcome) {
        tally.sent(file, *outcome);
    } else {
        tally.failed(file.path, outcome.error().message());
    }
}

Task<void> send_one(net::scu::Client& client, const FileKind& kind, const FileToSend& file, bool transcode,
                    Tally& tally) {
    net::scu::StoreOperation operation;
    operation.sop_class_uid = kind.sop_class_uid;
    operation.sop_instance_uid = file.sop_instance_uid;
    operation.transfer_syntax_uid = kind.transfer_syntax_uid;
    if (client.context_for(kind.sop_class_uid.view(), kind.transfer_syntax_uid) != nullptr) {
        auto payload = FilePayload::open(file.path, file.data_set_offset, file.data_set_bytes);
        if (!payload) {
            tally.failed(file.path, payload.error().message());
            co_return;
        }
        co_await send_payload(client, std::move(operation), **payload, file, tally);
        co_return;
    }
    const auto accepted = accepted_syntaxes(client, kind.sop_class_uid);
    if (!transcode || accepted.empty()) {
        tally.failed(file.path, not_taken(kind));
        co_return;
    }
    const auto made = transcode_file_for(file.path, kind.transfer_syntax_uid, accepted);
    if (!made) {
        tally.failed(file.path, not_taken(kind) + "; " + made.error().message());
        co_return;
    }
    operation.transfer_syntax_uid = made->transfer_syntax_uid;
    net::dimse::MemoryPayload payload(made->bytes.span());
    co_await send_payload(client, std::move(operation), payload, file, tally);
}

// One association after the other until the files are gone: when one breaks, only the file on its
// way counts as failed. A node that cannot be reached ends it; whoever is left reports what is left.
Task<void> send_files(Caller caller, const StorePlan& plan, Round& round, bool transcode, Tally& tally) {
    const FileToSend* file = round.take();
    while (file != nullptr) {
        auto opened = co_await net::scu::Client::open(caller.address, caller.settings, round.wanted);
        if (!opened) {
            std::uint64_t left = 0;
            for (; file != nullptr; file = round.take()) ++left;
            tally.failed(left, opened.error().message());
            co_return;
        }
        auto& client = **opened;
        while (file != nullptr && client.is_open()) {
            co_await send_one(client, plan.kinds[file->kind], *file, transcode, tally);
            file = round.take();
        }
        if (client.is_open()) (void)co_await client.release();
    }
}

void send_round(const Caller& caller, const StorePlan& plan, KindRange range, const Options& options,
                Tally& tally) {
    const bool transcode = !options.as_they_are;
    Round round;
    round.wanted = wanted_contexts(plan, range, transcode);
    for (const auto& file : plan.files) {
        if (file.kind >= range.first && file.kind < range.last) round.files.push_back(&file);
    }
    const auto parallel = std::min<std::size_t>(options.associations, round.files.size());
    net::ul::IoThreads io(std::max<std::size_t>(1, parallel));
    std::vector<std::future<void>> running;
    for (std::size_t n = 0; n < parallel; ++n) {
        running.push_back(asio::co_spawn(
            io.next_executor(), send_files(caller, plan, round, transcode, tally), asio::use_future));
    }
    for (auto& one : running) one.get();
}

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    if (!caller) {
        complain("", caller.error());
        return kUsage;
    }
    const auto plan = make_store_plan(options.paths, [&options](std::string_view line) {
        if (!options.quiet) note(line);
    });
    Tally tally(plan, options.peer.json);
    for (const auto& error : plan.unreadable) tally.failed(error.message(), "cannot be read");
    if (plan.files.empty()) {
        complain("there is nothing to send");
        (void)tally.finish();
        return kFailed;
    }
    for (const auto range : split_kinds(plan)) send_round(*caller, plan, range, options, tally);
    return tally.finish();
}

}  // namespace

void add_store(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("store", "Send files to a node (C-STORE)");
    add_peer_options(*command, options->peer);
    command
        ->add_option("PATH", options->paths,
                     "Files, folders with all below them, DICOMDIRs with the files they refer to")
        ->required()
        ->type_name("");
    command
        ->add_option("-j,--associations", options->associations, "Associations at the same time (default 1)")
        ->type_name("N")
        ->check(CLI::Range(1u, 64u));
    command->add_flag("--as-they-are", options->as_they_are,
                      "Never transcode: files whose transfer syntax the node refuses fail");
    command->add_flag("-q,--quiet", options->quiet, "Do not name the files that are skipped");
    command->footer(
        "Data sets are sent as they are in the files. What the node does not take in its transfer syntax is\n"
        "transcoded without loss, in memory. Files that are not DICOM are skipped. Exit status 1 when any "
        "file failed, or is not "
        "where a DICOMDIR says.\n\n"
        "Examples:\n"
        "  sagitta store PACS@10.0.0.5:104 image.dcm\n"
        "  sagitta store PACS@10.0.0.5:104 -j 4 /media/cdrom\n"
        "  sagitta store PACS@10.0.0.5:104 /media/cdrom/DICOMDIR\n"
        "  sagitta store PACS@10.0.0.5:104 --json studies/ | jq .failed");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
