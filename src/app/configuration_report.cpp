#include "app/configuration_report.h"

#include <string_view>

#include <fmt/format.h>

#include "app/access_rules.h"
#include "app/peer_address.h"
#include "app/units.h"

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
    size("max_object", limits.max_object);
    duration("idle_timeout", limits.idle_timeout);
    duration("artim_timeout", limits.artim_timeout);
    duration("response_timeout", limits.response_timeout);
    duration("shutdown_grace", limits.shutdown_grace);
    number("max_matches", limits.max_matches);
    number("sequence_depth", limits.sequence_depth);
}

}  // namespace

std::string to_toml(const Configuration& c) {
    std::string out = fmt::format(
        "[node]\nae_title = {}\nbind = {}\nport = {}\ndata = {}\npromiscuous = {}\n"
        "require_user = {}\n",
        quoted(c.node.ae_title.view()), quoted(c.node.bind), c.node.port, quoted(c.node.data),
        c.node.promiscuous, c.node.require_user);
    for (const auto& peer : c.peers) {
        out += fmt::format("\n[[peer]]\naddress = {}\nallow = [{}]\n", quoted(to_string(peer.address)),
                           joined(words(peer.rights), "\""));
        if (!peer.deidentify.empty()) out += fmt::format("deidentify = {}\n", quoted(peer.deidentify));
    }
    for (const auto& sender : c.senders) out += fmt::format("\n[[sender]]\n{}\n", sender.written);
    for (const auto& project : c.projects) {
        out += fmt::format("\n[deid.{}]\nprofile = {}\nkey_file = {}\nvault = {}\n", project.name,
                           quoted(project.profile), quoted(project.key_file), project.vault);
    }
    for (const auto& user : c.users) {
        out += fmt::format("\n[[user]]\nname = {}\n", quoted(user.name));
        if (!user.passcode.empty()) out += fmt::format("passcode = {}\n", quoted(user.passcode));
    }
    out += fmt::format(
        "\n[storage]\nlayout = \"{}\"\nvolume_size = \"{}\"\non_conflict = \"{}\"\nmemory_budget = "
        "\"{}\"\n"
        "accept_unknown_sop_classes = {}\n",
        c.storage.layout == storage::StorageLayout::files ? "files" : "volumes",
        size_text(c.storage.volume_size),
        c.storage.on_conflict == storage::OnConflict::keep ? "keep" : "replace",
        size_text(c.storage.memory_budget), c.storage.accept_unknown_sop_classes);
    out += fmt::format(
        "\n[query]\nrelational = \"{}\"\ncombined_date_time = \"{}\"\nfuzzy_names = \"{}\"\nempty_values = "
        "\"{}\"\n",
        extension_word(c.query.relational), extension_word(c.query.combined_date_time),
        extension_word(c.query.fuzzy_names), extension_word(c.query.empty_values));
    out += fmt::format(
        "\n[commitment]\nretry = \"{}\"\ngive_up = \"{}\"\nmax_instances = {}\nmax_requests = {}\n",
        duration_text(c.commitment.retry), duration_text(c.commitment.give_up), c.commitment.max_instances,
        c.commitment.max_requests);
    out += fmt::format("\n[worklist]\nfolder = {}\n", quoted(c.worklist.folder));
    limits(c.limits, out);
    out += fmt::format("\n[log]\nlevel = \"{}\"\n", level_word(c.log_level));
    out += fmt::format("\n[threads]\nnetwork = {}\nworker = {}\n", c.network_threads, c.worker_threads);
    return out;
}

std::vector<std::string> explain(const Configuration& c) {
    std::vector<std::string> lines;
    const bool loopback = is_loopback(c.node.bind);
    lines.push_back(fmt::format("listens as {} on {} port {}{}", c.node.ae_title.view(), c.node.bind,
                                c.node.port, loopback ? ", which only this machine reaches" : ""));
    lines.push_back(fmt::format("keeps what it receives in {}", c.node.data));
    if (loopback) {
        lines.emplace_back("any calling AE title may echo, store, find, move, get and commit");
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
    if (c.peers.empty()) lines.emplace_back("C-MOVE goes nowhere: its destinations are the [[peer]]s");
    for (const auto& peer : c.peers) {
        lines.push_back(fmt::format("C-MOVE may send to {} ({} port {})", peer.address.ae_title.view(),
                                    peer.address.host, peer.address.port));
    }
    return lines;
}

}  // namespace sagitta::app
