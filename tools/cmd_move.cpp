#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct Options {
    PeerOptions peer;
    QueryOptions query;
    std::string to;
};

int tell(const net::scu::RetrieveReport& report, bool json) {
    const auto& counts = report.counts;
    const bool good = report.outcome.status == net::dimse::Status::success && counts.failed == 0;
    if (json) {
        print(fmt::format(
            "{{\"status\":\"{:04X}\",\"completed\":{},\"failed\":{},\"warning\":{},\"remaining\":{}}}",
            net::dimse::code(report.outcome.status), counts.completed, counts.failed, counts.warning,
            counts.remaining));
    } else if (good) {
        print(fmt::format("{}; {}", describe(report.outcome), describe(counts)));
    }
    if (!good) complain(fmt::format("move: {}; {}", describe(report.outcome), describe(counts)));
    return good ? kOk : kFailed;
}

Task<int> move(Caller caller, Query query, net::ul::AeTitle destination, bool json) {
    namespace uids = dicom::uids;
    const auto sop_class =
        *dicom::Uid::parse(query.patient_root ? uids::PatientRootQueryRetrieveInformationModelMove
                                              : uids::StudyRootQueryRetrieveInformationModelMove);
    net::scu::WantedContext wish;
    wish.sop_class_uid = sop_class.str();
    wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                              std::string(dicom::implicit_vr_little_endian().uid)};
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) {
        complain("move", opened.error());
        co_return kFailed;
    }
    auto& client = **opened;
    Progress progress;
    net::scu::OnProgress on_progress = [&progress](const net::dimse::SubOperationCounts& counts) {
        if (progress.is_due()) progress.show(describe(counts));
        return true;
    };
    auto report = co_await client.move(sop_class, query.identifier, destination, on_progress);
    progress.clear();
    if (!report) {
        complain("move", report.error());
        co_return kFailed;
    }
    (void)co_await client.release();
    co_return tell(*report, json);
}

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    auto query = make_query(options.query, {});
    const auto to = net::ul::AeTitle::parse(options.to);
    if (!caller || !query || !to) {
        if (!caller) complain("", caller.error());
        if (!query) complain("", query.error());
        if (!to) complain("--to: an AE title has 1 to 16 printable ASCII characters and no backslash");
        return kUsage;
    }
    net::ul::IoThreads io(1);
    return io.run(move(std::move(*caller), std::move(*query), *to, options.peer.json));
}

}  // namespace

void add_move(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("move", "Have a node send instances to another (C-MOVE)");
    add_peer_options(*command, options->peer);
    add_query_options(*command, options->query);
    command->add_option("--to", options->to, "AE title that the node sends to; it must know it")
        ->required()
        ->type_name("AET");
    command->footer(
        "The level follows from the unique keys given (SOPInstanceUID, SeriesInstanceUID, StudyInstanceUID,\n"
        "PatientID), unless --level says otherwise.\n\n"
        "Examples:\n"
        "  sagitta move PACS@10.0.0.5:104 --to WORKSTATION -k StudyInstanceUID=1.2.3\n"
        "  sagitta move PACS@10.0.0.5:104 --to AI -k StudyInstanceUID=1.2.3 -k SeriesInstanceUID=1.2.3.4");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
