#include "app/match_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/log.h"
#include "core/spelling.h"

namespace sagitta::app {

std::vector<std::string> read_words(const toml::node& node, std::uint32_t line, std::string_view what,
                                    std::vector<Remark>& problems) {
    std::vector<std::string> found;
    if (const auto* text = node.as_string()) {
        found.push_back(text->get());
        return found;
    }
    const auto* array = node.as_array();
    const bool strings = array != nullptr && std::all_of(array->begin(), array->end(),
                                                         [](const auto& entry) { return entry.is_string(); });
    if (!strings) {
        problems.push_back({line, fmt::format("{} must hold text in quotes, or a list of it", what)});
        return found;
    }
    for (const auto& entry : *array) found.push_back(entry.as_string()->get());
    return found;
}

void read_match(const toml::node& node, std::uint32_t line, std::string_view table, std::string_view key,
                dicom::MatchRule& into, std::vector<Remark>& problems) {
    const auto what = fmt::format("{}.{}", table, key);
    const auto* conditions = node.as_table();
    if (conditions == nullptr) {
        problems.push_back({line, fmt::format("{} must be a table: {{ Modality = \"CT\" }}", what)});
        return;
    }
    std::vector<dicom::KeywordCondition> found;
    for (const auto& [keyword, values] : *conditions) {
        dicom::KeywordCondition condition;
        condition.keyword = keyword.str();
        condition.values = read_words(values, line, what, problems);
        found.push_back(std::move(condition));
    }
    const auto made = key == "not" ? into.exclude(found) : into.require(found);
    if (!made) problems.push_back({line, fmt::format("{}: {}", what, made.error().context)});
}

std::string unknown_key_in(std::string_view where, std::string_view key,
                           std::span<const std::string_view> known) {
    std::string what = fmt::format("unknown key {} in {}", log::escaped(key), where);
    if (const auto near = nearest(key, known); !near.empty()) what += fmt::format(", did you mean {}?", near);
    return what;
}

}  // namespace sagitta::app
