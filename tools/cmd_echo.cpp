#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "dicom/generated/uids.h"
#include "dicom/json.h"
#include "dicom/transfer_syntax.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Task<int> echo(Caller caller, bool json) {
    const auto start = Clock::now();
    net::scu::WantedContext wish;
    wish.sop_class_uid = std::string(dicom::uids::Verification);
    wish.transfer_syntaxes.emplace_back(dicom::implicit_vr_little_endian().uid);
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) {
        complain("echo", opened.error());
        co_return kFailed;
    }
    const double associated = milliseconds_since(start);
    auto& client = **opened;
    const auto outcome = co_await client.echo();
    if (!outcome) {
        complain("echo", outcome.error());
        co_return kFailed;
    }
    const double answered = milliseconds_since(start) - associated;
    (void)co_await client.release();
    const bool good = outcome->status == net::dimse::Status::success;
    if (json) {
        print(fmt::format("{{\"status\":\"{:04X}\",\"association_ms\":{:.3f},\"echo_ms\":{:.3f}}}",
                          net::dimse::code(outcome->status), associated, answered));
    } else if (good) {
        print(fmt::format("{} answers (association {:.1f} ms, echo {:.1f} ms)", caller.address.called.view(),
                          associated, answered));
    } else {
        complain("echo: " + describe(*outcome));
    }
    co_return good ? kOk : kFailed;
}

int run(const PeerOptions& options) {
    auto caller = make_caller(options);
    if (!caller) {
        complain("", caller.error());
        return kUsage;
    }
    net::ul::IoThreads io(1);
    return io.run(echo(std::move(*caller), options.json));
}

}  // namespace

void add_echo(CLI::App& app, int& status) {
    auto options = std::make_shared<PeerOptions>();
    auto* command = app.add_subcommand("echo", "Ask a node whether it is there (C-ECHO)");
    add_peer_options(*command, *options);
    command->footer(
        "Examples:\n"
        "  sagitta echo PACS@10.0.0.5:104\n"
        "  sagitta echo PACS@pacs.example.org:11112 --calling WORKSTATION --timeout 5s");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
