#include "app/configuration_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "app/units.h"
#include "core/spelling.h"

namespace sagitta::app {
namespace {

using Problem = std::optional<std::string>;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

Problem wrong_type(std::string_view wanted, const RawValue& raw) {
    return fmt::format("must be {}, not {}", wanted, raw.type_name);
}

bool is_string(const RawValue& raw) {
    return raw.kind == RawKind::string || raw.kind == RawKind::untyped;
}

template <class T>
Problem read_integer(const RawValue& raw, std::uint64_t least, std::uint64_t most, T& into) {
    std::int64_t value = raw.integer;
    if (raw.kind == RawKind::untyped) {
        const char* const end = raw.text.data() + raw.text.size();
        const auto [rest, ec] = std::from_chars(raw.text.data(), end, value);
        if (ec != std::errc() || rest != end) return "must be a whole number";
    } else if (raw.kind != RawKind::integer) {
        return wrong_type("a whole number", raw);
    }
    if (value < 0 || static_cast<std::uint64_t>(value) < least || static_cast<std::uint64_t>(value) > most) {
        return fmt::format("must be from {} to {}", least, most);
    }
    into = static_cast<T>(value);
    return std::nullopt;
}

Problem read_boolean(const RawValue& raw, bool& into) {
    if (raw.kind == RawKind::boolean) {
        into = raw.boolean;
    } else if (raw.kind == RawKind::untyped && (raw.text == "true" || raw.text == "false")) {
        into = raw.text == "true";
    } else if (raw.kind == RawKind::untyped) {
        return "must be true or false";
    } else {
        return wrong_type("true or false", raw);
    }
    return std::nullopt;
}

template <class T>
Problem read_size(const RawValue& raw, std::uint64_t least, std::uint64_t most, T& into) {
    if (!is_string(raw)) return wrong_type("a size with its unit, for example \"16MiB\"", raw);
    const auto size = parse_size(raw.text);
    if (!size) return size.error().context;
    if (*size < least || *size > most) {
        return fmt::format("must be from {} to {}", size_text(least), size_text(most));
    }
    into = static_cast<T>(*size);
    return std::nullopt;
}

Problem read_duration(const RawValue& raw, milliseconds least, milliseconds most, milliseconds& into) {
    if (!is_string(raw)) return wrong_type("a duration with its unit, for example \"30s\"", raw);
    const auto duration = parse_duration(raw.text);
    if (!duration) return duration.error().context;
    if (*duration < least || *duration > most) {
        return fmt::format("must be from {} to {}", duration_text(least), duration_text(most));
    }
    into = *duration;
    return std::nullopt;
}

template <class T>
struct Choice {
    std::string_view word;
    T value;
};

template <class T, std::size_t N>
Problem read_choice(const RawValue& raw, const Choice<T> (&choices)[N], T& into) {
    std::string list;
    std::vector<std::string_view> words;
    for (const auto& choice : choices) {
        if (is_string(raw) && raw.text == choice.word) {
            into = choice.value;
            return std::nullopt;
        }
        list.append(list.empty() ? "\"" : ", \"").append(choice.word).append("\"");
        words.push_back(choice.word);
    }
    if (!is_string(raw)) return wrong_type("one of " + list, raw);
    const auto near = nearest(raw.text, words);
    if (near.empty()) return fmt::format("must be one of {}", list);
    return fmt::format("must be one of {}: did you mean \"{}\"?", list, near);
}

Problem ae_title(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("an AE title in quotes", raw);
    const auto parsed = net::ul::AeTitle::parse(raw.text);
    if (!parsed) return "must be an AE title: 1 to 16 printable ASCII characters, no backslash";
    c.node.ae_title = *parsed;
    return std::nullopt;
}

Problem bind(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("an address in quotes", raw);
    std::array<std::byte, 16> address{};
    if (inet_pton(AF_INET, raw.text.c_str(), address.data()) != 1 &&
        inet_pton(AF_INET6, raw.text.c_str(), address.data()) != 1) {
        return "must be an IP address of this machine, for example \"127.0.0.1\", or \"0.0.0.0\" for all";
    }
    c.node.bind = raw.text;
    return std::nullopt;
}

Problem data(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("a path in quotes", raw);
    if (raw.text.empty() || raw.text.find('\0') != std::string::npos) return "must be the path of a folder";
    c.node.data = raw.text;
    return std::nullopt;
}

Problem worklist_folder(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("a path in quotes", raw);
    if (raw.text.find('\0') != std::string::npos) return "must be the path of a folder";
    c.worklist.folder = raw.text;
    return std::nullopt;
}

Problem layout(Configuration& c, const RawValue& raw) {
    constexpr Choice<storage::StorageLayout> kLayouts[] = {{"volumes", storage::StorageLayout::volumes},
                                                           {"files", storage::StorageLayout::files}};
    return read_choice(raw, kLayouts, c.storage.layout);
}

Problem on_conflict(Configuration& c, const RawValue& raw) {
    constexpr Choice<storage::OnConflict> kChoices[] = {{"keep", storage::OnConflict::keep},
                                                        {"replace", storage::OnConflict::replace}};
    return read_choice(raw, kChoices, c.storage.on_conflict);
}

Problem extension(const RawValue& raw, Extension& into) {
    constexpr Choice<Extension> kChoices[] = {
        {"never", Extension::never}, {"negotiated", Extension::negotiated}, {"always", Extension::always}};
    return read_choice(raw, kChoices, into);
}

Problem level(Configuration& c, const RawValue& raw) {
    using log::Level;
    constexpr Choice<Level> kLevels[] = {{"trace", Level::trace}, {"debug", Level::debug},
                                         {"info", Level::info},   {"warning", Level::warning},
                                         {"error", Level::error}, {"off", Level::off}};
    return read_choice(raw, kLevels, c.log_level);
}

constexpr ConfigurationKey kKeys[] = {
    {"node", "ae_title", ae_title},
    {"node", "bind", bind},
    {"node", "port",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 0, 65535, c.node.port); }},
    {"node", "data", data},
    {"node", "promiscuous",
     [](Configuration& c, const RawValue& r) { return read_boolean(r, c.node.promiscuous); }},
    {"node", "require_user",
     [](Configuration& c, const RawValue& r) { return read_boolean(r, c.node.require_user); }},
    {"storage", "layout", layout},
    {"storage", "volume_size",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 64 * kKiB, kTiB, c.storage.volume_size);
     }},
    {"storage", "on_conflict", on_conflict},
    {"storage", "memory_budget",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 16 * kMiB, 16 * kTiB, c.storage.memory_budget);
     }},
    {"storage", "accept_unknown_sop_classes",
     [](Configuration& c, const RawValue& r) {
         return read_boolean(r, c.storage.accept_unknown_sop_classes);
     }},
    {"query", "relational",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.relational); }},
    {"query", "combined_date_time",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.combined_date_time); }},
    {"query", "fuzzy_names",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.fuzzy_names); }},
    {"query", "empty_values",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.empty_values); }},
    {"worklist", "folder", worklist_folder},
    {"commitment", "retry",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 24h, c.commitment.retry); }},
    {"commitment", "give_up",
     [](Configuration& c, const RawValue& r) {
         return read_duration(r, 1s, 30 * 24h, c.commitment.give_up);
     }},
    {"commitment", "max_instances",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 1, 1'000'000, c.commitment.max_instances);
     }},
    {"commitment", "max_requests",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 1, 1'000'000, c.commitment.max_requests);
     }},
    {"limits", "associations",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 65535, c.limits.associations); }},
    {"limits", "associations_per_peer",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 0, 65535, c.limits.associations_per_peer);
     }},
    {"limits", "max_pdu",
     [](Configuration& c, const RawValue& r) { return read_size(r, 4 * kKiB, 16 * kMiB, c.limits.max_pdu); }},
    {"limits", "max_object",
     [](Configuration& c, const RawValue& r) { return read_size(r, kMiB, 4 * kGiB, c.limits.max_object); }},
    {"limits", "idle_timeout",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 24h, c.limits.idle_timeout); }},
    {"limits", "artim_timeout",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 1h, c.limits.artim_timeout); }},
    {"limits", "response_timeout",
     [](Configuration& c, const RawValue& r) {
         return read_duration(r, 1s, 24h, c.limits.response_timeout);
     }},
    {"limits", "shutdown_grace",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 0s, 1h, c.limits.shutdown_grace); }},
    {"limits", "max_matches",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 0, 1'000'000'000, c.limits.max_matches);
     }},
    {"limits", "sequence_depth",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 1024, c.limits.sequence_depth); }},
    {"log", "level", level},
    {"threads", "network",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 256, c.network_threads); }},
    {"threads", "worker",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 256, c.worker_threads); }},
};

constexpr std::string_view kSections[] = {"node",  "peer",       "user",     "sender", "deid", "storage",
                                          "query", "commitment", "worklist", "limits", "log",  "threads"};
constexpr std::string_view kLater[] = {
    "tls", "completion", "destination", "route", "storage.quota", "storage.retention", "storage.index",
};

}  // namespace

std::span<const ConfigurationKey> configuration_keys() {
    return kKeys;
}

const ConfigurationKey* find_key(std::string_view section, std::string_view name) {
    const auto* found = std::find_if(std::begin(kKeys), std::end(kKeys), [&](const ConfigurationKey& key) {
        return key.section == section && key.name == name;
    });
    return found == std::end(kKeys) ? nullptr : found;
}

bool is_section(std::string_view section) {
    return std::find(std::begin(kSections), std::end(kSections), section) != std::end(kSections);
}

bool is_later(std::string_view dotted) {
    return std::find(std::begin(kLater), std::end(kLater), dotted) != std::end(kLater);
}

std::string unknown_section(std::string_view section) {
    std::string what = fmt::format("unknown section [{}]", log::escaped(section));
    if (const auto near = nearest(section, kSections); !near.empty()) {
        const bool many = near == "peer" || near == "user" || near == "sender";
        what +=
            many ? fmt::format(", did you mean [[{}]]?", near) : fmt::format(", did you mean [{}]?", near);
    }
    return what;
}

std::string unknown_key(std::string_view section, std::string_view name) {
    std::string what = section.empty() ? fmt::format("unknown key {}", log::escaped(name))
                                       : fmt::format("unknown key {}.{}", section, log::escaped(name));
    std::vector<std::string_view> names;
    for (const auto& key : kKeys) {
        if (key.name == name) return fmt::format("{}: it belongs in [{}]", what, key.section);
        if (key.section == section) names.push_back(key.name);
    }
    if (section == "peer") names = {"address", "allow", "deidentify"};
    if (section == "user") names = {"name", "passcode"};
    if (const auto near = nearest(name, names); !near.empty())
        what += fmt::format(", did you mean {}?", near);
    return what;
}

std::optional<std::string> allow(Rights& rights, std::string_view word) {
    constexpr std::string_view kWords[] = {"echo", "store", "find", "move", "get", "commit"};
    if (word == "echo") return rights.echo = true, std::nullopt;
    if (word == "store") return rights.store = true, std::nullopt;
    if (word == "find") return rights.find = true, std::nullopt;
    if (word == "move") return rights.move = true, std::nullopt;
    if (word == "get") return rights.get = true, std::nullopt;
    if (word == "commit") return rights.commit = true, std::nullopt;
    std::string what = fmt::format("\"{}\" is nothing that can be allowed", log::escaped(word));
    if (const auto near = nearest(word, kWords); !near.empty())
        return what + fmt::format(", did you mean \"{}\"?", near);
    return what + ": echo, store, find, move, get, commit";
}

}  // namespace sagitta::app
