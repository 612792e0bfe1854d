#include "dicom/data_set_matching.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/private_block.h"
#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

bool is_no_key(Tag tag) {
    constexpr std::array kNoKeys = {tags::SpecificCharacterSet,      tags::QueryRetrieveLevel,
                                    tags::QueryRetrieveView,         tags::RetrieveAETitle,
                                    tags::InstanceAvailability,      tags::TimezoneOffsetFromUTC,
                                    tags::AvailableTransferSyntaxUID};
    return tag.is_group_length() || tag.is_private_creator() ||
           std::find(kNoKeys.begin(), kNoKeys.end(), tag) != kNoKeys.end();
}

/// Identifiers are often implicit or UN: the dictionary knows better.
Vr key_vr(const Element& element, const std::string& private_creator) {
    if (element.vr() == Vr::SQ) return Vr::SQ;
    if (const auto* entry = find_tag(element.tag())) {
        return entry->ambiguous_vr || entry->vr == Vr::none ? element.vr() : entry->vr;
    }
    if (element.vr() != Vr::UN) return element.vr();
    const auto entry = find_private_tag(private_creator, element.tag());
    return entry && is_text(entry->vr) ? entry->vr : Vr::UN;
}

/// Of what is neither text nor number too: there is nothing to compare, but something or not.
bool is_blank(const Element& element) {
    return element.empty() || (is_text(element.vr()) && element.text().empty());
}

std::string creator_text(const ElementRange& level, Tag tag, const CharacterSet& character_set) {
    const auto creator = private_creator_of(level, tag);
    return creator ? decoded_text(*creator, character_set) : std::string();
}

}  // namespace

std::optional<std::string> match_text(const Element& element, Vr as, const CharacterSet& character_set) {
    const Vr vr = element.vr();
    if (is_text(vr)) return decoded_text(element, character_set);
    if (vr == Vr::UN) return character_set.to_utf8(element.text(), as);
    std::string text;
    const auto append = [&](std::size_t n, const std::string& value) {
        if (n != 0) text += '\\';
        text += value;
    };
    if (vr == Vr::AT) {
        for (std::size_t n = 0; const auto tag = tag_value(element, n); ++n) append(n, to_string(*tag));
        return text;
    }
    const bool is_number =
        number_bytes(vr) != 0 && vr != Vr::OF && vr != Vr::OD && vr != Vr::OL && vr != Vr::OV;
    if (!is_number) return element.empty() ? std::optional(std::string()) : std::nullopt;
    for (std::size_t n = 0; const auto number = number_text(element, n); ++n) append(n, *number);
    return text;
}

/// A level of the instance against which a group is held.
struct DataSetMatcher::Candidate {
    ElementRange level;
    CharacterSet character_set;
    std::size_t parent;  ///< among the candidates of the group around
    bool alive;
};

struct DataSetMatcher::Parser {
    const MatchOptions& options;
    std::vector<Group> groups;
    std::vector<std::pair<ElementRange, CharacterSet>> levels;  ///< of the groups

    Result<void> add(std::size_t group, const Element& element) {
        const auto& [level, character_set] = levels[group];
        std::string creator;
        if (element.tag().is_private()) creator = creator_text(level, element.tag(), character_set);
        const Vr vr = key_vr(element, creator);
        if (vr == Vr::SQ) return add_sequence(group, element, std::move(creator));
        auto text = match_text(element, vr, character_set);
        if (!text) return fault(element, {Errc::invalid_argument, "has no value to compare with"});
        auto key = parse_match_key(element.tag(), vr, *text, options);
        if (!key) return fault(element, std::move(key).error());
        if (key->kind != MatchKind::universal) {
            groups[group].keys.push_back({std::move(*key), std::move(creator)});
        }
        return {};
    }

    Result<void> add_sequence(std::size_t group, const Element& element, std::string creator) {
        const auto items = element.children();
        if (items.empty()) return {};
        if (std::next(items.begin()) != items.end()) {
            return fault(element, {Errc::invalid_argument, "is a sequence key of several items"});
        }
        const auto inside = (*items.begin()).children();
        const CharacterSet character_set = character_set_of(inside, levels[group].second);
        groups.push_back({element.tag(), std::move(creator), group, {}, {}, false});
        levels.emplace_back(inside, character_set);
        return {};
    }

    static Error fault(const Element& element, Error error) {
        return std::move(error).within(to_string(element.tag()));
    }

    static void combine_dates_and_times(Group& group) {
        for (auto date = group.keys.begin(); date != group.keys.end();) {
            std::optional<DateTimeKey> both;
            const auto time = std::find_if(group.keys.begin(), group.keys.end(), [&](const Key& key) {
                both = combine(date->key, key.key);
                return both.has_value();
            });
            if (!both) {
                ++date;
                continue;
            }
            group.date_times.push_back(std::move(*both));
            group.keys.erase(std::max(date, time));
            group.keys.erase(std::min(date, time));
            date = group.keys.begin();
        }
    }
};

Result<DataSetMatcher> DataSetMatcher::parse(const DataSet& identifier, const MatchOptions& options) {
    Parser parser{options, {}, {}};
    parser.groups.emplace_back();
    parser.levels.emplace_back(identifier.elements(), character_set_of(identifier.elements(), {}));
    for (std::size_t group = 0; group < parser.groups.size(); ++group) {
        const ElementRange level = parser.levels[group].first;
        for (const Element element : level) {
            if (is_no_key(element.tag())) continue;
            if (auto added = parser.add(group, element); !added) return std::move(added).error();
        }
        if (options.combined_date_time) Parser::combine_dates_and_times(parser.groups[group]);
    }
    DataSetMatcher matcher;
    matcher.groups_ = std::move(parser.groups);
    for (std::size_t n = matcher.groups_.size(); n-- > 0;) {
        Group& group = matcher.groups_[n];
        group.says_something |= !group.keys.empty() || !group.date_times.empty();
        if (n != 0 && group.says_something) matcher.groups_[group.parent].says_something = true;
    }
    return matcher;
}

std::optional<Element> DataSetMatcher::find(const ElementRange& level, Tag tag,
                                            const std::string& private_creator) {
    if (!tag.is_private()) return level.find(tag);
    return find_private(level, private_creator, tag.group(), static_cast<std::uint8_t>(tag.element()));
}

bool DataSetMatcher::satisfies(const Candidate& candidate, const Group& group) {
    for (const Key& key : group.keys) {
        const auto element = find(candidate.level, key.key.tag, key.private_creator);
        if (key.key.kind == MatchKind::empty_value && element && !is_blank(*element)) return false;
        const auto text = element ? match_text(*element, key.key.vr, candidate.character_set) : std::nullopt;
        if (!dicom::matches(key.key, text.value_or(std::string()))) return false;
    }
    return std::all_of(group.date_times.begin(), group.date_times.end(), [&](const DateTimeKey& key) {
        const auto date = candidate.level.find(key.date);
        const auto time = candidate.level.find(key.time);
        if (!date || !time) return false;
        return key.matches(date->text(0), time->text(0));
    });
}

bool DataSetMatcher::matches(const DataSet& instance) const {
    std::vector<std::vector<Candidate>> candidates(groups_.size());
    const auto top = instance.elements();
    candidates[0].push_back({top, character_set_of(top, {}), 0, true});
    for (std::size_t n = 0; n < groups_.size(); ++n) {
        const Group& group = groups_[n];
        if (!group.says_something) continue;
        const auto& around = candidates[group.parent];
        for (std::size_t parent = 0; n != 0 && parent < around.size(); ++parent) {
            if (!around[parent].alive) continue;
            const auto sequence = find(around[parent].level, group.sequence, group.private_creator);
            if (!sequence || sequence->vr() != Vr::SQ) continue;
            for (const Element item : sequence->children()) {
                const auto level = item.children();
                candidates[n].push_back(
                    {level, character_set_of(level, around[parent].character_set), parent, true});
            }
        }
        for (Candidate& candidate : candidates[n]) candidate.alive = satisfies(candidate, group);
    }
    // From the innermost out: a level needs, of each sequence key, an item that holds.
    for (std::size_t n = groups_.size(); n-- > 1;) {
        if (!groups_[n].says_something) continue;
        auto& around = candidates[groups_[n].parent];
        std::vector<bool> found(around.size());
        for (const Candidate& candidate : candidates[n]) {
            if (candidate.alive) found[candidate.parent] = true;
        }
        for (std::size_t parent = 0; parent < around.size(); ++parent) {
            if (!found[parent]) around[parent].alive = false;
        }
    }
    return candidates[0][0].alive;
}

Result<bool> matches(const DataSet& identifier, const DataSet& instance, const MatchOptions& options) {
    const auto matcher = DataSetMatcher::parse(identifier, options);
    if (!matcher) return matcher.error();
    return matcher->matches(instance);
}

}  // namespace sagitta::dicom
