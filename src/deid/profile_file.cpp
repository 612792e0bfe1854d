#include "deid/profile_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <fmt/format.h>

// Debian's compiled form of the library throws; only the header-only one can be had without.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "core/spelling.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/text.h"

namespace sagitta::deid {
namespace {

constexpr std::array<std::string_view, 9> kKeys = {
    "name", "base", "options", "unknown", "at_risk", "encapsulated", "pseudonyms", "rule", "pixel"};
constexpr std::array<std::string_view, 4> kPixelKeys = {"match", "not", "action", "areas"};
constexpr std::array<std::string_view, 8> kRuleKeys = {"tag",   "keyword", "creator", "vr",
                                                       "match", "not",     "action",  "value"};

struct Remark {
    std::uint32_t line = 0;
    std::string text;
};

std::optional<TagPattern> parse_pattern(std::string_view text) {
    if (text.size() >= 2 && text.front() == '(' && text.back() == ')') text = text.substr(1, text.size() - 2);
    std::string digits;
    for (const char c : text) {
        if (c != ',') digits.push_back(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    }
    if (digits.size() != 8 || digits.find_first_not_of("0123456789abcdefx") != std::string::npos)
        return std::nullopt;
    TagPattern pattern{0, 0};
    for (const char c : digits) {
        const bool any = c == 'x';
        const auto digit = any ? 0 : static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
        pattern.value = pattern.value << 4 | digit;
        pattern.mask = pattern.mask << 4 | (any ? 0u : 0xfu);
    }
    return pattern;
}

class Reader {
public:
    Reader(LoadedProfile& loaded, std::string name) : loaded_(loaded), name_(std::move(name)) {}

    void problem(std::uint32_t line, std::string text) { problems_.push_back({line, std::move(text)}); }

    void read(const toml::table& file) {
        for (const auto& [key, node] : file) read_key(key.str(), node, key.source().begin.line);
        const auto& options = loaded_.profile.options;
        if (options.contains(Option::retain_full_dates) && options.contains(Option::retain_modified_dates))
            problem(options_line_, "retain-full-dates and retain-modified-dates exclude each other");
        const auto& pixels = loaded_.profile.pixels;
        if (!pixels.empty() && !options.contains(Option::clean_pixel_data))
            problem(pixels.front().line, "[[pixel]] needs the option clean-pixel-data");
    }

    void finish() {
        std::stable_sort(problems_.begin(), problems_.end(),
                         [](const Remark& a, const Remark& b) { return a.line < b.line; });
        for (const auto& remark : problems_)
            loaded_.problems.push_back(fmt::format("{}:{}: {}", name_, remark.line, remark.text));
    }

private:
    template <class Range>
    static std::string unknown(std::string_view what, std::string_view word, const Range& known) {
        const auto near = nearest(word, known);
        return near.empty() ? fmt::format("unknown {} '{}'", what, word)
                            : fmt::format("unknown {} '{}': did you mean '{}'?", what, word, near);
    }

    void read_key(std::string_view key, const toml::node& node, std::uint32_t line) {
        Profile& profile = loaded_.profile;
        if (key == "name") {
            if (const auto text = string(node, line, key)) set_name(*text, line);
        } else if (key == "base") {
            if (const auto text = string(node, line, key); text && *text != "basic")
                problem(line, "base must be \"basic\": the Basic Profile of PS3.15 E.2");
        } else if (key == "options") {
            options_line_ = line;
            for (const auto& [word, at] : strings(node, line, key)) option(word, at);
        } else if (key == "unknown") {
            if (const auto word = one_of(node, line, key, {"remove", "clean"}))
                profile.unknown = *word == "clean" ? Profile::Unknown::clean : Profile::Unknown::remove;
        } else if (key == "at_risk") {
            if (const auto word = one_of(node, line, key, {"quarantine", "keep"}))
                profile.at_risk = *word == "keep" ? Profile::AtRisk::keep : Profile::AtRisk::quarantine;
        } else if (key == "encapsulated") {
            if (const auto word = one_of(node, line, key, {"refuse", "keep"}))
                profile.encapsulated =
                    *word == "keep" ? Profile::Encapsulated::keep : Profile::Encapsulated::refuse;
        } else if (key == "pseudonyms") {
            pseudonyms(node, line);
        } else if (key == "rule") {
            rules(node, line);
        } else if (key == "pixel") {
            pixels(node, line);
        } else {
            problem(line, unknown("key", key, kKeys));
        }
    }

    void set_name(const std::string& name, std::uint32_t line) {
        if (name.empty() || name.size() > 32 || name.find_first_of("\\\n") != std::string::npos) {
            problem(line, "name must have 1 to 32 characters, none of them a backslash");
        } else {
            loaded_.profile.name = name;
        }
    }

    void option(const std::string& word, std::uint32_t line) {
        if (const auto known = parse_option(word)) return loaded_.profile.options.insert(*known);
        std::vector<std::string_view> names;
        for (std::uint8_t index = 0; index < kOptionCount; ++index)
            names.push_back(to_string(static_cast<Option>(index)));
        problem(line, unknown("option", word, names));
    }

    void pseudonyms(const toml::node& node, std::uint32_t line) {
        const auto* table = node.as_table();
        if (table == nullptr) return problem(line, "pseudonyms must be a table: [pseudonyms]");
        for (const auto& [key, value] : *table) {
            const auto at = key.source().begin.line;
            if (key.str() == "table") {
                if (const auto text = string(value, at, "pseudonyms.table")) {
                    const std::filesystem::path beside = std::filesystem::path(name_).parent_path();
                    loaded_.profile.pseudonym_table = (beside / *text).string();
                }
            } else if (key.str() == "missing") {
                if (const auto word = one_of(value, at, "pseudonyms.missing", {"refuse", "keyed"}))
                    loaded_.profile.table_only = *word == "refuse";
            } else {
                constexpr std::array<std::string_view, 2> known = {"table", "missing"};
                problem(at, unknown("key", key.str(), known));
            }
        }
    }

    void rules(const toml::node& node, std::uint32_t line) {
        const auto* array = node.as_array();
        if (array == nullptr || (!array->empty() && !node.is_array_of_tables()))
            return problem(line, "rules are written [[rule]], in double brackets");
        for (const auto& entry : *array) {
            if (const auto* table = entry.as_table()) rule(*table);
        }
    }

    void rule(const toml::table& table) {
        Rule rule;
        rule.line = table.source().begin.line;
        bool has_action = false;
        bool has_value = false;
        bool has_names = false;
        for (const auto& [key, node] : table) {
            const auto line = key.source().begin.line;
            const std::string_view name = key.str();
            has_names = has_names || name == "tag" || name == "keyword" || name == "creator" || name == "vr";
            if (name == "tag") {
                for (const auto& [word, at] : strings(node, line, name)) tag(rule, word, at);
            } else if (name == "keyword") {
                for (const auto& [word, at] : strings(node, line, name)) keyword(rule, word, at);
            } else if (name == "creator") {
                for (auto& [word, at] : strings(node, line, name)) rule.creators.push_back(std::move(word));
            } else if (name == "vr") {
                for (const auto& [word, at] : strings(node, line, name)) vr(rule, word, at);
            } else if (name == "match") {
                if (const auto wanted = conditions(node, line, name))
                    checked(rule.match.require(*wanted), line, name);
            } else if (name == "not") {
                if (const auto unwanted = conditions(node, line, name))
                    checked(rule.match.exclude(*unwanted), line, name);
            } else if (name == "action") {
                has_action = true;
                action(rule, node, line);
            } else if (name == "value") {
                has_value = true;
                rule.value = string(node, line, name).value_or("");
            } else {
                problem(line, unknown("key of a rule", name, kRuleKeys));
            }
        }
        if (!has_action) problem(rule.line, "this [[rule]] has no action");
        if (has_value != (rule.action == Action::set))
            problem(rule.line, "a value belongs to action = \"set\", and to no other");
        if (!has_names)
            problem(rule.line, "this [[rule]] names no attribute: give tag, keyword, creator or vr");
        loaded_.profile.rules.push_back(std::move(rule));
    }

    void tag(Rule& rule, const std::string& text, std::uint32_t line) {
        if (const auto pattern = parse_pattern(text)) return rule.tags.push_back(*pattern);
        problem(line, fmt::format("'{}' is no tag such as (0008,103e) or (60xx,3000)", text));
    }

    void keyword(Rule& rule, const std::string& text, std::uint32_t line) {
        if (text.find_first_of("*?") != std::string::npos) return rule.keywords.push_back(text);
        const auto* entry = dicom::find_keyword(text);
        if (entry != nullptr) return rule.tags.push_back({entry->tag.value, 0xffffffffu});
        const auto near = dicom::suggest_keyword(text);
        problem(line, fmt::format("'{}' is no keyword of PS3.6{}", text,
                                  near.empty() ? "" : fmt::format(": did you mean '{}'?", near)));
    }

    void vr(Rule& rule, const std::string& text, std::uint32_t line) {
        const auto known = text.size() == 2 ? dicom::vr_from_letters(text[0], text[1]) : std::nullopt;
        if (known) return rule.vrs.push_back(*known);
        problem(line, fmt::format("'{}' is no VR", text));
    }

    void action(Rule& rule, const toml::node& node, std::uint32_t line) {
        const auto word = string(node, line, "action");
        if (!word) return;
        const auto known = parse_action(*word);
        if (!known) return problem(line, "action must be one of K, X, Z, D, U, C, shift, hash, set");
        rule.action = *known;
    }

    void pixels(const toml::node& node, std::uint32_t line) {
        const auto* array = node.as_array();
        if (array == nullptr || (!array->empty() && !node.is_array_of_tables()))
            return problem(line, "pixel rules are written [[pixel]], in double brackets");
        for (const auto& entry : *array) {
            if (const auto* table = entry.as_table()) pixel(*table);
        }
    }

    void pixel(const toml::table& table) {
        PixelRule rule;
        rule.line = table.source().begin.line;
        bool has_action = false, has_match = false;
        for (const auto& [key, node] : table) {
            const auto line = key.source().begin.line;
            const std::string_view name = key.str();
            if (name == "match") {
                has_match = true;
                if (const auto wanted = conditions(node, line, name))
                    checked(rule.match.require(*wanted), line, name);
            } else if (name == "not") {
                if (const auto unwanted = conditions(node, line, name))
                    checked(rule.match.exclude(*unwanted), line, name);
            } else if (name == "action") {
                has_action = true;
                const auto word = one_of(node, line, name, {"mask", "regions", "keep", "refuse"});
                rule.action = word == "regions"  ? PixelRule::Action::regions
                              : word == "keep"   ? PixelRule::Action::keep
                              : word == "refuse" ? PixelRule::Action::refuse
                                                 : PixelRule::Action::mask;
            } else if (name == "areas") {
                areas(rule, node, line);
            } else {
                problem(line, unknown("key of a pixel rule", name, kPixelKeys));
            }
        }
        if (!has_action) problem(rule.line, "this [[pixel]] has no action");
        if (!has_match) problem(rule.line, "this [[pixel]] matches every image: give match");
        if (rule.areas.empty() != (rule.action != PixelRule::Action::mask))
            problem(rule.line, "areas belong to action = \"mask\", and to no other");
        loaded_.profile.pixels.push_back(std::move(rule));
    }

    void areas(PixelRule& rule, const toml::node& node, std::uint32_t line) {
        constexpr std::string_view form = "areas must be a list of [left, top, width, height] in pixels";
        const auto* array = node.as_array();
        if (array == nullptr) return problem(line, std::string(form));
        for (const auto& entry : *array) {
            const auto* numbers = entry.as_array();
            std::array<std::uint32_t, 4> values{};
            bool good = numbers != nullptr && numbers->size() == values.size();
            for (std::size_t n = 0; good && n < values.size(); ++n) {
                const auto number = (*numbers)[n].value<std::int64_t>();
                good = number && *number >= (n < 2 ? 0 : 1) && *number <= UINT16_MAX;
                if (good) values[n] = static_cast<std::uint32_t>(*number);
            }
            if (!good) return problem(line, std::string(form));
            rule.areas.push_back({values[0], values[1], values[2], values[3]});
        }
    }

    std::optional<std::vector<dicom::KeywordCondition>> conditions(const toml::node& node, std::uint32_t line,
                                                                   std::string_view name) {
        const auto* table = node.as_table();
        if (table == nullptr) {
            problem(line, fmt::format("{} must be a table: {{ Modality = \"CT\" }}", name));
            return std::nullopt;
        }
        std::vector<dicom::KeywordCondition> found;
        for (const auto& [key, value] : *table) {
            dicom::KeywordCondition condition;
            condition.keyword = key.str();
            for (auto& [word, at] : strings(value, line, name)) condition.values.push_back(std::move(word));
            found.push_back(std::move(condition));
        }
        return found;
    }

    void checked(const Result<void>& made, std::uint32_t line, std::string_view name) {
        if (!made) problem(line, fmt::format("{}: {}", name, made.error().context));
    }

    std::optional<std::string> string(const toml::node& node, std::uint32_t line, std::string_view key) {
        if (const auto* text = node.as_string()) return text->get();
        problem(line, fmt::format("{} must be a string", key));
        return std::nullopt;
    }

    std::optional<std::string> one_of(const toml::node& node, std::uint32_t line, std::string_view key,
                                      std::initializer_list<std::string_view> words) {
        auto text = string(node, line, key);
        if (!text || std::find(words.begin(), words.end(), *text) != words.end()) return text;
        problem(line, fmt::format("{} must be one of: {}", key, fmt::join(words, ", ")));
        return std::nullopt;
    }

    // A string, or a list of them.
    std::vector<std::pair<std::string, std::uint32_t>> strings(const toml::node& node, std::uint32_t line,
                                                               std::string_view key) {
        std::vector<std::pair<std::string, std::uint32_t>> found;
        if (const auto* text = node.as_string()) {
            found.emplace_back(text->get(), line);
        } else if (const auto* array = node.as_array()) {
            for (const auto& entry : *array) {
                const auto at = entry.source().begin.line;
                if (const auto* one = entry.as_string()) {
                    found.emplace_back(one->get(), at);
                } else {
                    problem(at, fmt::format("{} must hold strings", key));
                }
            }
        } else {
            problem(line, fmt::format("{} must be a string or a list of strings", key));
        }
        return found;
    }

    LoadedProfile& loaded_;
    std::string name_;
    std::vector<Remark> problems_;
    std::uint32_t options_line_ = 0;
};

Result<std::string> content_of(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file || file.bad()) {
        return Error(Errc::not_found,
                     fmt::format("{}: cannot be read: {}", path, std::strerror(errno != 0 ? errno : EIO)));
    }
    return text.str();
}

}  // namespace

LoadedProfile parse_profile(std::string_view toml, const std::string& name) {
    LoadedProfile loaded;
    loaded.profile.file = name;
    loaded.profile.digest = sha256_hex(toml);
    if (!dicom::is_valid_utf8(toml)) {
        loaded.problems.push_back(name + ": is not UTF-8 text");
        return loaded;
    }
    Reader reader(loaded, name);
    const toml::parse_result file = toml::parse(toml);
    if (file) {
        reader.read(file.table());
    } else {
        reader.problem(file.error().source().begin.line, std::string(file.error().description()));
    }
    reader.finish();
    return loaded;
}

LoadedProfile load_profile(const std::string& path) {
    const auto text = content_of(path);
    if (text) return parse_profile(*text, path);
    LoadedProfile loaded;
    loaded.problems.push_back(text.error().context);
    return loaded;
}

Result<Pseudonyms> load_pseudonyms(const Profile& profile, ProjectKey key) {
    if (profile.pseudonym_table.empty()) return Pseudonyms(std::move(key));
    const auto text = content_of(profile.pseudonym_table);
    if (!text) return text.error();
    auto table = PseudonymTable::parse(*text, profile.pseudonym_table);
    if (!table) return table.error();
    return Pseudonyms(std::move(key), std::move(*table), profile.table_only);
}

}  // namespace sagitta::deid
