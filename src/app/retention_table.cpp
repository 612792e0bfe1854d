#include "app/retention_table.h"

#include <array>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "app/match_table.h"
#include "app/units.h"

namespace sagitta::app {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"match", "not", "keep_for"};
constexpr std::string_view kForever = "forever";

void read_keep_for(const toml::node& node, std::uint32_t line, Retention& into,
                   std::vector<Remark>& problems) {
    const auto* text = node.as_string();
    if (text != nullptr && text->get() == kForever) {
        into.keep_for = std::nullopt;
        return;
    }
    const auto duration = text != nullptr
                              ? parse_duration(text->get())
                              : Result<std::chrono::milliseconds>(Error(Errc::invalid_argument, ""));
    if (!duration || *duration < std::chrono::seconds(1)) {
        problems.push_back({line,
                            "storage.retention.keep_for must be a duration of a second or more, for example "
                            "\"365d\", or \"forever\""});
        return;
    }
    into.keep_for = std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

void read_rule(const toml::table& table, std::uint32_t line, Configuration& configuration,
               std::vector<Remark>& problems) {
    Retention rule;
    for (const auto& [key, node] : table) {
        const auto at = key.source().begin.line;
        if (key.str() == "match" || key.str() == "not") {
            read_match(node, at, "storage.retention", key.str(), rule.match, problems);
        } else if (key.str() == "keep_for") {
            read_keep_for(node, at, rule, problems);
        } else {
            problems.push_back({at, unknown_key_in("[[storage.retention]]", key.str(), kKeys)});
        }
    }
    // A rule that lost its keep_for would otherwise keep everything, or nothing.
    if (!table.contains("keep_for")) problems.push_back({line, "this [[storage.retention]] has no keep_for"});
    std::ostringstream text;
    text << table;
    rule.written = text.str();
    configuration.retentions.push_back(std::move(rule));
}

}  // namespace

std::vector<Remark> read_retentions(const toml::node& node, std::uint32_t line,
                                    Configuration& configuration) {
    std::vector<Remark> problems;
    const auto* array = node.as_array();
    if (array == nullptr || (!array->empty() && !node.is_array_of_tables())) {
        problems.push_back(
            {line, "rules of retention are written [[storage.retention]], in double brackets"});
        return problems;
    }
    for (const auto& entry : *array) {
        if (const auto* table = entry.as_table())
            read_rule(*table, entry.source().begin.line, configuration, problems);
    }
    return problems;
}

}  // namespace sagitta::app
