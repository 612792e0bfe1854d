#include "service/completeness.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/uid.h"
#include "service/procedure_step_scp.h"

namespace sagitta::service {
namespace tags = dicom::tags;

std::vector<ExpectedInstance> expected_instances(const dicom::DataSet& step) {
    std::vector<ExpectedInstance> found;
    std::unordered_set<std::string> seen;
    const auto performed = step.find(tags::PerformedSeriesSequence);
    if (!performed || performed->vr() != dicom::Vr::SQ) return found;
    for (const auto series : performed->children()) {
        const auto level = series.children();
        for (const auto tag :
             {tags::ReferencedImageSequence, tags::ReferencedNonImageCompositeSOPInstanceSequence}) {
            const auto references = level.find(tag);
            if (!references || references->vr() != dicom::Vr::SQ) continue;
            for (const auto reference : references->children()) {
                const auto item = reference.children();
                const auto instance = item.uid(tags::ReferencedSOPInstanceUID);
                if (!instance || !seen.insert(instance->str()).second) continue;
                const auto sop_class = item.uid(tags::ReferencedSOPClassUID).value_or(dicom::Uid());
                const auto series_uid = level.uid(tags::SeriesInstanceUID).value_or(dicom::Uid());
                found.push_back({series_uid.str(), sop_class.str(), instance->str()});
            }
        }
    }
    return found;
}

bool StepProgress::has_arrived() const noexcept {
    return step.state != storage::StepState::in_progress && missing.empty();
}

Result<StepProgress> progress_of(storage::ProcedureStep step, const storage::InstanceIndex& index) {
    StepProgress progress;
    {
        auto data_set = data_set_of(step);
        if (!data_set) return std::move(data_set).error();
        progress.expected = expected_instances(*data_set);
    }
    step.data_set.clear();
    progress.step = std::move(step);
    for (const auto& one : progress.expected) {
        auto found = index.find_instance(*dicom::Uid::parse(one.sop_instance_uid));
        if (!found) return std::move(found).error();
        if (!*found) progress.missing.push_back(one.sop_instance_uid);
    }
    return progress;
}

Result<std::vector<StepProgress>> progress_of_study(std::string_view study_instance_uid,
                                                    storage::ProcedureStepLog& log,
                                                    const storage::InstanceIndex& index) {
    auto steps = log.of_study(study_instance_uid);
    if (!steps) return std::move(steps).error();
    std::vector<StepProgress> all;
    for (auto& step : *steps) {
        auto progress = progress_of(std::move(step), index);
        if (!progress) return std::move(progress).error();
        all.push_back(std::move(*progress));
    }
    return all;
}

bool prove_complete(const std::vector<StepProgress>& steps) noexcept {
    const auto made = [](const StepProgress& one) {
        return one.step.state == storage::StepState::completed && !one.expected.empty();
    };
    return std::any_of(steps.begin(), steps.end(), made) &&
           std::all_of(steps.begin(), steps.end(), [](const auto& one) { return one.has_arrived(); });
}

}  // namespace sagitta::service
