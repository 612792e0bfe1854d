#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "peer_options.h"
#include "store_plan.h"
#include "store_record.h"
#include "store_send.h"
#include "store_tally.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

struct Options {
    PeerOptions peer;
    std::vector<std::string> paths;
    unsigned associations = 1;
    std::uint16_t window = 16;
    std::string resume;
    bool quiet = false;
    bool as_they_are = false;
};

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    if (!caller) {
        complain("", caller.error());
        return kUsage;
    }
    caller->settings.operations_window = options.window;
    StoreRecord record;
    if (!options.resume.empty()) {
        if (auto opened = record.open(options.resume, options.peer.peer); !opened) {
            complain("", opened.error());
            return kUsage;
        }
    }
    const auto plan = make_store_plan(options.paths, [&options](std::string_view line) {
        if (!options.quiet) note(line);
    });
    Tally tally(plan, record, options.peer.json);
    for (const auto& error : plan.unreadable) tally.failed(error.message(), "cannot be read");
    if (plan.files.empty()) {
        complain("there is nothing to send");
        (void)tally.finish();
        return kFailed;
    }
    SendOptions sending;
    sending.associations = options.associations;
    sending.transcode = !options.as_they_are;
    for (const auto range : split_kinds(plan)) send_files(*caller, plan, range, sending, tally, record);
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
    command
        ->add_option(
            "--window", options->window,
            "C-STOREs on their way at the same time on each association, if the node agrees (default "
            "16); 1 does not ask for it")
        ->type_name("N")
        ->check(CLI::Range(1u, 1024u));
    command
        ->add_option(
            "--resume", options->resume,
            "Remember in FILE what was answered, and do not send again what it says the node has taken")
        ->type_name("FILE");
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
        "  sagitta store PACS@10.0.0.5:104 --resume sent.jsonl /archive/2023\n"
        "  sagitta store PACS@10.0.0.5:104 /media/cdrom/DICOMDIR\n"
        "  sagitta store PACS@10.0.0.5:104 --json studies/ | jq .failed");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
