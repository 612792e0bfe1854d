#include "deid/decision.h"

#include <algorithm>

#include <fmt/format.h>

#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/matching.h"

namespace sagitta::deid {
namespace {

using Source = Decision::Source;

constexpr std::uint16_t bit(Option option) {
    return static_cast<std::uint16_t>(1u << static_cast<unsigned>(option));
}

bool is_date(Vr vr) {
    return vr == Vr::DA || vr == Vr::TM || vr == Vr::DT;
}

bool is_free_text(Vr vr) {
    return vr == Vr::LO || vr == Vr::SH || vr == Vr::ST || vr == Vr::LT || vr == Vr::UT || vr == Vr::UC;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return dicom::matches_wildcard(pattern, text); });
}

bool names(const Rule& rule, const AttributeFacts& facts) {
    if (!rule.creators.empty() && (!facts.tag.is_private() || !matches_any(rule.creators, facts.creator)))
        return false;
    if (!rule.vrs.empty() && std::find(rule.vrs.begin(), rule.vrs.end(), facts.vr) == rule.vrs.end())
        return false;
    if (rule.tags.empty() && rule.keywords.empty()) return true;
    for (const TagPattern& pattern : rule.tags) {
        if (pattern.matches(facts.tag)) return true;
    }
    if (rule.keywords.empty()) return false;
    const auto* entry = dicom::find_tag(facts.tag);
    return entry != nullptr && matches_any(rule.keywords, entry->keyword);
}

// Dates and times that no row decides (PS3.15 E.3.6).
Action date_action(const OptionSet& options) {
    if (options.contains(Option::retain_full_dates)) return Action::keep;
    return options.contains(Option::retain_modified_dates) ? Action::shift : Action::dummy;
}

Action uid_action(const OptionSet& options) {
    return options.contains(Option::retain_uids) ? Action::keep : Action::uid;
}

// What a VR allows where nothing is known of the attribute but that.
Action action_by_vr(Vr vr, const OptionSet& options) {
    switch (vr) {
        case Vr::DA:
        case Vr::TM:
        case Vr::DT: return date_action(options);
        case Vr::UI: return uid_action(options);
        case Vr::PN: return Action::dummy;
        case Vr::AE: return options.contains(Option::retain_device) ? Action::clean : Action::dummy;
        case Vr::LO:
        case Vr::SH:
        case Vr::ST:
        case Vr::LT:
        case Vr::UT:
        case Vr::UC: return options.contains(Option::clean_descriptors) ? Action::clean : Action::dummy;
        case Vr::UR: return Action::dummy;
        case Vr::CS:
        case Vr::AS:
        case Vr::DS:
        case Vr::IS: return Action::clean;
        case Vr::OB:
        case Vr::UN:
        case Vr::none: return Action::remove;
        default: return Action::keep;  // numbers, and sequences, which are gone into
    }
}

std::optional<Action> by_option(const TableRow& row, const AttributeFacts& facts, const OptionSet& options) {
    const bool modified = options.contains(Option::retain_modified_dates) &&
                          (row.cleaned_by & bit(Option::retain_modified_dates)) != 0;
    if (modified && is_date(facts.vr)) return Action::shift;
    // Timezone Offset From UTC: without it times would mean something else.
    if (modified && facts.vr == Vr::SH) return Action::keep;
    if (options.intersects(row.kept_by)) return Action::keep;
    if (!options.intersects(row.cleaned_by)) return std::nullopt;
    // Overlays and opaque bytes: nobody here can tell what is in them, so the Basic Profile decides.
    const bool opaque = facts.vr == Vr::OB || facts.vr == Vr::OW || facts.vr == Vr::UN;
    if (opaque) return std::nullopt;
    return Action::clean;
}

Decision private_decision(const Profile& profile, const AttributeFacts& facts) {
    Decision decision;
    decision.vr = facts.vr;
    decision.source = Source::private_element;
    if (!profile.options.contains(Option::retain_safe_private) || facts.creator.empty()) return decision;
    const auto listed = safe_private(facts.creator, facts.tag);
    if (!listed && !facts.stated_safe) return decision;
    decision.source = Source::safe_private;
    if (facts.vr == Vr::UN && listed) decision.vr = *listed;
    if (is_free_text(decision.vr)) {
        decision.action = Action::clean;
    } else {
        decision.action = decision.vr == Vr::OB ? Action::keep : action_by_vr(decision.vr, profile.options);
    }
    return decision;
}

Decision table_decision(const Profile& profile, const AttributeFacts& facts, const TableRow& row,
                        Source source) {
    Decision decision;
    decision.vr = facts.vr;
    decision.source = source;
    decision.cell = row.basic;
    if (const auto chosen = by_option(row, facts, profile.options)) {
        decision.action = *chosen;
        return decision;
    }
    if (row.basic == TableAction::clean) {
        // Our own table: technical text, or a date that looks like one.
        decision.action = Action::clean;
        return decision;
    }
    decision.action = resolved(row.basic, attribute_type(facts.tag, facts.parent, facts.iod), facts.vr);
    return decision;
}

// An attribute whose text stands under a VR of bytes.
bool is_disguised(const AttributeFacts& facts, const dicom::DictionaryEntry& entry) {
    const bool opaque = facts.vr == Vr::OB || facts.vr == Vr::OW || facts.vr == Vr::UN;
    return opaque && dicom::is_text(entry.vr);
}

}  // namespace

ActiveRules::ActiveRules(const Profile& profile, const dicom::DataSet& instance) : profile_(profile) {
    for (std::size_t index = 0; index < profile.rules.size(); ++index) {
        if (profile.rules[index].match.matches(instance))
            active_.push_back(static_cast<std::uint16_t>(index));
    }
}

std::optional<std::uint16_t> ActiveRules::first(const AttributeFacts& facts) const {
    for (const auto index : active_) {
        if (names(profile_.rules[index], facts)) return index;
    }
    return std::nullopt;
}

Action resolved(TableAction cell, AttributeType type, Vr vr) {
    const bool type1 = type == AttributeType::type1 || (type == AttributeType::unknown && vr != Vr::SQ);
    const bool type3 = type == AttributeType::type3;
    switch (cell) {
        case TableAction::remove:
            // The table removes what no IOD needs; where one does, it is not broken (PS3.15 E.1.1).
            if (type == AttributeType::type1) return Action::dummy;
            return type == AttributeType::type2 ? Action::empty : Action::remove;
        case TableAction::empty: return type == AttributeType::type1 ? Action::dummy : Action::empty;
        case TableAction::dummy: return Action::dummy;
        case TableAction::uid:
        case TableAction::remove_empty_or_uid: return Action::uid;
        case TableAction::keep: return Action::keep;
        case TableAction::clean: return Action::clean;
        case TableAction::hash: return Action::hash;
        case TableAction::empty_or_dummy: return type1 ? Action::dummy : Action::empty;
        case TableAction::remove_or_empty:
            return type3 ? Action::remove : type == AttributeType::type1 ? Action::dummy : Action::empty;
        case TableAction::remove_or_dummy: return type3 ? Action::remove : Action::dummy;
        case TableAction::remove_empty_or_dummy:
            if (type3) return Action::remove;
            return type == AttributeType::type2 ? Action::empty : Action::dummy;
    }
    return Action::remove;
}

Decision decide(const Profile& profile, const ActiveRules& rules, const AttributeFacts& facts) {
    const auto* entry = facts.tag.is_private() ? nullptr : dicom::find_tag(facts.tag);
    // Bytes where a sequence should be: in implicit VR nobody could read what follows.
    if (entry != nullptr && entry->vr == Vr::SQ && facts.vr != Vr::SQ) return {};
    if (const auto number = rules.first(facts)) {
        Decision decision;
        decision.action = profile.rules[*number].action;
        decision.source = Source::rule;
        decision.number = *number;
        decision.vr = facts.vr;
        return decision;
    }
    if (facts.tag.is_private()) return private_decision(profile, facts);
    if (const auto* row = find_profile_row(facts.tag))
        return table_decision(profile, facts, *row, Source::table);
    Decision decision;
    decision.vr = facts.vr;
    if (entry == nullptr) {
        decision.source = Source::not_in_dictionary;
        if (profile.unknown == Profile::Unknown::clean)
            decision.action =
                is_free_text(facts.vr) ? Action::clean : action_by_vr(facts.vr, profile.options);
        return decision;
    }
    // What remains of an overlay without its bits is of no use (PS3.3 C.9.2).
    if ((facts.tag.group() & 0xff00u) == 0x6000 || is_disguised(facts, *entry)) return decision;
    if (const auto* row = find_other_row(facts.tag))
        return table_decision(profile, facts, *row, Source::own_table);
    decision.action = action_by_vr(facts.vr, profile.options);
    return decision;
}

std::string to_string(const Decision& decision, const Profile& profile) {
    switch (decision.source) {
        case Source::rule: {
            const auto line = profile.rules[decision.number].line;
            return fmt::format("rule {} ({}:{})", decision.number + 1, profile.file, line);
        }
        case Source::table:
            return fmt::format("PS3.15 {} Table E.1-1: {}", kTableEdition, to_string(decision.cell));
        case Source::own_table:
            return fmt::format("not in Table E.1-1; other_attributes.tsv: {}", to_string(decision.cell));
        case Source::safe_private: return "private, safe by PS3.15 Table E.3.10-1 or (0008,0300)";
        case Source::private_element: return "private, not known to be safe";
        case Source::not_in_dictionary: return "not in the data dictionary";
        case Source::vr:
            return fmt::format("not in Table E.1-1; by its VR {}", dicom::to_string(decision.vr));
    }
    return "";
}

}  // namespace sagitta::deid
