#include "peer_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "app/configuration.h"
#include "app/peer_address.h"
#include "app/units.h"
#include "core/log.h"
#include "dicom/generated/tags.h"
#include "keys.h"
#include "terminal.h"
#include "trace/trace_folder.h"

namespace sagitta::tools {
namespace {

std::string_view meaning(std::uint16_t code) {
    switch (code) {
        case 0x0000: return "success";
        case 0x0001: return "requested optional attributes are not supported";
        case 0x0105: return "no such attribute";
        case 0x0106: return "invalid attribute value";
        case 0x0107: return "attribute list error";
        case 0x0110: return "processing failure";
        case 0x0111: return "duplicate SOP instance";
        case 0x0112: return "no such SOP instance";
        case 0x0115: return "invalid argument value";
        case 0x0117: return "invalid SOP instance";
        case 0x0118: return "no such SOP class";
        case 0x0120: return "missing attribute";
        case 0x0121: return "missing attribute value";
        case 0x0122: return "SOP class not supported";
        case 0x0124: return "not authorized";
        case 0x0210: return "duplicate invocation";
        case 0x0211: return "unrecognized operation";
        case 0x0212: return "mistyped argument";
        case 0x0213: return "resource limitation";
        case 0xa701: return "out of resources: unable to calculate number of matches";
        case 0xa702: return "out of resources: unable to perform sub-operations";
        case 0xa801: return "move destination unknown";
        case 0xa900: return "data set does not match SOP class";
        case 0xb000: return "coerced, or some sub-operations failed";
        case 0xb006: return "elements discarded";
        case 0xb007: return "data set does not match SOP class";
        case 0xfe00: return "cancelled";
        default: break;
    }
    if ((code & 0xff00) == 0xa700) return "out of resources";
    if ((code & 0xff00) == 0xa900) return "data set does not match SOP class";
    if ((code & 0xf000) == 0xc000) return "cannot understand or unable to process";
    if ((code & 0xf000) == 0xb000) return "warning";
    return "failure";
}

}  // namespace

void add_peer_options(CLI::App& command, PeerOptions& options) {
    command.add_option("PEER", options.peer, "The remote node, AET@HOST:PORT")->required()->type_name("");
    command.add_option("--calling", options.calling, "Our AE title (default SAGITTA)")->type_name("AET");
    command
        .add_option("--timeout", options.timeout,
                    "How long to wait for an answer, or for the node to take what is sent (default 60s)")
        ->type_name("TIME");
    command.add_option("--user", options.user, "User name to state (PS3.7 D.3.3.7)")->type_name("NAME");
    command
        .add_option("--passcode-file", options.passcode_file,
                    "File whose first line is the user's passcode (only with --user)")
        ->type_name("FILE");
    command
        .add_option("--trace", options.trace_folder,
                    "Write what goes over each association into this folder, values masked")
        ->type_name("DIR");
    command.add_flag("--json", options.json, "Print JSON");
    command.add_flag("--tls", options.tls, "Call by TLS (PS3.15 B.12)");
    command.add_option("--tls-ca", options.tls_ca, "Certificates to believe, PEM (default: the system's)")
        ->type_name("FILE");
    command.add_option("--tls-cert", options.tls_certificate, "Our certificate, PEM")->type_name("FILE");
    command.add_option("--tls-key", options.tls_key, "Our certificate's key, PEM")->type_name("FILE");
    command
        .add_option("--tls-peer", options.tls_peer,
                    "Who the peer must be: a name in its certificate, or sha256:… (default: its host)")
        ->type_name("NAME");
    command.add_flag("--tls-insecure", options.tls_insecure, "Do not check who the peer is");
}

namespace {

constexpr std::size_t kLongestUserField = 0xffff;  // of 16-bit lengths

/// Nothing when no user is stated.
Result<std::optional<net::ul::UserIdentityRq>> make_user_identity(const PeerOptions& options) {
    if (options.user.empty()) {
        if (options.passcode_file.empty()) return std::optional<net::ul::UserIdentityRq>();
        return Error(Errc::invalid_argument, "--passcode-file needs --user");
    }
    net::ul::UserIdentityRq identity;
    identity.primary = options.user;
    if (!options.passcode_file.empty()) {
        std::ifstream file(options.passcode_file, std::ios::binary);
        if (!file) return Error(Errc::not_found, "--passcode-file: cannot be read");
        std::getline(file, identity.secondary);
        if (identity.secondary.ends_with('\r')) identity.secondary.pop_back();
        identity.type = 2;
    }
    if (identity.primary.size() > kLongestUserField || identity.secondary.size() > kLongestUserField)
        return Error(Errc::invalid_argument, "--user, --passcode-file: longer than 65535 bytes");
    return std::optional(std::move(identity));
}

/// Null when TLS was not asked for.
Result<std::shared_ptr<const net::ul::TlsContext>> make_tls(const PeerOptions& options) {
    const bool named = !options.tls_ca.empty() || !options.tls_certificate.empty() ||
                       !options.tls_key.empty() || !options.tls_peer.empty() || options.tls_insecure;
    if (!options.tls) {
        if (named) return Error(Errc::invalid_argument, "options of TLS need --tls");
        return std::shared_ptr<const net::ul::TlsContext>();
    }
    if (options.tls_insecure && !options.tls_peer.empty())
        return Error(Errc::invalid_argument, "--tls-peer and --tls-insecure exclude each other");
    net::ul::TlsSettings settings;
    settings.ca = options.tls_ca;
    settings.certificate = options.tls_certificate;
    settings.key = options.tls_key;
    settings.verify_peer = !options.tls_insecure;
    auto context = net::ul::TlsContext::for_requestor(settings);
    if (!context) return std::move(context).error().within("--tls");
    if (options.tls_insecure) note("warning: --tls-insecure: whoever answers is believed");
    for (const auto& warning : (*context)->warnings()) note("warning: --tls-cert: " + warning);
    return context;
}

}  // namespace

Result<Caller> make_caller(const PeerOptions& options) {
    auto address = app::parse_peer_address(options.peer);
    if (!address) return std::move(address).error();
    const auto calling = net::ul::AeTitle::parse(options.calling);
    if (!calling) {
        return Error(Errc::invalid_argument,
                     "--calling: an AE title has 1 to 16 printable ASCII characters and no backslash");
    }
    const auto timeout = app::parse_duration(options.timeout);
    if (!timeout) return Error(timeout.error()).within("--timeout");
    auto user = make_user_identity(options);
    if (!user) return std::move(user).error();
    auto tls = make_tls(options);
    if (!tls) return std::move(tls).error();
    Caller caller;
    caller.address.tls = std::move(*tls);
    caller.address.tls_identity = options.tls_peer;
    caller.settings.user_identity = std::move(*user);
    caller.address.called = address->ae_title;
    caller.address.host = address->host;
    caller.address.port = address->port;
    caller.settings.calling = *calling;
    caller.settings.response_timeout = *timeout;
    auto& association = caller.settings.association;
    association.idle_timeout = *timeout;
    association.write_timeout = *timeout;
    association.rate_window = *timeout;
    association.min_bytes_per_second = app::Limits().min_rate;
    association.connect_timeout = std::min<net::ul::Duration>(association.connect_timeout, *timeout);
    association.artim_timeout = std::min<net::ul::Duration>(association.artim_timeout, *timeout);
    if (!options.trace_folder.empty()) {
        auto opened = trace::TraceFolder::open(options.trace_folder);
        if (!opened) return std::move(opened).error().within("--trace");
        caller.trace = std::move(*opened);
        caller.settings.association.observers = caller.trace.get();
    }
    return caller;
}

void add_query_options(CLI::App& command, QueryOptions& options) {
    command
        .add_option("-k,--key", options.keys,
                    "Match Keyword=value, or return Keyword (repeatable; tags work too)")
        ->type_name("KEYWORD[=VALUE]")
        ->allow_extra_args(false);
    command.add_option("--level", options.level, "patient, study, series or image")->type_name("LEVEL");
    command
        .add_option("--model", options.model,
                    "Information model: study (default) or patient; of find also worklist")
        ->type_name("MODEL");
}

Result<Query> make_query(const QueryOptions& options, const std::string& default_level) {
    auto identifier = make_identifier(options.keys);
    if (!identifier) return std::move(identifier).error();
    Query query;
    query.identifier = std::move(*identifier);
    query.worklist = options.model == "worklist";
    if (query.worklist) {
        if (default_level.empty()) return Error(Errc::invalid_argument, "--model is study or patient");
        if (!options.level.empty()) return Error(Errc::invalid_argument, "a worklist has no --level");
        return query;
    }
    query.level = options.level.empty() ? default_level : level_name(options.level);
    if (options.level.empty() && query.level.empty()) query.level = deepest_level(query.identifier);
    if (query.level.empty()) {
        return Error(Errc::invalid_argument,
                     options.level.empty()
                         ? "nothing says which level is meant: give -k StudyInstanceUID=… or --level"
                         : fmt::format("--level '{}' is none of patient, study, series, image",
                                       log::escaped(options.level)));
    }
    if (!options.model.empty() && options.model != "study" && options.model != "patient") {
        return Error(Errc::invalid_argument, "--model is study, patient or, of find, worklist");
    }
    query.patient_root = options.model == "patient" || (options.model.empty() && query.level == "PATIENT");
    query.identifier.set_text(dicom::tags::QueryRetrieveLevel, dicom::Vr::CS, query.level);
    return query;
}

std::string describe(const net::dimse::Outcome& outcome) {
    const auto code = net::dimse::code(outcome.status);
    std::string text = fmt::format("{:04X} {}", code, meaning(code));
    if (!outcome.error_comment.empty()) text += ": " + log::escaped(outcome.error_comment);
    for (const auto tag : outcome.offending_elements) text += " " + dicom::to_string(tag);
    return text;
}

std::string describe(const net::dimse::SubOperationCounts& counts) {
    return fmt::format("{} done, {} failed, {} with warnings, {} to come", counts.completed, counts.failed,
                       counts.warning, counts.remaining);
}

}  // namespace sagitta::tools
