#include "deid/explain.h"

#include <map>

#include <fmt/format.h>

#include "deid/decision.h"
#include "dicom/dictionary.h"

namespace sagitta::deid {
namespace {

std::string_view type_text(AttributeType type) {
    switch (type) {
        case AttributeType::type1: return "of type 1";
        case AttributeType::type2: return "of type 2";
        case AttributeType::type3: return "of type 3";
        case AttributeType::unknown: return "of unknown type";
    }
    return "";
}

}  // namespace

std::vector<std::string> explain(const Profile& profile, Tag tag) {
    std::vector<std::string> lines;
    const auto* entry = dicom::find_tag(tag);
    AttributeFacts facts;
    facts.tag = tag;
    facts.vr = entry != nullptr ? entry->vr : Vr::UN;
    lines.push_back(fmt::format("{} {} {}", dicom::to_string(tag), dicom::to_string(facts.vr),
                                entry != nullptr ? entry->keyword : "not in the data dictionary"));
    Profile alone = profile;
    for (std::size_t index = 0; index < profile.rules.size(); ++index) {
        Rule rule = profile.rules[index];
        const bool conditional = rule.match.is_conditional();
        rule.match = {};
        alone.rules.assign(1, std::move(rule));
        if (!ActiveRules(alone, dicom::DataSet()).first(facts)) continue;
        lines.push_back(fmt::format("rule {} ({}:{}): {}{}", index + 1, profile.file,
                                    profile.rules[index].line, to_string(profile.rules[index].action),
                                    conditional ? ", where its conditions hold" : ""));
        if (!conditional) return lines;
    }
    alone.rules.clear();
    const ActiveRules none(alone, dicom::DataSet());
    std::map<AttributeType, Decision> by_type;
    by_type.emplace(AttributeType::unknown, decide(alone, none, facts));
    for (int iod = 0; iod < kIodCount; ++iod) {
        facts.iod = static_cast<std::uint8_t>(iod);
        by_type.try_emplace(attribute_type(tag, Tag(), facts.iod), decide(alone, none, facts));
    }
    for (const auto& [type, decision] : by_type) {
        const bool all_the_same = decision.action == by_type.begin()->second.action && by_type.size() == 1;
        lines.push_back(fmt::format("{}{}: {}", to_string(decision, alone),
                                    all_the_same ? "" : fmt::format(", {}", type_text(type)),
                                    to_string(decision.action)));
    }
    return lines;
}

}  // namespace sagitta::deid
