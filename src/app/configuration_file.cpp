#include "app/configuration_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "app/configuration_keys.h"
#include "app/deid_tables.h"
#include "app/passcode.h"
#include "app/peer_address.h"
#include "app/retention_table.h"
#include "app/toml.h"
#include "dicom/text.h"
#include "net/ul/tls_identity.h"

namespace sagitta::app {
namespace {

std::string folder_of(const std::string& file) {
    return std::filesystem::path(file).parent_path().string();
}

bool has_project(const Configuration& configuration, std::string_view name) {
    const auto& all = configuration.projects;
    return std::any_of(all.begin(), all.end(), [&](const auto& project) { return project.name == name; });
}

constexpr std::string_view kRetention = "storage.retention";  // tables of their own

class Reader {
public:
    Reader(LoadedConfiguration& loaded, std::string name) : loaded_(loaded), name_(std::move(name)) {}

    void read(const toml::table& file) {
        for (const auto& [key, node] : file) {
            const std::string_view section = key.str();
            const auto line = key.source().begin.line;
            if (section == "peer") {
                peers(node, line);
            } else if (section == "user") {
                users(node, line);
            } else if (section == "deid" || section == "sender") {
                continue;  // read_deid
            } else if (is_later(section)) {
                problem(line, fmt::format("[{}] is not available in this version", section));
            } else if (!is_section(section)) {
                problem(line, node.is_table() || node.is_array_of_tables() ? unknown_section(section)
                                                                           : unknown_key("", section));
            } else if (const auto* table = node.as_table()) {
                keys(section, *table);
            } else {
                problem(line, fmt::format("{} must be a table: [{}]", section, section));
            }
        }
    }

    // After the rest: what names a project may stand before it.
    void read_deid(const toml::table& file) {
        auto read = read_deid_tables(file, folder_of(name_), loaded_.configuration);
        for (auto& remark : read.problems) problems_.push_back(std::move(remark));
        for (auto& reference : read.references) references_.push_back(std::move(reference));
        for (const auto& [line, project] : references_) {
            if (!has_project(loaded_.configuration, project))
                problem(line, fmt::format("deidentify: there is no [deid.{}]", log::escaped(project)));
        }
    }

    void problem(std::uint32_t line, std::string text) { problems_.push_back({line, std::move(text)}); }
    void warning(std::uint32_t line, std::string text) { warnings_.push_back({line, std::move(text)}); }

    // By line, whatever order the tables came in.
    void finish() {
        const auto put = [this](std::vector<Remark>& from, std::vector<std::string>& to) {
            std::stable_sort(from.begin(), from.end(),
                             [](const Remark& a, const Remark& b) { return a.line < b.line; });
            for (const auto& remark : from)
                to.push_back(fmt::format("{}:{}: {}", name_, remark.line, remark.text));
        };
        put(problems_, loaded_.problems);
        put(warnings_, loaded_.warnings);
    }

private:
    void keys(std::string_view section, const toml::table& table) {
        for (const auto& [key, node] : table) {
            const auto line = key.source().begin.line;
            const std::string dotted = fmt::format("{}.{}", section, key.str());
            const auto* known = find_key(section, key.str());
            if (dotted == kRetention) {
                for (auto& remark : read_retentions(node, line, loaded_.configuration))
                    problems_.push_back(std::move(remark));
            } else if (known == nullptr) {
                problem(line, is_later(dotted) ? dotted + " is not available in this version"
                                               : unknown_key(section, key.str()));
            } else if (auto wrong = known->apply(loaded_.configuration, raw_value(node))) {
                problem(line, fmt::format("{} {}", dotted, *wrong));
            }
        }
    }

    void peers(const toml::node& node, std::uint32_t line) {
        const auto* array = node.as_array();
        if (array == nullptr || (!array->empty() && !node.is_array_of_tables())) {
            return problem(line, "peers are written [[peer]], in double brackets");
        }
        for (const auto& entry : *array) {
            if (const auto* table = entry.as_table()) peer(*table);
        }
    }

    void peer(const toml::table& table) {
        Peer peer;
        const auto line = table.source().begin.line;
        bool has_address = false, has_allow = false;
        for (const auto& [key, node] : table) {
            const auto key_line = key.source().begin.line;
            if (key.str() == "address") {
                has_address = true;
                address(node, key_line, peer);
            } else if (key.str() == "allow") {
                has_allow = true;
                rights(node, key_line, peer.rights);
            } else if (key.str() == "deidentify") {
                project(node, key_line, peer);
            } else if (key.str() == "notify") {
                const auto* value = node.as_boolean();
                if (value == nullptr) problem(key_line, "peer.notify must be true or false");
                if (value != nullptr) peer.notify = value->get();
            } else if (key.str() == "tls" || key.str() == "certificate") {
                tls(key.str(), node, key_line, peer);
            } else {
                problem(key_line, unknown_key("peer", key.str()));
            }
        }
        if (!peer.deidentify.empty() && !has_allow) peer.rights.find = false;
        if (!peer.deidentify.empty() && has_allow && peer.rights.find)
            warning(line, "this [[peer]] gets only what is de-identified, but answers to its C-FIND are not");
        if (!peer.deidentify.empty() && peer.notify)
            problem(line, "notify names instances as they are: not for a [[peer]] with deidentify");
        if (!has_address) return problem(line, "this [[peer]] has no address = \"AET@HOST:PORT\"");
        if (peer.address.host.empty()) return;  // told already
        for (const auto& other : loaded_.configuration.peers) {
            if (to_string(other.address) == to_string(peer.address)) {
                return problem(line, fmt::format("the peer {} stands here twice", to_string(peer.address)));
            }
            if (other.address.ae_title == peer.address.ae_title) {
                warning(line,
                        fmt::format("several peers are called {}: a C-MOVE to that name goes to the first",
                                    peer.address.ae_title.view()));
            }
        }
        loaded_.configuration.peers.push_back(std::move(peer));
    }

    void address(const toml::node& node, std::uint32_t line, Peer& peer) {
        const auto* text = node.as_string();
        if (text == nullptr) {
            return problem(
                line, fmt::format("peer.address must be \"AET@HOST:PORT\", not {}", type_name(node.type())));
        }
        auto parsed = parse_peer_address(text->get());
        if (!parsed) return problem(line, "peer.address " + parsed.error().context);
        peer.address = std::move(*parsed);
    }

    void tls(std::string_view key, const toml::node& node, std::uint32_t line, Peer& peer) {
        if (key == "tls") {
            const auto* yes = node.as_boolean();
            if (yes == nullptr) return problem(line, "peer.tls must be true or false");
            peer.tls = yes->get();
            return;
        }
        const auto* text = node.as_string();
        if (text == nullptr || text->get().empty())
            return problem(line,
                           "peer.certificate must be \"sha256:…\" or a name in the certificate, in quotes");
        peer.certificate = text->get();
        if (!peer.certificate.starts_with("sha256:")) return;
        peer.certificate = net::ul::normal_fingerprint(text->get());
        if (peer.certificate.empty()) problem(line, "peer.certificate: sha256: needs 64 hexadecimal digits");
    }

    void project(const toml::node& node, std::uint32_t line, Peer& peer) {
        const auto* text = node.as_string();
        if (text == nullptr)
            return problem(line, "peer.deidentify must be the name of a [deid.NAME], in quotes");
        peer.deidentify = text->get();
        references_.push_back({line, peer.deidentify});
    }

    void rights(const toml::node& node, std::uint32_t line, Rights& into) {
        const auto* list = node.as_array();
        if (list == nullptr) {
            return problem(line,
                           fmt::format("peer.allow must be a list, for example [\"echo\", \"store\"], not {}",
                                       type_name(node.type())));
        }
        into = Rights{false, false, false, false, false, false, false};
        for (const auto& entry : *list) {
            const auto entry_line = entry.source().begin.line;
            const auto* word = entry.as_string();
            if (word == nullptr) {
                problem(entry_line,
                        fmt::format("peer.allow must hold words in quotes, not {}", type_name(entry.type())));
                continue;
            }
            if (auto wrong = allow(into, word->get())) problem(entry_line, "peer.allow: " + *wrong);
        }
    }

    void users(const toml::node& node, std::uint32_t line) {
        const auto* array = node.as_array();
        if (array == nullptr || (!array->empty() && !node.is_array_of_tables())) {
            return problem(line, "users are written [[user]], in double brackets");
        }
        for (const auto& entry : *array) {
            if (const auto* table = entry.as_table()) user(*table);
        }
    }

    void user(const toml::table& table) {
        User user;
        const auto line = table.source().begin.line;
        for (const auto& [key, node] : table) {
            const auto key_line = key.source().begin.line;
            const auto* text = node.as_string();
            if (key.str() != "name" && key.str() != "passcode") {
                problem(key_line, unknown_key("user", key.str()));
            } else if (text == nullptr) {
                problem(key_line, fmt::format("user.{} must be text in quotes, not {}", key.str(),
                                              type_name(node.type())));
            } else if (key.str() == "name") {
                user.name = text->get();
            } else if (is_passcode_hash(text->get())) {
                user.passcode = text->get();
            } else {
                problem(key_line, "user.passcode must be what `sagitta config hash-password` prints");
            }
        }
        if (user.name.empty()) return problem(line, "this [[user]] has no name");
        for (const auto& other : loaded_.configuration.users) {
            if (other.name == user.name) return problem(line, "this user stands here twice");
        }
        loaded_.configuration.users.push_back(std::move(user));
    }

    LoadedConfiguration& loaded_;
    std::string name_;
    std::vector<Remark> problems_;
    std::vector<Remark> warnings_;
    std::vector<Remark> references_;  // to projects
};

void apply_flag(LoadedConfiguration& loaded, std::string_view flag, std::string_view section,
                std::string_view name, const std::string& text) {
    const auto* key = find_key(section, name);
    RawValue raw;
    raw.kind = RawKind::untyped;
    raw.text = text;
    if (auto wrong = key->apply(loaded.configuration, raw)) {
        loaded.problems.push_back(fmt::format("{}: {}.{} {}", flag, section, name, *wrong));
    }
}

void apply_set(LoadedConfiguration& loaded, std::string_view assignment) {
    const auto equals = assignment.find('=');
    const auto dotted = assignment.substr(0, equals);
    const auto dot = dotted.find('.');
    if (equals == std::string_view::npos || dot == std::string_view::npos) {
        loaded.problems.push_back(
            fmt::format("--set: '{}' is no section.key=value, for example limits.max_pdu=64KiB",
                        log::escaped(assignment)));
        return;
    }
    const auto section = dotted.substr(0, dot);
    const auto name = dotted.substr(dot + 1);
    if (is_later(section) || is_later(dotted)) {
        loaded.problems.push_back(fmt::format("--set: {} is not available in this version", dotted));
    } else if (section == "peer") {
        loaded.problems.emplace_back("--set: peers are added with --peer AET@HOST:PORT");
    } else if (section == "user") {
        loaded.problems.emplace_back("--set: users stand in the file, as [[user]]");
    } else if (section == "deid" || section == "sender" || dotted == kRetention) {
        loaded.problems.push_back(
            fmt::format("--set: {} is written in the file", dotted == kRetention ? dotted : section));
    } else if (!is_section(section)) {
        loaded.problems.push_back("--set: " + unknown_section(section));
    } else if (find_key(section, name) == nullptr) {
        loaded.problems.push_back("--set: " + unknown_key(section, name));
    } else {
        apply_flag(loaded, "--set", section, name, std::string(assignment.substr(equals + 1)));
    }
}

void apply_flags(LoadedConfiguration& loaded, const ConfigurationFlags& flags) {
    for (const auto& assignment : flags.set) apply_set(loaded, assignment);
    if (flags.ae_title) apply_flag(loaded, "--ae-title", "node", "ae_title", *flags.ae_title);
    if (flags.bind) apply_flag(loaded, "--bind", "node", "bind", *flags.bind);
    if (flags.port) apply_flag(loaded, "--port", "node", "port", *flags.port);
    if (flags.data) apply_flag(loaded, "--data", "node", "data", *flags.data);
    for (const auto& text : flags.peers) {
        auto address = parse_peer_address(text);
        if (!address) {
            loaded.problems.push_back("--peer: " + address.error().context);
            continue;
        }
        const std::string written = to_string(*address);
        std::erase_if(loaded.configuration.peers,
                      [&](const Peer& p) { return to_string(p.address) == written; });
        Peer peer;
        peer.address = std::move(*address);
        loaded.configuration.peers.push_back(std::move(peer));
    }
}

// What is right by itself and wrong with another key, from wherever either came.
void check_together(LoadedConfiguration& loaded) {
    const auto& storage = loaded.configuration.storage;
    if (storage.layout == storage::StorageLayout::files &&
        storage.on_conflict == storage::OnConflict::replace) {
        loaded.problems.emplace_back(
            "storage.on_conflict \"replace\" needs storage.layout \"volumes\": a file is never written "
            "again");
    }
}

void check_tls_keys(LoadedConfiguration& loaded) {
    const auto& tls = loaded.configuration.tls;
    const auto wrong = [&](std::string text) { loaded.problems.push_back(std::move(text)); };
    if (tls.certificate.empty() != tls.key.empty())
        wrong("tls.certificate and tls.key come together: one of them is missing");
    if (!listens_for_tls(loaded.configuration)) {
        if (!tls.plain) wrong("tls.plain = false without tls.certificate and tls.key: nothing would listen");
        return;
    }
    if (!tls.ca.empty()) return;
    if (tls.require_client_certificate)
        wrong("tls.require_client_certificate needs tls.ca, whose certificates are believed");
    for (const auto& peer : loaded.configuration.peers) {
        if (!peer.certificate.empty())
            wrong(fmt::format("peer {}: its certificate can only be checked with tls.ca",
                              peer.address.ae_title.view()));
    }
}

/// What no single key shows: after the flags.
void check_users(LoadedConfiguration& loaded) {
    const auto& configuration = loaded.configuration;
    if (configuration.node.require_user && configuration.users.empty())
        loaded.problems.emplace_back("node.require_user without a [[user]] would let nobody in");
}

}  // namespace

std::string default_configuration_file() {
    std::error_code ignored;
    return std::filesystem::exists("sagitta.toml", ignored) ? "sagitta.toml" : "";
}

LoadedConfiguration parse_configuration(std::string_view toml, const std::string& name,
                                        const ConfigurationFlags& flags) {
    LoadedConfiguration loaded;
    loaded.file = name;
    Reader reader(loaded, name);
    if (!dicom::is_valid_utf8(toml)) {
        loaded.problems.push_back(name + ": is not UTF-8 text");
        return loaded;
    }
    const toml::parse_result file = toml::parse(toml);
    if (file) {
        reader.read(file.table());
        reader.read_deid(file.table());
        auto& tls = loaded.configuration.tls;
        for (auto* path : {&tls.certificate, &tls.key, &tls.ca}) {
            if (!path->empty()) *path = (std::filesystem::path(folder_of(name)) / *path).string();
        }
    } else {
        reader.problem(file.error().source().begin.line, std::string(file.error().description()));
    }
    reader.finish();
    apply_flags(loaded, flags);
    check_together(loaded);
    check_users(loaded);
    check_tls_keys(loaded);
    return loaded;
}

LoadedConfiguration load_configuration(const std::string& path, const ConfigurationFlags& flags) {
    if (path.empty()) {
        LoadedConfiguration loaded;
        apply_flags(loaded, flags);
        check_together(loaded);
        check_users(loaded);
        check_tls_keys(loaded);
        return loaded;
    }
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file || file.bad()) {
        LoadedConfiguration loaded;
        loaded.file = path;
        loaded.problems.push_back(
            fmt::format("{}: cannot be read: {}", path, std::strerror(errno != 0 ? errno : EIO)));
        return loaded;
    }
    return parse_configuration(text.str(), path, flags);
}

}  // namespace sagitta::app
