#include "dicom/match_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"

namespace sagitta::dicom {
namespace {

Result<DataSetMatcher> matcher(std::span<const KeywordCondition> conditions) {
    DataSet identifier;
    identifier.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
    for (const auto& condition : conditions) {
        const auto* entry = find_keyword(condition.keyword);
        if (entry == nullptr) {
            const auto near = suggest_keyword(condition.keyword);
            return Error(Errc::invalid_argument,
                         fmt::format("'{}' is no keyword of PS3.6{}", condition.keyword,
                                     near.empty() ? "" : fmt::format(": did you mean '{}'?", near)));
        }
        // Numbers as text; the matcher knows what the attribute is.
        identifier.set_text(entry->tag, is_text(entry->vr) ? entry->vr : Vr::UT,
                            fmt::format("{}", fmt::join(condition.values, "\\")));
    }
    return DataSetMatcher::parse(identifier);
}

}  // namespace

Result<void> MatchRule::require(std::span<const KeywordCondition> conditions) {
    auto made = matcher(conditions);
    if (!made) return std::move(made).error();
    required_ = std::move(*made);
    return {};
}

Result<void> MatchRule::exclude(std::span<const KeywordCondition> conditions) {
    for (const auto& condition : conditions) {
        auto made = matcher({&condition, 1});
        if (!made) return std::move(made).error();
        excluded_.push_back(std::move(*made));
    }
    return {};
}

bool MatchRule::matches(const DataSet& instance) const {
    if (required_ && !required_->matches(instance)) return false;
    return std::none_of(excluded_.begin(), excluded_.end(),
                        [&](const DataSetMatcher& one) { return one.matches(instance); });
}

}  // namespace sagitta::dicom
