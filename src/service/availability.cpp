#include "service/availability.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/matching.h"

namespace sagitta::service {
namespace {

using dicom::Vr;
namespace tags = dicom::tags;

Result<storage::Query> query_for(dicom::Tag tag, std::string_view uid) {
    auto key = dicom::parse_match_key(tag, Vr::UI, uid);
    if (!key) return std::move(key).error();
    storage::Query query;
    query.level = storage::Level::image;
    query.keys.push_back(std::move(*key));
    return query;
}

/// By one step, or by all of the study that have arrived, also when nobody has noticed yet.
Result<std::unordered_set<std::string>> named_by_steps(std::string_view study_instance_uid,
                                                       std::string_view step_instance_uid,
                                                       storage::ProcedureStepLog& log,
                                                       const storage::InstanceIndex& index) {
    std::unordered_set<std::string> named;
    const auto add = [&](const StepProgress& progress) {
        for (const auto& one : progress.expected) named.insert(one.sop_instance_uid);
    };
    if (!step_instance_uid.empty()) {
        auto step = log.find(step_instance_uid);
        if (!step) return std::move(step).error();
        if (!*step) return named;  // forgotten meanwhile
        auto progress = progress_of(std::move(**step), index);
        if (!progress) return std::move(progress).error();
        add(*progress);
        return named;
    }
    auto steps = progress_of_study(study_instance_uid, log, index);
    if (!steps) return std::move(steps).error();
    for (const auto& progress : *steps)
        if (progress.step.arrived != 0 || progress.has_arrived()) add(progress);
    return named;
}

}  // namespace

dicom::DataSet availability_of(std::string_view study_instance_uid, std::string_view step_instance_uid,
                               const std::vector<ExpectedInstance>& instances,
                               std::string_view retrieve_ae_title) {
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::ReferencedPerformedProcedureStepSequence);
    if (!step_instance_uid.empty()) {
        builder.begin_item();
        builder.add_text(tags::ReferencedSOPClassUID, Vr::UI, dicom::uids::ModalityPerformedProcedureStep);
        builder.add_text(tags::ReferencedSOPInstanceUID, Vr::UI, step_instance_uid);
        builder.begin_sequence(tags::PerformedWorkitemCodeSequence);
        builder.end();
        builder.end();
    }
    builder.end();
    builder.begin_sequence(tags::ReferencedSeriesSequence);
    for (auto at = instances.begin(); at != instances.end();) {
        const auto& series = at->series_instance_uid;
        builder.begin_item();
        builder.begin_sequence(tags::ReferencedSOPSequence);
        for (; at != instances.end() && at->series_instance_uid == series; ++at) {
            builder.begin_item();
            builder.add_text(tags::RetrieveAETitle, Vr::AE, retrieve_ae_title);
            builder.add_text(tags::InstanceAvailability, Vr::CS, "ONLINE");
            builder.add_text(tags::ReferencedSOPClassUID, Vr::UI, at->sop_class_uid);
            builder.add_text(tags::ReferencedSOPInstanceUID, Vr::UI, at->sop_instance_uid);
            builder.end();
        }
        builder.end();
        builder.add_text(tags::SeriesInstanceUID, Vr::UI, series);
        builder.end();
    }
    builder.end();
    builder.add_text(tags::StudyInstanceUID, Vr::UI, study_instance_uid);
    return builder.finish();
}

Result<std::vector<ExpectedInstance>> instances_to_tell(std::string_view study_instance_uid,
                                                        std::string_view step_instance_uid,
                                                        storage::ProcedureStepLog& log,
                                                        const storage::InstanceIndex& index) {
    auto named = named_by_steps(study_instance_uid, step_instance_uid, log, index);
    if (!named) return std::move(named).error();
    auto query = query_for(tags::StudyInstanceUID, study_instance_uid);
    if (!query) return std::move(query).error();
    std::vector<ExpectedInstance> instances;
    const bool wants_named = !step_instance_uid.empty();
    auto found = index.find(*query, [&](const storage::Match& match) {
        std::string uid(match.value(tags::SOPInstanceUID));
        if (named->contains(uid) == wants_named)
            instances.push_back({std::string(match.value(tags::SeriesInstanceUID)),
                                 std::string(match.value(tags::SOPClassUID)), std::move(uid)});
        return true;
    });
    if (!found) return std::move(found).error();
    std::stable_sort(instances.begin(), instances.end(), [](const auto& a, const auto& b) {
        return a.series_instance_uid < b.series_instance_uid;
    });
    return instances;
}

Result<std::vector<std::string>> studies_of(const StepProgress& progress,
                                            const storage::InstanceIndex& index) {
    std::vector<std::string> studies;
    std::unordered_set<std::string_view> series;
    for (const auto& one : progress.expected) {
        if (!series.insert(one.series_instance_uid).second) continue;
        auto query = query_for(tags::SOPInstanceUID, one.sop_instance_uid);
        if (!query) return std::move(query).error();
        auto found = index.find(*query, [&](const storage::Match& match) {
            std::string study(match.value(tags::StudyInstanceUID));
            if (std::find(studies.begin(), studies.end(), study) == studies.end())
                studies.push_back(std::move(study));
            return true;
        });
        if (!found) return std::move(found).error();
    }
    return studies;
}

}  // namespace sagitta::service
