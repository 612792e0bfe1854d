#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "core/log.h"
#include "doctor/examine.h"
#include "doctor_report.h"
#include "peer_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct Options {
    PeerOptions peer;
    std::vector<std::string> skip;
    std::uint16_t receive_port = 0;
    bool store = false;
};

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    if (!caller) {
        complain("", caller.error());
        return kUsage;
    }
    doctor::Examination examination;
    examination.peer = caller->address;
    examination.settings = caller->settings;
    examination.store = options.store;
    examination.receive_port = options.receive_port;
    for (const auto& step : options.skip) {
        if (!doctor::step_names().contains(step)) {
            complain(fmt::format("--skip: '{}' is none of services, storage, query, move, get",
                                 log::escaped(step)));
            return kUsage;
        }
        examination.skip.insert(step);
    }
    Progress progress;
    examination.progress = [&progress](std::string_view line) {
        if (progress.is_due()) progress.show(line);
    };
    log::set_level(log::Level::off);  // the findings say it
    const auto findings = doctor::examine(examination);
    progress.clear();
    if (options.peer.json) {
        print_findings_json(findings);
    } else {
        print_findings(findings);
    }
    return findings.good() ? kOk : kFailed;
}

}  // namespace

void add_doctor(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("doctor", "Find out what works with a node, and what to change where");
    add_peer_options(*command, options->peer);
    command
        ->add_option("--receive-port", options->receive_port,
                     "Where the node's C-MOVE to us is to arrive (default: a free port)")
        ->type_name("PORT");
    command
        ->add_option("--skip", options->skip, "Leave out services, storage, query, move or get (repeatable)")
        ->type_name("STEP")
        ->allow_extra_args(false);
    command->add_flag("--store", options->store, "Also send one synthetic object, which stays there");
    command->footer(
        "Tries in turn: the host's name, the port, an association, C-ECHO; what is offered: every service, "
        "and\n"
        "every storage SOP class in every transfer syntax; a query and its C-CANCEL; C-MOVE of one instance "
        "to\n"
        "us, C-GET of one. Nothing is stored there or here, and nothing about patients is printed. For the\n"
        "C-MOVE the node must know our AE title with this host and --receive-port.\n\n"
        "Examples:\n"
        "  sagitta doctor PACS@10.0.0.5:104 --calling WORKSTATION\n"
        "  sagitta doctor PACS@10.0.0.5:104 --receive-port 11113 --store\n"
        "  sagitta doctor MWL@10.0.0.6:104 --skip storage --json | jq .steps");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
