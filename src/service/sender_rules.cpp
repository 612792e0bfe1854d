#include "service/sender_rules.h"

#include <algorithm>

#include "dicom/matching.h"

namespace sagitta::service {
namespace {

bool is_from(const SenderRule& rule, std::string_view calling) {
    if (rule.from.empty()) return true;
    return std::any_of(rule.from.begin(), rule.from.end(),
                       [&](const std::string& pattern) { return dicom::matches_wildcard(pattern, calling); });
}

}  // namespace

deid::Project* project_for(const std::vector<SenderRule>& rules, std::string_view calling,
                           const dicom::DataSet& instance) {
    for (const SenderRule& rule : rules) {
        if (is_from(rule, calling) && rule.match.matches(instance)) return rule.project;
    }
    return nullptr;
}

bool may_deidentify(const std::vector<SenderRule>& rules, std::string_view calling) {
    return std::any_of(rules.begin(), rules.end(), [&](const SenderRule& rule) {
        return rule.project != nullptr && is_from(rule, calling);
    });
}

std::vector<std::string> other_names(const std::vector<SenderRule>& rules, std::string_view calling,
                                     std::string_view sop_instance_uid) {
    std::vector<std::string> names;
    for (const SenderRule& rule : rules) {
        if (rule.project != nullptr && is_from(rule, calling))
            names.push_back(rule.project->new_uid(sop_instance_uid));
    }
    return names;
}

}  // namespace sagitta::service
