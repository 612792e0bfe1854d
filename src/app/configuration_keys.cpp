#include "app/configuration_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "app/units.h"
#include "audit/collector.h"
#include "core/log.h"
#include "core/spelling.h"
#include "dicom/dictionary.h"
#include "dicom/uid.h"
#include "storage/attribute_indexer.h"

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

/// A list of texts; on the command line with commas between them. Nothing when it is something else.
std::optional<std::vector<std::string>> read_texts(const RawValue& raw) {
    if (raw.kind != RawKind::untyped) return raw.list;
    std::vector<std::string> texts;
    std::size_t begin = 0;
    while (begin < raw.text.size()) {
        const auto comma = std::min(raw.text.find(',', begin), raw.text.size());
        texts.push_back(raw.text.substr(begin, comma - begin));
        begin = comma + 1;
    }
    return texts;
}

Problem read_attributes(const RawValue& raw, std::vector<dicom::Tag>& into) {
    const auto wanted = read_texts(raw);
    if (!wanted) return wrong_type("a list of keywords in quotes", raw);
    into.clear();
    for (const auto& keyword : *wanted) {
        const auto* entry = dicom::find_keyword(keyword);
        if (entry == nullptr) {
            const auto near = dicom::suggest_keyword(keyword);
            return fmt::format("must be a list of keywords: \"{}\" is none{}", log::escaped(keyword),
                               near.empty() ? "" : fmt::format(", did you mean \"{}\"?", near));
        }
        if (!storage::can_be_indexed(entry->tag))
            return fmt::format("cannot hold {}: only short text, dates and numbers are indexed", keyword);
        if (std::find(into.begin(), into.end(), entry->tag) == into.end()) into.push_back(entry->tag);
    }
    return std::nullopt;
}

Problem read_transfer_syntaxes(const RawValue& raw, std::vector<std::string>& into) {
    auto wanted = read_texts(raw);
    if (!wanted) return wrong_type("a list of transfer syntax UIDs in quotes", raw);
    for (const auto& uid : *wanted) {
        const auto* entry = dicom::find_uid(uid);
        if (entry == nullptr || entry->type != "Transfer Syntax")
            return fmt::format("must be a list of transfer syntax UIDs: {} is none", log::escaped(uid));
    }
    into = std::move(*wanted);
    return std::nullopt;
}

Problem ae_title(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("an AE title in quotes", raw);
    const auto parsed = net::ul::AeTitle::parse(raw.text);
    if (!parsed) return "must be an AE title: 1 to 16 printable ASCII characters, no backslash";
    c.node.ae_title = *parsed;
    return std::nullopt;
}

Problem read_address(const RawValue& raw, std::string& into) {
    if (!is_string(raw)) return wrong_type("an address in quotes", raw);
    std::array<std::byte, 16> address{};
    if (inet_pton(AF_INET, raw.text.c_str(), address.data()) != 1 &&
        inet_pton(AF_INET6, raw.text.c_str(), address.data()) != 1) {
        return "must be an IP address of this machine, for example \"127.0.0.1\", or \"0.0.0.0\" for all";
    }
    into = raw.text;
    return std::nullopt;
}

Problem read_file_name(const RawValue& raw, std::string& into) {
    if (!is_string(raw)) return wrong_type("a path in quotes", raw);
    if (raw.text.find('\0') != std::string::npos) return "must be the path of a file";
    into = raw.text;
    return std::nullopt;
}

Problem tls_min_version(Configuration& c, const RawValue& raw) {
    constexpr Choice<bool> kVersions[] = {{"1.2", false}, {"1.3", true}};
    return read_choice(raw, kVersions, c.tls.only_tls_1_3);
}

Problem data(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("a path in quotes", raw);
    if (raw.text.empty() || raw.text.find('\0') != std::string::npos) return "must be the path of a folder";
    c.node.data = raw.text;
    return std::nullopt;
}

Problem read_path(const RawValue& raw, std::string& into) {
    if (!is_string(raw)) return wrong_type("a path in quotes", raw);
    if (raw.text.find('\0') != std::string::npos) return "must be a path";
    into = raw.text;
    return std::nullopt;
}

Problem collector(Configuration& c, const RawValue& raw) {
    if (!is_string(raw)) return wrong_type("an address in quotes", raw);
    if (!raw.text.empty()) {
        if (const auto address = audit::parse_collector(raw.text); !address) return address.error().context;
    }
    c.audit.collector = raw.text;
    return std::nullopt;
}

Problem layout(Configuration& c, const RawValue& raw) {
    constexpr Choice<storage::StorageLayout> kLayouts[] = {{"volumes", storage::StorageLayout::volumes},
                                                           {"files", storage::StorageLayout::files}};
    return read_choice(raw, kLayouts, c.storage.layout);
}

Problem quota_policy(Configuration& c, const RawValue& raw) {
    constexpr Choice<QuotaPolicy> kPolicies[] = {{"refuse", QuotaPolicy::refuse},
                                                 {"recycle", QuotaPolicy::recycle}};
    return read_choice(raw, kPolicies, c.storage.quota_policy);
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
    {"node", "bind", [](Configuration& c, const RawValue& r) { return read_address(r, c.node.bind); }},
    {"node", "port",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 0, 65535, c.node.port); }},
    {"node", "data", data},
    {"node", "promiscuous",
     [](Configuration& c, const RawValue& r) { return read_boolean(r, c.node.promiscuous); }},
    {"node", "require_user",
     [](Configuration& c, const RawValue& r) { return read_boolean(r, c.node.require_user); }},
    {"tls", "certificate",
     [](Configuration& c, const RawValue& r) { return read_file_name(r, c.tls.certificate); }},
    {"tls", "key", [](Configuration& c, const RawValue& r) { return read_file_name(r, c.tls.key); }},
    {"tls", "ca", [](Configuration& c, const RawValue& r) { return read_file_name(r, c.tls.ca); }},
    {"tls", "bind",
     [](Configuration& c, const RawValue& r) {
         if (is_string(r) && r.text.empty()) return c.tls.bind.clear(), Problem();
         return read_address(r, c.tls.bind);
     }},
    {"tls", "port",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 0, 65535, c.tls.port); }},
    {"tls", "plain", [](Configuration& c, const RawValue& r) { return read_boolean(r, c.tls.plain); }},
    {"tls", "require_client_certificate",
     [](Configuration& c, const RawValue& r) { return read_boolean(r, c.tls.require_client_certificate); }},
    {"tls", "min_version", tls_min_version},
    {"storage", "layout", layout},
    {"storage", "volume_size",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 64 * kKiB, kTiB, c.storage.volume_size);
     }},
    {"storage", "direct_write_from",
     [](Configuration& c, const RawValue& r) { return read_size(r, 0, kTiB, c.storage.direct_write_from); }},
    {"storage", "on_conflict", on_conflict},
    {"storage", "memory_budget",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 16 * kMiB, 16 * kTiB, c.storage.memory_budget);
     }},
    {"storage", "stream_above",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 64 * kKiB, 4 * kGiB, c.storage.stream_above);
     }},
    {"storage", "preferred_transfer_syntaxes",
     [](Configuration& c, const RawValue& r) {
         return read_transfer_syntaxes(r, c.storage.preferred_transfer_syntaxes);
     }},
    {"storage", "accept_unknown_sop_classes",
     [](Configuration& c, const RawValue& r) {
         return read_boolean(r, c.storage.accept_unknown_sop_classes);
     }},
    {"storage", "index",
     [](Configuration& c, const RawValue& r) { return read_attributes(r, c.storage.index); }},
    {"storage", "undelete_for",
     [](Configuration& c, const RawValue& r) {
         return read_duration(r, 0ms, std::chrono::hours(24 * 3650), c.storage.undelete_for);
     }},
    {"storage", "quota",
     [](Configuration& c, const RawValue& r) { return read_size(r, 0, 1024 * kTiB, c.storage.quota); }},
    {"storage", "quota_studies",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 0, 1'000'000'000, c.storage.quota_studies);
     }},
    {"storage", "min_free",
     [](Configuration& c, const RawValue& r) { return read_size(r, 0, 1024 * kTiB, c.storage.min_free); }},
    {"storage", "quota_policy", quota_policy},
    {"query", "relational",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.relational); }},
    {"query", "combined_date_time",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.combined_date_time); }},
    {"query", "fuzzy_names",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.fuzzy_names); }},
    {"query", "empty_values",
     [](Configuration& c, const RawValue& r) { return extension(r, c.query.empty_values); }},
    {"worklist", "folder",
     [](Configuration& c, const RawValue& r) { return read_path(r, c.worklist.folder); }},
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
    {"mpps", "strict", [](Configuration& c, const RawValue& r) { return read_boolean(r, c.mpps.strict); }},
    {"mpps", "max_object",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 4 * kKiB, 16 * kMiB, c.mpps.max_object);
     }},
    {"mpps", "max_in_progress",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 1, 1'000'000, c.mpps.max_in_progress);
     }},
    {"mpps", "patience",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 30 * 24h, c.mpps.patience); }},
    {"mpps", "keep",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1h, 36500 * 24h, c.mpps.keep); }},
    {"availability", "quiet",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 0s, 24h, c.availability.quiet); }},
    {"availability", "retry",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 24h, c.availability.retry); }},
    {"availability", "give_up",
     [](Configuration& c, const RawValue& r) {
         return read_duration(r, 1s, 30 * 24h, c.availability.give_up);
     }},
    {"patrol", "every",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 0s, 3650 * 24h, c.patrol.every); }},
    {"patrol", "rate",
     [](Configuration& c, const RawValue& r) { return read_size(r, 0, 64 * kGiB, c.patrol.rate); }},
    {"limits", "associations",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 65535, c.limits.associations); }},
    {"limits", "associations_per_peer",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 0, 65535, c.limits.associations_per_peer);
     }},
    {"limits", "max_pdu",
     [](Configuration& c, const RawValue& r) { return read_size(r, 4 * kKiB, 16 * kMiB, c.limits.max_pdu); }},
    {"limits", "operations_window",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 1, 1024, c.limits.operations_window);
     }},
    {"limits", "associations_to_peer",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 0, 65535, c.limits.associations_to_peer);
     }},
    {"limits", "keep_associations",
     [](Configuration& c, const RawValue& r) {
         return read_duration(r, 0s, 10min, c.limits.keep_associations);
     }},
    {"limits", "max_object",
     [](Configuration& c, const RawValue& r) { return read_size(r, kMiB, 4 * kGiB, c.limits.max_object); }},
    {"limits", "idle_timeout",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 24h, c.limits.idle_timeout); }},
    {"limits", "min_rate",
     [](Configuration& c, const RawValue& r) { return read_size(r, 0, kGiB, c.limits.min_rate); }},
    {"limits", "rate_window",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 1s, 1h, c.limits.rate_window); }},
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
    {"limits", "silent_connections",
     [](Configuration& c, const RawValue& r) {
         return read_integer(r, 1, 65535, c.limits.silent_connections);
     }},
    {"limits", "silent_grace",
     [](Configuration& c, const RawValue& r) { return read_duration(r, 0s, 1min, c.limits.silent_grace); }},
    {"log", "level", level},
    {"log", "trace", [](Configuration& c, const RawValue& r) { return read_path(r, c.trace_folder); }},
    {"audit", "file", [](Configuration& c, const RawValue& r) { return read_path(r, c.audit.file); }},
    {"audit", "collector", collector},
    {"audit", "spool_size",
     [](Configuration& c, const RawValue& r) {
         return read_size(r, 64 * kKiB, 64 * kGiB, c.audit.spool_size);
     }},
    {"threads", "network",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 256, c.network_threads); }},
    {"threads", "worker",
     [](Configuration& c, const RawValue& r) { return read_integer(r, 1, 256, c.worker_threads); }},
};

constexpr std::string_view kSections[] = {
    "node", "tls",          "peer",   "user",     "sender", "deid", "storage", "query",  "commitment",
    "mpps", "availability", "patrol", "worklist", "limits", "log",  "audit",   "threads"};
constexpr std::string_view kLater[] = {
    "completion",
    "destination",
    "route",
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
    if (section == "peer") names = {"address", "allow", "deidentify", "notify", "tls", "certificate"};
    if (section == "user") names = {"name", "passcode"};
    if (const auto near = nearest(name, names); !near.empty())
        what += fmt::format(", did you mean {}?", near);
    return what;
}

std::optional<std::string> allow(Rights& rights, std::string_view word) {
    constexpr std::string_view kWords[] = {"echo", "store", "find", "move", "get", "commit", "mpps"};
    if (word == "echo") return rights.echo = true, std::nullopt;
    if (word == "store") return rights.store = true, std::nullopt;
    if (word == "find") return rights.find = true, std::nullopt;
    if (word == "move") return rights.move = true, std::nullopt;
    if (word == "get") return rights.get = true, std::nullopt;
    if (word == "commit") return rights.commit = true, std::nullopt;
    if (word == "mpps") return rights.mpps = true, std::nullopt;
    std::string what = fmt::format("\"{}\" is nothing that can be allowed", log::escaped(word));
    if (const auto near = nearest(word, kWords); !near.empty())
        return what + fmt::format(", did you mean \"{}\"?", near);
    return what + ": echo, store, find, move, get, commit, mpps";
}

}  // namespace sagitta::app
