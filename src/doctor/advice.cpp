#include "doctor/advice.h"

#include <fmt/format.h>

#include "core/log.h"
#include "net/ul/abort.h"
#include "net/ul/reject.h"

namespace sagitta::doctor {

namespace {

std::string_view meaning(std::uint16_t code) {
    switch (code) {
        case 0x0110: return "processing failure";
        case 0x0122: return "SOP class not supported";
        case 0x0124: return "not authorized";
        case 0x0211: return "unrecognized operation";
        case 0x0213: return "resource limitation";
        case 0xa701: return "out of resources: cannot count the matches";
        case 0xa702: return "out of resources: cannot perform the sub-operations";
        case 0xa801: return "move destination unknown";
        case 0xa900: return "identifier does not match SOP class";
        case 0xb000: return "some sub-operations failed";
        case 0xfe00: return "cancelled";
        default: break;
    }
    if ((code & 0xff00) == 0xa700) return "out of resources";
    if ((code & 0xf000) == 0xc000) return "unable to process";
    if ((code & 0xf000) == 0xb000) return "warning";
    return code == 0 ? "success" : "failure";
}

}  // namespace

std::string in_words(const net::dimse::Outcome& outcome) {
    const auto code = net::dimse::code(outcome.status);
    std::string text = fmt::format("{:04X} {}", code, meaning(code));
    if (!outcome.error_comment.empty()) text += ": " + log::escaped(outcome.error_comment);
    for (const auto tag : outcome.offending_elements) text += " " + dicom::to_string(tag);
    return text;
}

void explain_resolve(Finding& finding, const Names& names) {
    finding.what = fmt::format("no address is known for the host '{}'", log::escaped(names.host));
    finding.advice.push_back(
        "Here: check the spelling, the name server or /etc/hosts, or give the address as a number.");
}

void explain_connect(Finding& finding, const Error& error, const Names& names) {
    finding.what = fmt::format("{}:{}: {}", log::escaped(names.host), names.port, error.message());
    if (error.code == Errc::refused) {
        finding.advice.push_back(fmt::format(
            "On the peer: start its DICOM service, or look up which port it listens on ({} is not it); a "
            "service "
            "that listens only on its own loopback address must be told to listen on the network.",
            names.port));
        return;
    }
    if (error.code == Errc::timeout) {
        finding.advice.push_back(
            fmt::format("Between: a firewall probably drops the connection. Let {} connect to {} port {}.",
                        names.local_address.empty() ? "this host" : names.local_address,
                        log::escaped(names.host), names.port));
        finding.advice.push_back("On the peer: check that the machine is switched on.");
        return;
    }
    finding.advice.push_back("Here: check the network and the route to this host.");
}

void explain_reject(Finding& finding, const net::ul::AssociateRj& rj, const Names& names) {
    finding.what = "association " + net::ul::describe(rj);
    const std::string from = names.local_address.empty() ? "this host" : names.local_address;
    switch (rj.source << 8 | rj.reason) {
        case 0x103:
            finding.advice.push_back(
                fmt::format("On the peer: it does not know our AE title {0}. Add {0} with {1} to its list of "
                            "known nodes.",
                            names.calling, from));
            finding.advice.push_back("Here: or call under an AE title that it knows, with --calling.");
            return;
        case 0x107:
            finding.advice.push_back(fmt::format(
                "Here: the peer does not answer to the name {}. Write the AE title of its own configuration "
                "before the @; upper and lower case count.",
                names.called));
            return;
        case 0x102:
            finding.advice.push_back(
                "On the peer: it knows no DICOM application context; it may serve another protocol.");
            return;
        case 0x202:
            finding.advice.push_back("On the peer: it does not speak version 1 of the protocol.");
            return;
        case 0x301:
        case 0x302:
            finding.advice.push_back(
                "Try again later: the peer has no room for another association just now.");
            finding.advice.push_back(
                "On the peer: raise the number of associations it takes, or end those that hang.");
            return;
        default: break;
    }
    finding.advice.push_back(fmt::format(
        "The peer gives no reason. On the peer: check that it knows {} at {}, that its own AE title is {}, "
        "whether it wants a user name (--user here), and what its log says about this moment.",
        names.calling, from, names.called));
}

void explain_speaker(Finding& finding, Speaker speaker, const Names& names) {
    const auto other = [&](std::string_view what) {
        finding.what =
            fmt::format("{} speaks at {}:{}, not DICOM", what, log::escaped(names.host), names.port);
        finding.advice.push_back(fmt::format(
            "Here: this is the port of {}. Ask for the peer's DICOM port (often 104 or 11112).", what));
    };
    switch (speaker) {
        case Speaker::http: return other("a web server (HTTP)");
        case Speaker::ssh: return other("a secure shell (SSH)");
        case Speaker::greets: return other("something that greets with text (mail, FTP …)");
        case Speaker::tls:
            finding.what = fmt::format("TLS speaks at {}:{}", log::escaped(names.host), names.port);
            finding.advice.push_back(
                "Here: if this is the peer's port for DICOM over TLS, connect with TLS; a web server "
                "(HTTPS) answers alike.");
            return;
        case Speaker::nobody:
            finding.what = "the peer took one connection and refuses the next";
            finding.advice.push_back("On the peer: its service may have ended; look into its log.");
            return;
        case Speaker::closes:
            finding.what = "the peer closes every connection at once";
            finding.advice.push_back(
                fmt::format("On the peer: allow the host {}; something there (a TCP wrapper, a list of "
                            "hosts, a proxy without "
                            "its server) hangs up before DICOM begins.",
                            names.local_address.empty() ? "of this program" : names.local_address));
            return;
        case Speaker::unknown: break;
    }
    finding.advice.push_back(
        "On the peer: something listens but does not answer a DICOM association request. Check that "
        "this is the port of its DICOM service, and its log.");
}

void explain_abort(Finding& finding, const net::ul::Abort& abort, const Names& names) {
    finding.what = net::ul::describe(abort) + " (the peer)";
    finding.advice.push_back(
        fmt::format("On the peer: its log says why it aborts when {} calls; it may want TLS, a user "
                    "name, or another host.",
                    names.calling));
}

void explain_status(Finding& finding, const net::dimse::Outcome& outcome, std::string_view service,
                    const Names& names) {
    finding.what = fmt::format("{} answers {}", service, in_words(outcome));
    const auto code = net::dimse::code(outcome.status);
    if (code == 0x0124) {
        finding.advice.push_back(fmt::format("On the peer: give {} the right to do this.", names.calling));
    } else if ((code & 0xff00) == 0xa700) {
        finding.advice.push_back(
            "On the peer: it lacks room or memory, or limits how much may be asked for at once.");
    } else {
        finding.advice.push_back("On the peer: its log says more about this failure.");
    }
}

}  // namespace sagitta::doctor
