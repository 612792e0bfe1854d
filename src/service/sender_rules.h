// What happens to what comes in, by who sent it and what it is: [[sender]] of the configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deid/project.h"
#include "dicom/match_rule.h"

namespace sagitta::service {

struct SenderRule {
    std::vector<std::string> from;     ///< calling AE titles with * and ?; empty: anybody's
    dicom::MatchRule match;            ///< of the instance as it came
    deid::Project* project = nullptr;  ///< only its de-identified form is filed; null: as it came. Not owned
};

/// Of the first rule that applies; null when the instance is to be filed as it came.
[[nodiscard]] deid::Project* project_for(const std::vector<SenderRule>& rules, std::string_view calling,
                                         const dicom::DataSet& instance);

/// Whether something that `calling` sends may be filed de-identified.
[[nodiscard]] bool may_deidentify(const std::vector<SenderRule>& rules, std::string_view calling);

/// Under which SOP Instance UIDs what `calling` sent may be filed instead of its own.
[[nodiscard]] std::vector<std::string> other_names(const std::vector<SenderRule>& rules,
                                                   std::string_view calling,
                                                   std::string_view sop_instance_uid);

}  // namespace sagitta::service
