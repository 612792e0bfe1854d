#include "dicom/matching.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

#include "dicom/date_time.h"
#include "dicom/text.h"
#include "dicom/uid.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kMostValues = 65536;
constexpr std::size_t kLongestPatternBytes = 4096;
constexpr std::string_view kEmptyValue = "\"\"";
constexpr std::size_t kMostFuzzyNames = 32;  // further values of a key match as they are written

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

bool has_wildcard(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos;
}

bool is_date_or_time(Vr vr) {
    return vr == Vr::DA || vr == Vr::TM || vr == Vr::DT;
}

/// Whether a value of this VR is compared as a number, and of which kind.
enum class NumberKind : std::uint8_t { none, integer, real };
NumberKind number_kind(Vr vr) {
    switch (vr) {
        case Vr::IS:
        case Vr::SL:
        case Vr::SS:
        case Vr::SV:
        case Vr::UL:
        case Vr::US:
        case Vr::UV: return NumberKind::integer;
        case Vr::DS:
        case Vr::FD:
        case Vr::FL: return NumberKind::real;
        default: return NumberKind::none;
    }
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

template <class T>
std::string shortest(T value) {
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), error == std::errc{} ? end : text.data()};
}

std::string comparable_number(NumberKind kind, std::string_view text) {
    if (kind == NumberKind::integer) {
        if (const auto value = parse_number<std::int64_t>(text)) return shortest(*value);
        if (const auto value = parse_number<std::uint64_t>(text)) return shortest(*value);
    } else if (const auto value = parse_number<double>(text)) {
        return shortest(*value == 0 ? 0.0 : *value);
    }
    return std::string(text);
}

/// Calls `visit` with each value, trimmed and not empty, until it answers true.
template <class Visit>
bool any_value(Vr vr, std::string_view text, Visit visit) {
    while (true) {
        const auto end = is_single_valued_text(vr) ? std::string_view::npos : text.find('\\');
        const auto value = trim(text.substr(0, end));
        if (!value.empty() && visit(value)) return true;
        if (end == std::string_view::npos) return false;
        text.remove_prefix(end + 1);
    }
}

/// Folded name: the whole, then its component groups.
template <class Visit>
bool any_name(std::string_view folded, Visit visit) {
    if (visit(folded)) return true;
    if (folded.find('=') == std::string_view::npos) return false;
    while (true) {
        const auto end = folded.find('=');
        const auto group = folded.substr(0, end);
        if (!group.empty() && visit(group)) return true;
        if (end == std::string_view::npos) return false;
        folded.remove_prefix(end + 1);
    }
}

bool is_only_stars(std::string_view pattern) {
    return !pattern.empty() && pattern.find_first_not_of('*') == std::string_view::npos;
}

/// Absent trailing components of a name are empty ones, so "doe^*" is "doe*" but for "doering":
/// as patterns, "doe^*" and "doe".
void add_name_pattern(std::vector<std::string>& patterns, std::string pattern) {
    std::string_view without = pattern;
    while (without.ends_with("^*")) without.remove_suffix(2);
    if (without.size() == pattern.size()) {
        patterns.push_back(std::move(pattern));
    } else if (without.empty() || without.ends_with('*')) {
        patterns.emplace_back(without.empty() ? "*" : without);
    } else {
        patterns.push_back(std::string(without) + "^*");
        patterns.emplace_back(without);
    }
}

Error malformed_key(Vr vr, std::string_view what) {
    return {Errc::invalid_argument,
            "match key of VR " + std::string(to_string(vr)) + ": " + std::string(what)};
}

/// A range, or a time that covers more than an instant and so is one.
Result<MatchKey> parse_range_key(MatchKey key, std::string_view value) {
    const RangeText text = split_range(key.vr, value);
    if (text.from.empty() && text.to.empty()) return malformed_key(key.vr, "a range without bounds");
    std::string from = range_bound(key.vr, text.from, false);
    std::string to = range_bound(key.vr, text.to, true);
    if ((from.empty() && !text.from.empty()) || (to.empty() && !text.to.empty())) {
        return malformed_key(key.vr, "not a date, a time or a range of them");
    }
    if (!text.is_range && from == to) {
        key.kind = MatchKind::single_value;
        key.values = {std::move(from)};
    } else {
        key.kind = MatchKind::range;
        key.values = {std::move(from), std::move(to)};
    }
    return key;
}

Result<MatchKey> parse_date_key(MatchKey key, const std::vector<std::string_view>& values) {
    if (values.size() == 1) return parse_range_key(std::move(key), values.front());
    for (const auto value : values) {
        std::string instant = comparable(key.vr, value);
        if (instant.empty()) return malformed_key(key.vr, "a list holds something that is no date or time");
        key.values.push_back(std::move(instant));
    }
    key.kind = MatchKind::list;
    return key;
}

Result<MatchKey> parse_text_key(MatchKey key, const std::vector<std::string_view>& values) {
    const bool wildcards = allows_wildcards(key.vr);
    bool patterns = false;
    for (const auto value : values) {
        if (key.vr == Vr::UI && !Uid::parse(value)) return malformed_key(key.vr, "not a UID");
        if (!wildcards || !has_wildcard(value)) {
            key.values.push_back(comparable(key.vr, value));
            continue;
        }
        if (value.size() > kLongestPatternBytes)
            return Error{Errc::limit_exceeded, "match pattern beyond 4 KiB"};
        patterns = true;
        std::string pattern = comparable(key.vr, value);
        if (key.vr == Vr::PN) {
            add_name_pattern(key.values, std::move(pattern));
        } else {
            key.values.push_back(std::move(pattern));
        }
    }
    std::erase(key.values, "");  // a name of delimiters alone
    const bool universal =
        key.values.empty() || (wildcards && std::any_of(key.values.begin(), key.values.end(),
                                                        [](const auto& v) { return is_only_stars(v); }));
    if (universal) return MatchKey{key.tag, key.vr, MatchKind::universal, {}};
    key.kind = patterns                 ? MatchKind::wildcard
               : key.values.size() == 1 ? MatchKind::single_value
                                        : MatchKind::list;
    return key;
}

bool in_range(const MatchKey& key, std::string_view instant) {
    return !instant.empty() && (key.values[0].empty() || instant >= key.values[0]) &&
           (key.values[1].empty() || instant <= key.values[1]);
}

bool matches_comparable(const MatchKey& key, std::string_view value) {
    switch (key.kind) {
        case MatchKind::universal: return true;
        case MatchKind::empty_value: return false;  // there is a value
        case MatchKind::range: return in_range(key, value);
        case MatchKind::single_value:
        case MatchKind::list:
            return std::find(key.values.begin(), key.values.end(), value) != key.values.end();
        case MatchKind::wildcard:
            return std::any_of(key.values.begin(), key.values.end(),
                               [&](const auto& pattern) { return matches_wildcard(pattern, value); });
    }
    return false;
}

}  // namespace

Result<MatchKey> parse_match_key(Tag tag, Vr vr, std::string_view utf8_value) {
    std::vector<std::string_view> values;
    bool too_many = false;
    bool everything = false;
    any_value(vr, utf8_value, [&](std::string_view value) {
        everything = everything || is_only_stars(value);
        too_many = values.size() == kMostValues;
        if (!too_many) values.push_back(value);
        return too_many;
    });
    if (too_many) return Error{Errc::limit_exceeded, "match key beyond 65536 values"};
    MatchKey key{tag, vr, MatchKind::universal, {}};
    if (values.empty() || everything) return key;
    if (is_date_or_time(vr)) return parse_date_key(std::move(key), values);
    return parse_text_key(std::move(key), values);
}

Result<MatchKey> parse_match_key(Tag tag, Vr vr, std::string_view utf8_value, const MatchOptions& options) {
    if (options.empty_value && trim(utf8_value) == kEmptyValue) {
        return MatchKey{tag, vr, MatchKind::empty_value, {}};
    }
    auto key = parse_match_key(tag, vr, utf8_value);
    const bool fuzzy = key && options.fuzzy_names && vr == Vr::PN && key->kind != MatchKind::universal &&
                       utf8_value.size() <= kLongestPatternBytes;
    if (!fuzzy) return key;
    any_value(vr, utf8_value, [&](std::string_view value) {
        if (key->fuzzy.size() < kMostFuzzyNames) key->fuzzy.emplace_back(value);
        return false;
    });
    return key;
}

bool matches(const MatchKey& key, std::string_view utf8_value) {
    if (key.kind == MatchKind::universal) return true;
    if (key.kind == MatchKind::empty_value)
        return !any_value(key.vr, utf8_value, [](std::string_view) { return true; });
    const auto is_like = [&](std::string_view value) {
        return std::any_of(key.fuzzy.begin(), key.fuzzy.end(),
                           [&](const FuzzyName& name) { return name.matches(value); });
    };
    if (!key.fuzzy.empty() && any_value(key.vr, utf8_value, is_like)) return true;
    return any_value(key.vr, utf8_value, [&](std::string_view value) {
        const std::string text = comparable(key.vr, value);
        if (text.empty()) return false;
        if (key.vr != Vr::PN) return matches_comparable(key, text);
        return any_name(text, [&](std::string_view name) { return matches_comparable(key, name); });
    });
}

std::string comparable(Vr vr, std::string_view utf8_value) {
    const auto value = trim(utf8_value);
    if (vr == Vr::PN) return fold_person_name(value);
    if (is_date_or_time(vr)) return range_bound(vr, value, false);
    const NumberKind kind = number_kind(vr);
    return kind == NumberKind::none ? std::string(value) : comparable_number(kind, value);
}

bool allows_wildcards(Vr vr) noexcept {
    switch (vr) {
        case Vr::AE:
        case Vr::CS:
        case Vr::LO:
        case Vr::LT:
        case Vr::PN:
        case Vr::SH:
        case Vr::ST:
        case Vr::UC:
        case Vr::UR:
        case Vr::UT: return true;
        default: return false;
    }
}

std::string range_bound(Vr vr, std::string_view value, bool upper) {
    switch (vr) {
        case Vr::DA: return date_bound(value);
        case Vr::TM: return time_bound(value, upper);
        case Vr::DT: return date_time_bound(value, upper);
        default: return {};
    }
}

}  // namespace sagitta::dicom
