#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "command.h"
#include "dicom/generated/uids.h"
#include "dicom/json.h"
#include "dicom/transfer_syntax.h"
#include "mpps_archive.h"
#include "net/scu/normalized.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "step_attributes.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace uids = dicom::uids;
using net::scu::InstanceResponse;

enum class Operation : std::uint8_t { create, set, get };

struct Options {
    PeerOptions peer;
    std::string uid;
    std::string attributes_file;
    std::string worklist_file;
    std::string study;
    std::vector<std::string> sets;
    std::vector<std::string> performed;
    bool completed = false;
    bool discontinued = false;
};

Task<Result<InstanceResponse>> ask(Caller caller, Operation operation, net::scu::NormalizedOperation what) {
    net::scu::WantedContext wish;
    wish.sop_class_uid = what.sop_class_uid.str();
    wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                              std::string(dicom::implicit_vr_little_endian().uid)};
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) co_return std::move(opened).error();
    auto& client = **opened;
    Result<InstanceResponse> response = Error(Errc::cancelled, "nothing was asked");
    if (operation == Operation::create) {
        response = co_await net::scu::n_create(client, what);
    } else if (operation == Operation::set) {
        response = co_await net::scu::n_set(client, what);
    } else {
        std::vector<dicom::Tag> all;
        response =
            co_await net::scu::n_get(client, what.sop_class_uid, what.sop_instance_uid, std::move(all));
    }
    if (client.is_open()) (void)co_await client.release();
    co_return response;
}

int tell(const InstanceResponse& response, Operation operation, bool json) {
    const auto& outcome = response.outcome;
    const bool good = outcome.status == net::dimse::Status::success || net::dimse::is_warning(outcome.status);
    if (outcome.status != net::dimse::Status::success) complain("the node answers " + describe(outcome));
    std::string text;
    if (good && operation == Operation::get) {
        dicom::JsonOptions options;
        options.indent = json ? 0 : 2;
        dicom::append_json(response.attributes, text, options);
    } else if (json) {
        text = fmt::format(R"({{"status":"{:04X}","sop_instance_uid":"{}"}})",
                           net::dimse::code(outcome.status), response.sop_instance_uid.view());
    } else if (good && operation == Operation::create) {
        text = response.sop_instance_uid.str();
    }
    if (!text.empty()) print(text);
    return good ? kOk : kFailed;
}

Result<dicom::DataSet> attributes_of(const Options& options, Operation operation) {
    if (operation == Operation::create) {
        NewStep step;
        step.study_instance_uid = options.study;
        step.station_ae_title = options.peer.calling;
        step.sets = options.sets;
        step.attributes_file = options.attributes_file;
        step.worklist_file = options.worklist_file;
        return new_step(step);
    }
    StepChange change;
    if (options.completed) change.state = "COMPLETED";
    if (options.discontinued) change.state = "DISCONTINUED";
    change.sets = options.sets;
    change.attributes_file = options.attributes_file;
    change.performed = options.performed;
    return step_change(change);
}

int run(const Options& options, Operation operation) {
    auto caller = make_caller(options.peer);
    if (!caller) {
        complain("", caller.error());
        return kUsage;
    }
    net::scu::NormalizedOperation what;
    const bool reads = operation == Operation::get;
    what.sop_class_uid = *dicom::Uid::parse(reads ? uids::ModalityPerformedProcedureStepRetrieve
                                                  : uids::ModalityPerformedProcedureStep);
    const auto uid = options.uid.empty() ? dicom::Uid() : dicom::Uid::parse(options.uid);
    if (!uid) {
        complain("the step's name is no UID");
        return kUsage;
    }
    what.sop_instance_uid = *uid;
    if (!reads) {
        auto attributes = attributes_of(options, operation);
        if (!attributes) {
            complain("", attributes.error());
            return attributes.error().code == Errc::invalid_argument ? kUsage : kFailed;
        }
        what.data_set = std::move(*attributes);
        if (what.data_set.empty()) {
            complain("nothing is to be changed: give --completed, --discontinued, files or -s");
            return kUsage;
        }
    }
    net::ul::IoThreads io(1);
    auto response = io.run(ask(std::move(*caller), operation, std::move(what)));
    if (response) return tell(*response, operation, options.peer.json);
    complain("mpps", response.error());
    return kFailed;
}

void add_attribute_options(CLI::App& command, Options& options) {
    command.add_option("-s,--set", options.sets, "An attribute (repeatable)")
        ->type_name("PATH=VALUE")
        ->allow_extra_args(false);
    command.add_option("--attributes", options.attributes_file, "More attributes, from *.json or *.dcm")
        ->type_name("FILE");
}

void add_step_create(CLI::App& group, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand("create", "Tell a node that a step has begun (N-CREATE)");
    add_peer_options(*command, options->peer);
    add_attribute_options(*command, *options);
    command->add_option("--item", options->worklist_file, "The item of the worklist that is performed")
        ->type_name("FILE");
    command->add_option("--study", options->study, "Study Instance UID (else the item's, or a new one)")
        ->type_name("UID");
    command->add_option("--uid", options->uid, "SOP Instance UID of the step (else the node gives one)")
        ->type_name("UID");
    command->footer(
        "Prints the step's SOP Instance UID. What PS3.4 Table F.7.2-1 requires and nobody says is filled "
        "in.\n\n"
        "Examples:\n"
        "  sagitta mpps create RIS@10.0.0.5:104 --item today.json -s Modality=CT\n"
        "  sagitta mpps create RIS@10.0.0.5:104 --study 1.2.3 -s PatientID=4711 -s 'PatientName=Doe^Jane'");
    command->callback([options, &status] { status = run(*options, Operation::create); });
}

void add_step_set(CLI::App& group, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand("set", "Tell a node what has become of a step (N-SET)");
    add_peer_options(*command, options->peer);
    command->add_option("UID", options->uid, "The step's SOP Instance UID")->required()->type_name("");
    command->add_option("PATH", options->performed, "Files and folders of the instances that were made")
        ->type_name("");
    add_attribute_options(*command, *options);
    auto* completed = command->add_flag("--completed", options->completed, "It is COMPLETED, now");
    command->add_flag("--discontinued", options->discontinued, "It is DISCONTINUED, now")
        ->excludes(completed);
    command->footer(
        "Examples:\n"
        "  sagitta mpps set RIS@10.0.0.5:104 2.25.17 --completed series/\n"
        "  sagitta mpps set RIS@10.0.0.5:104 2.25.17 --discontinued -s 'PerformedSeriesSequence='");
    command->callback([options, &status] { status = run(*options, Operation::set); });
}

void add_step_get(CLI::App& group, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand("get", "Print a node's step as DICOM JSON (N-GET)");
    add_peer_options(*command, options->peer);
    command->add_option("UID", options->uid, "The step's SOP Instance UID")->required()->type_name("");
    command->callback([options, &status] { status = run(*options, Operation::get); });
}

}  // namespace

void add_mpps(CLI::App& app, int& status) {
    auto* group =
        app.add_subcommand("mpps", "Modality Performed Procedure Steps: report, list and show them");
    group->require_subcommand(1);
    add_step_create(*group, status);
    add_step_set(*group, status);
    add_step_get(*group, status);
    add_mpps_archive(*group, status);
}

}  // namespace sagitta::tools
