#include "app/deid_tables.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "app/match_table.h"

namespace sagitta::app {
namespace {

constexpr std::array<std::string_view, 3> kProjectKeys = {"profile", "key_file", "vault"};
constexpr std::array<std::string_view, 4> kSenderKeys = {"from", "match", "not", "deidentify"};
constexpr std::size_t kLongestName = 64;

// It becomes a folder.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

class Reader {
public:
    Reader(std::string folder, Configuration& configuration, DeidTables& tables)
        : folder_(std::move(folder)), configuration_(configuration), tables_(tables) {}

    void projects(const toml::node& node, std::uint32_t line) {
        const auto* table = node.as_table();
        if (table == nullptr) return problem(line, "a project is written [deid.NAME]");
        for (const auto& [key, entry] : *table) {
            const auto at = key.source().begin.line;
            if (const auto* one = entry.as_table()) {
                project(key.str(), *one, at);
            } else {
                problem(at, "a project is written [deid.NAME]");
            }
        }
    }

    void senders(const toml::node& node, std::uint32_t line) {
        const auto* array = node.as_array();
        if (array == nullptr || (!array->empty() && !node.is_array_of_tables()))
            return problem(line, "rules for senders are written [[sender]], in double brackets");
        for (const auto& entry : *array) {
            if (const auto* table = entry.as_table()) sender(*table);
        }
    }

private:
    void problem(std::uint32_t line, std::string text) {
        tables_.problems.push_back({line, std::move(text)});
    }

    void project(std::string_view name, const toml::table& table, std::uint32_t line) {
        if (!is_name(name))
            return problem(line, "the NAME of [deid.NAME] has 1 to 64 of a-z, A-Z, 0-9, - and _");
        deid::ProjectSettings project;
        project.name = name;
        const std::string where = fmt::format("[deid.{}]", name);
        for (const auto& [key, node] : table) {
            const auto at = key.source().begin.line;
            if (key.str() == "profile") {
                project.profile = file(node, at, where, key.str());
            } else if (key.str() == "key_file") {
                project.key_file = file(node, at, where, key.str());
            } else if (key.str() == "vault") {
                const auto* wanted = node.as_boolean();
                if (wanted == nullptr) {
                    problem(at, fmt::format("{}: vault must be true or false", where));
                } else {
                    project.vault = wanted->get();
                }
            } else {
                problem(at, unknown_key_in(where, key.str(), kProjectKeys));
            }
        }
        for (const auto* wanted : {"profile", "key_file"}) {
            if (!table.contains(wanted)) problem(line, fmt::format("{} has no {}", where, wanted));
        }
        configuration_.projects.push_back(std::move(project));
    }

    std::string file(const toml::node& node, std::uint32_t line, std::string_view where,
                     std::string_view key) {
        const auto* text = node.as_string();
        if (text != nullptr && !text->get().empty())
            return (std::filesystem::path(folder_) / text->get()).string();
        problem(line, fmt::format("{}: {} must be the path of a file, in quotes", where, key));
        return {};
    }

    void sender(const toml::table& table) {
        Sender sender;
        for (const auto& [key, node] : table) {
            const auto line = key.source().begin.line;
            if (key.str() == "from") {
                sender.from = read_words(node, line, "sender.from", tables_.problems);
            } else if (key.str() == "match" || key.str() == "not") {
                read_match(node, line, "sender", key.str(), sender.match, tables_.problems);
            } else if (key.str() == "deidentify") {
                deidentify(node, line, sender);
            } else {
                problem(line, unknown_key_in("[[sender]]", key.str(), kSenderKeys));
            }
        }
        std::ostringstream text;
        text << table;
        sender.written = text.str();
        configuration_.senders.push_back(std::move(sender));
    }

    void deidentify(const toml::node& node, std::uint32_t line, Sender& sender) {
        const auto* text = node.as_string();
        if (text == nullptr || text->get().empty())
            return problem(line, "sender.deidentify must be the name of a [deid.NAME], in quotes");
        sender.deidentify = text->get();
        tables_.references.push_back({line, sender.deidentify});
    }

    std::string folder_;
    Configuration& configuration_;
    DeidTables& tables_;
};

}  // namespace

DeidTables read_deid_tables(const toml::table& file, const std::string& folder,
                            Configuration& configuration) {
    DeidTables tables;
    Reader reader(folder, configuration, tables);
    for (const auto& [key, node] : file) {
        const auto line = key.source().begin.line;
        if (key.str() == "deid") reader.projects(node, line);
        if (key.str() == "sender") reader.senders(node, line);
    }
    return tables;
}

}  // namespace sagitta::app
