#include "service/filing.h"

#include <utility>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "service/await.h"
#include "service/dimse_status.h"

namespace sagitta::service {

using net::dimse::Outcome;

Result<void> check_identity(const dicom::DataSet& data_set, const net::dimse::StoreRequest& request) {
    const auto sop_class = data_set.uid(dicom::tags::SOPClassUID);
    const auto sop_instance = data_set.uid(dicom::tags::SOPInstanceUID);
    if (!sop_class) return Error(Errc::malformed, "SOP Class UID (0008,0016) missing or invalid");
    if (!sop_instance) return Error(Errc::malformed, "SOP Instance UID (0008,0018) missing or invalid");
    if (*sop_class != request.sop_class_uid) {
        return Error(Errc::mismatch, "SOP Class UID (0008,0016) is not the Affected one");
    }
    if (*sop_instance != request.sop_instance_uid) {
        return Error(Errc::mismatch, "SOP Instance UID (0008,0018) is not the Affected one");
    }
    return {};
}

/// Beyond what we read is not "out of resources": a sender told A700 would try for ever.
Error unreadable(Error error) {
    if (error.code == Errc::limit_exceeded) error.code = Errc::unsupported;
    return error;
}

dicom::FileMeta meta_of(const net::dimse::StoreRequest& request,
                        const net::dimse::AssociationInfo& association) {
    dicom::FileMeta meta;
    meta.sop_class_uid = request.sop_class_uid;
    meta.sop_instance_uid = request.sop_instance_uid;
    meta.transfer_syntax_uid = request.transfer_syntax_uid;
    meta.source_ae_title = association.calling.str();
    return meta;
}

Task<Outcome> file(storage::Archive& archive, const StorageScpSettings& settings,
                   const net::dimse::AssociationInfo& association, storage::IncomingInstance instance) {
    const auto bytes = instance.record.data_set_length;
    FiledInstance told;
    if (settings.on_filed) {
        told.study_instance_uid = instance.record.study_instance_uid.str();
        told.patient_id = instance.record.value(dicom::tags::PatientID);
        told.sop_class_uid = instance.record.sop_class_uid;
    }
    auto submit = [&archive, &instance](auto done) {
        return archive.submit(std::move(instance), std::move(done));
    };
    auto answer = co_await await_callback<Result<storage::IngestOutcome>>(std::move(submit));
    if (!answer) co_return store_outcome(answer.error());
    if (*answer == storage::IngestOutcome::conflict_quarantined) {
        log::warning(
            "association={} peer={} sent other content for a stored SOP Instance: kept in quarantine",
            association.id, association.peer_address);
    }
    if (settings.on_filed) settings.on_filed(association, told);
    log::debug("association={} stored bytes={}", association.id, bytes);
    co_return Outcome();
}

}  // namespace sagitta::service
