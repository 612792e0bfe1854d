#include "app/deletion.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dicom/generated/tags.h"

namespace sagitta::app {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

storage::Query instances_of(const storage::Scope& scope) {
    storage::Query query;
    query.level = storage::Level::image;
    const auto add = [&](dicom::Tag tag, Vr vr, const std::vector<std::string>& values) {
        if (values.empty()) return;
        const auto kind = values.size() == 1 ? dicom::MatchKind::single_value : dicom::MatchKind::list;
        query.keys.push_back({tag, vr, kind, values});
    };
    add(tags::PatientID, Vr::LO, scope.patient_ids);
    add(tags::StudyInstanceUID, Vr::UI, scope.study_instance_uids);
    add(tags::SeriesInstanceUID, Vr::UI, scope.series_instance_uids);
    add(tags::SOPInstanceUID, Vr::UI, scope.sop_instance_uids);
    return query;
}

using Studies = std::map<std::string, audit::StudyObjects>;

Result<Studies> studies_of(const storage::InstanceIndex& index, const storage::Scope& scope) {
    Studies studies;
    auto found = index.find(instances_of(scope), [&](const storage::Match& match) {
        std::string uid(match.value(tags::StudyInstanceUID));
        auto& study = studies[uid];
        study.study_instance_uid = std::move(uid);
        study.patient_id = match.value(tags::PatientID);
        ++study.instances[std::string(match.value(tags::SOPClassUID))];
        return true;
    });
    if (!found) return std::move(found).error();
    return studies;
}

}  // namespace

Deletion::Deletion(storage::Archive& archive, audit::AuditTrail* trail, audit::Node by)
    : archive_(archive), trail_(trail), by_(std::move(by)) {
    by_.requestor = true;
}

Result<storage::KeeperReport> Deletion::remove(const storage::Scope& scope,
                                               const storage::RemovalOptions& options) {
    if (trail_ == nullptr) return archive_.keeper().remove(scope, options);
    auto studies = studies_of(archive_.index(), scope);  // afterwards nobody could tell
    if (!studies) return std::move(studies).error();
    auto removed = archive_.keeper().remove(scope, options);
    const bool is_harmless =
        !removed && (removed.error().code == Errc::refused || removed.error().code == Errc::not_found);
    if (is_harmless) return removed;
    for (auto& [uid, objects] : *studies) {
        audit::Event event;
        event.kind = audit::Kind::study_deleted;
        event.outcome = removed ? audit::Outcome::success : audit::Outcome::serious_failure;
        event.source = by_;
        event.studies.push_back(std::move(objects));
        trail_->record(std::move(event));
    }
    return removed;
}

}  // namespace sagitta::app
