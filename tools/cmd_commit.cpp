#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "app/units.h"
#include "command.h"
#include "dicom/generated/uids.h"
#include "dicom/json.h"
#include "dicom/transfer_syntax.h"
#include "net/dimse/server.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "service/commitment.h"
#include "store_plan.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace uids = dicom::uids;

struct Options {
    PeerOptions peer;
    std::vector<std::string> paths;
    std::string wait = "60s";
    std::uint16_t listen = 0;
};

/// Takes reports that come on associations of their own; the first that is meant ends the wait.
class Listener final : public net::dimse::AssociationGate, public net::dimse::EventHandler {
public:
    Listener(net::ul::IoThreads& io, net::ul::AeTitle ours, std::uint16_t port, std::string transaction)
        : ours_(ours), transaction_(std::move(transaction)), server_(io, settings(port), handlers()) {}
    ~Listener() override { server_.stop(std::chrono::milliseconds(0)); }

    Result<void> start() { return server_.start(); }

    /// Nothing when none has come in time.
    std::optional<service::CommitmentReport> wait(std::chrono::milliseconds patience) {
        auto report = found_.get_future();
        if (report.wait_for(patience) != std::future_status::ready) return std::nullopt;
        // The answer to the report is still to leave.
        server_.stop(std::chrono::seconds(5));
        return report.get();
    }

    std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> admit(
        const net::dimse::AssociationInfo& info) override {
        if (info.called != ours_)
            return net::ul::Rejection{net::ul::RejectReason::called_ae_title_not_recognized,
                                      "not our AE title"};
        net::ul::NegotiationPolicy policy;
        policy.accept_storage = policy.accept_find = policy.accept_move = policy.accept_get = false;
        policy.accept_commitment = false;
        policy.accept_commitment_reports = true;
        return policy;
    }
    void closed(const net::dimse::AssociationInfo&) override {}

    Task<net::dimse::Outcome> event(const net::dimse::AssociationInfo&,
                                    net::dimse::NormalizedRequest request) override {
        using net::dimse::Outcome;
        using net::dimse::Status;
        auto report = service::read_commitment_report(request);
        if (!report) co_return Outcome(Status::invalid_argument_value, report.error().message());
        const std::lock_guard lock(mutex_);
        if (report->transaction_uid != transaction_ || taken_)
            co_return Outcome(Status::processing_failure, "no such transaction");
        taken_ = true;
        found_.set_value(std::move(*report));
        co_return Outcome();
    }

private:
    static net::dimse::ServerSettings settings(std::uint16_t port) {
        net::dimse::ServerSettings settings;
        settings.listener.bind_address = "0.0.0.0";
        settings.listener.port = port;
        return settings;
    }
    net::dimse::Handlers handlers() {
        net::dimse::Handlers handlers;
        handlers.gate = this;
        handlers.event = this;
        return handlers;
    }

    net::ul::AeTitle ours_;
    std::string transaction_;
    std::mutex mutex_;
    bool taken_ = false;
    std::promise<service::CommitmentReport> found_;
    net::dimse::Server server_;
};

std::string_view meaning(std::uint16_t reason) {
    switch (reason) {
        case 0x0110: return "processing failure";
        case 0x0112: return "no such object instance";
        case 0x0119: return "stored under another SOP class";
        case 0x0122: return "SOP class not supported";
        case 0x0131: return "duplicate transaction UID";
        case 0x0213: return "resource limitation";
        default: return "failed";
    }
}

int tell(const StorePlan& plan, const service::CommitmentReport& report, bool json) {
    std::map<std::string_view, std::uint16_t> reasons;
    for (const auto& one : report.results) reasons[one.reference.sop_instance_uid] = one.failure_reason;
    std::size_t committed = 0;
    std::string failed;
    for (const auto& file : plan.files) {
        const auto found = reasons.find(file.sop_instance_uid.view());
        if (found != reasons.end() && found->second == 0) {
            ++committed;
            continue;
        }
        const std::string why = found == reasons.end()
                                    ? "not mentioned in the report"
                                    : fmt::format("{:04X} {}", found->second, meaning(found->second));
        if (!json) note(fmt::format("{}: not committed: {}", file.path, why));
        failed += failed.empty() ? "{\"path\":" : ",{\"path\":";
        dicom::append_json_string(file.path, failed);
        failed += ",\"why\":";
        dicom::append_json_string(why, failed);
        failed += '}';
    }
    if (json) {
        print(fmt::format("{{\"committed\":{},\"failed\":[{}]}}", committed, failed));
    } else {
        print(fmt::format("{} of {} committed", committed, plan.files.size()));
    }
    return committed == plan.files.size() ? kOk : kFailed;
}

storage::CommitmentRequest request_for(const StorePlan& plan) {
    storage::CommitmentRequest request;
    request.transaction_uid = dicom::Uid::generate().str();
    for (const auto& file : plan.files)
        request.references.push_back(
            {plan.kinds[file.kind].sop_class_uid.str(), file.sop_instance_uid.str()});
    return request;
}

/// Asks, and unless `patience` is zero waits for the report on the same association.
Task<Result<std::optional<service::CommitmentReport>>> ask(Caller caller, storage::CommitmentRequest request,
                                                           std::chrono::milliseconds patience) {
    net::scu::WantedContext wish;
    wish.sop_class_uid = std::string(uids::StorageCommitmentPushModel);
    wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                              std::string(dicom::implicit_vr_little_endian().uid)};
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) co_return std::move(opened).error();
    auto& client = **opened;
    net::scu::NormalizedOperation operation;
    operation.sop_class_uid = *dicom::Uid::parse(uids::StorageCommitmentPushModel);
    operation.sop_instance_uid = *dicom::Uid::parse(uids::StorageCommitmentPushModelInstance);
    operation.type_id = 1;
    operation.data_set = service::commitment_request(request);
    auto outcome = co_await client.action(operation);
    if (!outcome) co_return std::move(outcome).error();
    if (outcome->status != net::dimse::Status::success)
        co_return Error(Errc::refused, "the node answers " + describe(*outcome));
    std::optional<service::CommitmentReport> answer;
    if (patience != std::chrono::milliseconds(0)) {
        auto event = co_await client.await_report(patience);
        if (!event) co_return std::move(event).error().within("no report on this association (try --listen)");
        auto report = service::read_commitment_report(*event);
        if (!report) co_return std::move(report).error();
        if (report->transaction_uid != request.transaction_uid)
            co_return Error(Errc::protocol_error, "the report is about another transaction");
        answer = std::move(*report);
    }
    (void)co_await client.release();
    co_return answer;
}

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    const auto wait = app::parse_duration(options.wait);
    if (!caller || !wait) {
        if (!caller) complain("", caller.error());
        if (!wait) complain("--wait", wait.error());
        return kUsage;
    }
    const auto plan = make_store_plan(options.paths, [](std::string_view line) { note(line); });
    for (const auto& error : plan.unreadable) complain("", error);
    if (plan.files.empty()) {
        complain("there is nothing to ask about");
        return kFailed;
    }
    const auto request = request_for(plan);
    const bool listens = options.listen != 0;
    net::ul::IoThreads io(2);
    std::optional<Listener> listener;
    if (listens) {
        listener.emplace(io, caller->settings.calling, options.listen, request.transaction_uid);
        if (auto started = listener->start(); !started) {
            complain("commit", started.error());
            return kFailed;
        }
    }
    auto answer = io.run(ask(std::move(*caller), request, listens ? std::chrono::milliseconds(0) : *wait));
    if (!answer) {
        complain("commit", answer.error());
        return kFailed;
    }
    if (listens) *answer = listener->wait(*wait);
    if (!*answer) {
        complain("commit: no report in time");
        return kFailed;
    }
    const int status = tell(plan, **answer, options.peer.json);
    return plan.unreadable.empty() ? status : kFailed;
}

}  // namespace

void add_commit(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("commit", "Ask a node to take responsibility for instances");
    add_peer_options(*command, options->peer);
    command->add_option("PATH", options->paths, "Files, folders, DICOMDIRs: what was sent")
        ->required()
        ->type_name("");
    command->add_option("--wait", options->wait, "How long to wait for the report (default 60s)")
        ->type_name("TIME");
    command
        ->add_option("--listen", options->listen,
                     "Take the report on an association that the node opens to this port, as --calling")
        ->type_name("PORT")
        ->check(CLI::Range(1u, 65535u));
    command->footer(
        "Storage Commitment (PS3.4 Annex J). Exit status 0 when the node has committed to every file.\n\n"
        "Examples:\n"
        "  sagitta commit PACS@10.0.0.5:104 studies/\n"
        "  sagitta commit PACS@10.0.0.5:104 --calling GATEWAY --listen 11113 image.dcm");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
