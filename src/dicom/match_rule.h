// A rule in the words of PS3.6, as configurations and profiles write it: match = { Modality = "CT" },
// not = { StudyDescription = "*PHANTOM*" }. What a value means is PS3.4 C.2.2.2.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set_matching.h"

namespace sagitta::dicom {

/// `Modality = ["CT", "MR"]`: the attribute has one of the values.
struct KeywordCondition {
    std::string keyword;
    std::vector<std::string> values;  ///< in UTF-8
};

/// Immutable once made, then thread-safe.
class MatchRule {
public:
    /// All of them must hold. Errors: invalid_argument for what is no keyword; those of
    /// DataSetMatcher::parse.
    [[nodiscard]] Result<void> require(std::span<const KeywordCondition> conditions);
    /// None of them may hold: each excludes by itself. Errors: the same.
    [[nodiscard]] Result<void> exclude(std::span<const KeywordCondition> conditions);

    [[nodiscard]] bool matches(const DataSet& instance) const;
    /// Asks something: there are instances that do not match.
    [[nodiscard]] bool is_conditional() const noexcept { return required_ || !excluded_.empty(); }

private:
    std::optional<DataSetMatcher> required_;
    std::vector<DataSetMatcher> excluded_;
};

}  // namespace sagitta::dicom
