#include "app/configuration_report.h"

#include <string_view>

#include <fmt/format.h>

#include "app/access_rules.h"
#include "app/peer_address.h"
#include "app/units.h"
#include "dicom/dictionary.h"

namespace sagitta::app {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.append("\\").append(1, c);
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out += '"';
}

std::vector<std::string_view> words(const Rights& rights) {
    std::vector<std::string_view> list;
    if (rights.echo) list.emplace_back("echo");
    if (rights.store) list.emplace_back("store");
    if (rights.find) list.emplace_back("find");
    if (rights.move) list.emplace_back("move");
    if (rights.get) list.emplace_back("get");
    if (rights.commit) list.emplace_back("commit");
    if (rights.mpps) list.emplace_back("mpps");
    return list;
}

std::string joined(const std::vector<std::string_view>& list, std::string_view quote) {
    std::string text;
    for (const auto word : list)
        text.append(text.empty() ? "" : ", ").append(quote).append(word).append(quote);
    return text;
}

std::string_view level_word(log::Level level) {
    constexpr std::string_view kWords[] = {"trace", "debug", "info", "warning", "error", "off"};
    return kWords[static_cast<std::size_t>(level)];
}

std::string_view extension_word(Extension extension) {
    constexpr std::string_view kWords[] = {"never", "negotiated", "always"};
    return kWords[static_cast<std::size_t>(extension)];
}

void limits(const Limits& limits, std::string& out) {
    const auto number = [&](std::string_view key, std::uint64_t value) {
        out += fmt::format("{} = {}\n", key, value);
    };
    const auto size = [&](std::string_view key, std::uint64_t value) {
        out += fmt::format("{} = \"{}\"\n", key, size_text(value));
    };
    const auto duration = [&](std::string_view key, std::chrono::milliseconds value) {
        out += fmt::format("{} = \"{}\"\n", key, duration_text(value));
    };
    out += "\n[limits]\n";
    number("associations", limits.associations);
    number("associations_per_peer", limits.associations_per_peer);
    size("max_pdu", limits.max_pdu);
    number("operations_window", limits.operations_window);
    number("associations_to_peer", limits.associations_to_peer);
    duration("keep_associations", limits.keep_associations);
    size("max_object", limits.max_object);
    duration("idle_timeout", limits.idle_timeout);
    size("min_rate", limits.min_rate);
    duration("rate_window", limits.rate_window);
    duration("artim_timeout", limits.artim_timeout);
    duration("response_timeout", limits.response_timeout);
    duration("shutdown_grace", limits.shutdown_grace);
    number("max_matches", limits.max_matches);
    number("sequence_depth", limits.sequence_depth);
    number("silent_connections", limits.silent_connections);
    duration("silent_grace", limits.silent_grace);
}

std::string tls(const TlsConfiguration& tls) {
    return fmt::format(
        "\n[tls]\ncertificate = {}\nkey = {}\nca = {}\nbind = {}\nport = {}\nplain = {}\n"
        "require_client_certificate = {}\nmin_version = \"{}\"\n",
        quoted(tls.certificate), quoted(tls.key), quoted(tls.ca), quoted(tls.bind), tls.port, tls.plain,
        tls.require_client_certificate, tls.only_tls_1_3 ? "1.3" : "1.2");
}

void explain_tls(const Configuration& c, std::vector<std::string>& lines) {
    if (!listens_for_tls(c)) return;
    const auto& tls = c.tls;
    lines.push_back(fmt::format("listens for TLS {} on {} port {}; {}",
                                tls.only_tls_1_3 ? "1.3" : "1.2 and 1.3", tls_bind(c), tls.port,
                                tls.require_client_certificate
                                    ? "who comes must show a certificate that tls.ca stands behind"
                                : tls.ca.empty() ? "nobody is asked for a certificate"
                                                 : "a certificate is checked when there is one"));
    for (const auto& peer : c.peers) {
        if (peer.certificate.empty()) continue;
        lines.push_back(fmt::format("nobody is {} without the certificate of {}",
                                    peer.address.ae_title.view(), peer.certificate));
    }
}

}  // namespace

std::string to_toml(const Configuration& c) {
    std::string out = fmt::format(
        "[node]\nae_title = {}\nbind = {}\nport = {}\ndata = {}\npromiscuous = {}\n"
        "require_user = {}\n",
        quoted(c.node.ae_title.view()), quoted(c.node.bind), c.node.port, quoted(c.node.data),
        c.node.promiscuous, c.node.require_user);
    out += tls(c.tls);
    for (const auto& peer : c.peers) {
        out += fmt::format("\n[[peer]]\naddress = {}\nallow = [{}]\n", quoted(to_string(peer.address)),
                           joined(words(peer.rights), "\""));
        if (!peer.deidentify.empty()) out += fmt::format("deidentify = {}\n", quoted(peer.deidentify));
        if (peer.notify) out += "notify = true\n";
        if (peer.tls) out += "tls = true\n";
        if (!peer.certificate.empty()) out += fmt::format("certificate = {}\n", quoted(peer.certificate));
    }
    for (const auto& sender : c.senders) out += fmt::format("\n[[sender]]\n{}\n", sender.written);
    for (const auto& rule : c.retentions) out += fmt::format("\n[[storage.retention]]\n{}\n", rule.written);
    for (const auto& project : c.projects) {
        out += fmt::format("\n[deid.{}]\nprofile = {}\nkey_file = {}\nvault = {}\n", project.name,
                           quoted(project.profile), quoted(project.key_file), project.vault);
    }
    for (const auto& user : c.users) {
        out += fmt::format("\n[[user]]\nname = {}\n", quoted(user.name));
        if (!user.passcode.empty()) out += fmt::format("passcode = {}\n", quoted(user.passcode));
    }
    out += fmt::format(
        "\n[storage]\nlayout = \"{}\"\nvolume_size = \"{}\"\ndirect_write_from = \"{}\"\non_conflict = "
        "\"{}\"\nmemory_budget = "
        "\"{}\"\nstream_above = \"{}\"\n"
        "accept_unknown_sop_classes = {}\n",
        c.storage.layout == storage::StorageLayout::files ? "files" : "volumes",
        size_text(c.storage.volume_size), size_text(c.storage.direct_write_from),
        c.storage.on_conflict == storage::OnConflict::keep ? "keep" : "replace",
        size_text(c.storage.memory_budget), size_text(c.storage.stream_above),
        c.storage.accept_unknown_sop_classes);
    out += "preferred_transfer_syntaxes = [";
    for (std::size_t n = 0; n < c.storage.preferred_transfer_syntaxes.size(); ++n)
        out += (n == 0 ? "" : ", ") + quoted(c.storage.preferred_transfer_syntaxes[n]);
    out += "]\nindex = [";
    for (std::size_t n = 0; n < c.storage.index.size(); ++n)
        out += (n == 0 ? "" : ", ") + quoted(dicom::find_tag(c.storage.index[n])->keyword);
    out += fmt::format(
        "]\nundelete_for = \"{}\"\nquota = \"{}\"\nquota_studies = {}\nmin_free = \"{}\"\nquota_policy = "
        "\"{}\"\n",
        duration_text(c.storage.undelete_for), size_text(c.storage.quota), c.storage.quota_studies,
        size_text(c.storage.min_free), c.storage.quota_policy == QuotaPolicy::refuse ? "refuse" : "recycle");
    out += fmt::format(
        "\n[query]\nrelational = \"{}\"\ncombined_date_time = \"{}\"\nfuzzy_names = \"{}\"\nempty_values = "
        "\"{}\"\n",
        extension_word(c.query.relational), extension_word(c.query.combined_date_time),
        extension_word(c.query.fuzzy_names), extension_word(c.query.empty_values));
    out += fmt::format(
        "\n[commitment]\nretry = \"{}\"\ngive_up = \"{}\"\nmax_instances = {}\nmax_requests = {}\n",
        duration_text(c.commitment.retry), duration_text(c.commitment.give_up), c.commitment.max_instances,
        c.commitment.max_requests);
    out += fmt::format(
        "\n[mpps]\nstrict = {}\nmax_object = \"{}\"\nmax_in_progress = {}\npatience = \"{}\"\nkeep = "
        "\"{}\"\n",
        c.mpps.strict, size_text(c.mpps.max_object), c.mpps.max_in_progress, duration_text(c.mpps.patience),
        duration_text(c.mpps.keep));
    out += fmt::format("\n[availability]\nquiet = \"{}\"\nretry = \"{}\"\ngive_up = \"{}\"\n",
                       duration_text(c.availability.quiet), duration_text(c.availability.retry),
                       duration_text(c.availability.give_up));
    out += fmt::format("\n[patrol]\nevery = \"{}\"\nrate = \"{}\"\n", duration_text(c.patrol.every),
                       size_text(c.patrol.rate));
    out += fmt::format("\n[worklist]\nfolder = {}\n", quoted(c.worklist.folder));
    limits(c.limits, out);
    out +=
        fmt::format("\n[log]\nlevel = \"{}\"\ntrace = {}\n", level_word(c.log_level), quoted(c.trace_folder));
    out += fmt::format("\n[audit]\nfile = {}\ncollector = {}\nspool_size = \"{}\"\n", quoted(c.audit.file),
                       quoted(c.audit.collector), size_text(c.audit.spool_size));
    out += fmt::format("\n[threads]\nnetwork = {}\nworker = {}\n", c.network_threads, c.worker_threads);
    return out;
}

std::vector<std::string> explain(const Configuration& c) {
    std::vector<std::string> lines;
    const bool loopback = is_loopback(c.node.bind);
    if (c.tls.plain) {
        lines.push_back(fmt::format("listens as {} on {} port {}{}", c.node.ae_title.view(), c.node.bind,
                                    c.node.port, loopback ? ", which only this machine reaches" : ""));
    }
    explain_tls(c, lines);
    lines.push_back(fmt::format("keeps what it receives in {}", c.node.data));
    if (loopback) {
        lines.emplace_back("any calling AE title may echo, store, find, move, get, commit and mpps");
    } else if (c.node.promiscuous) {
        lines.emplace_back("strangers (any calling AE title, from any host) may echo and store");
    } else if (c.peers.empty()) {
        lines.emplace_back("nobody may come in: add a [[peer]], or set node.promiscuous = true");
    } else {
        lines.emplace_back("strangers are refused");
    }
    if (!loopback) {
        for (const auto& peer : c.peers) {
            const auto list = words(peer.rights);
            lines.push_back(fmt::format("{} calling from {} may {}", peer.address.ae_title.view(),
                                        peer.address.host, list.empty() ? "do nothing" : joined(list, "")));
        }
    }
    if (!c.users.empty()) {
        lines.push_back(fmt::format("a user name that is stated must be one of {}{}", c.users.size(),
                                    c.node.require_user ? ", and one must be stated" : ""));
    }
    for (std::size_t n = 0; n < c.senders.size(); ++n) {
        const auto& project = c.senders[n].deidentify;
        lines.push_back(
            fmt::format("what [[sender]] {} covers is filed {}", n + 1,
                        project.empty() ? "as it came" : "only de-identified, by the project " + project));
    }
    if (!c.senders.empty()) lines.emplace_back("what no [[sender]] covers is filed as it came");
    for (const auto& peer : c.peers) {
        if (peer.deidentify.empty()) continue;
        lines.push_back(fmt::format("{} gets by C-GET and C-MOVE only what the project {} de-identified",
                                    peer.address.ae_title.view(), peer.deidentify));
    }
    for (const auto& peer : c.peers) {
        if (!peer.notify) continue;
        lines.push_back(fmt::format("{} is told which instances are available, at {} port {}",
                                    peer.address.ae_title.view(), peer.address.host, peer.address.port));
    }
    if (c.peers.empty()) lines.emplace_back("C-MOVE goes nowhere: its destinations are the [[peer]]s");
    for (const auto& peer : c.peers) {
        lines.push_back(fmt::format("C-MOVE may send to {} ({} port {}{})", peer.address.ae_title.view(),
                                    peer.address.host, peer.address.port, peer.tls ? ", by TLS" : ""));
    }
    return lines;
}

}  // namespace sagitta::app
