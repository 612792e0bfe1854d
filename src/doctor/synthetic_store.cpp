#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/byte_buffer.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"
#include "dicom/writer.h"
#include "doctor/examiner.h"
#include "net/dimse/payload.h"

namespace sagitta::doctor {

namespace tags = dicom::tags;
namespace uids = dicom::uids;

namespace {

constexpr std::string_view kPatientId = "SAGITTA-DOCTOR";

/// A secondary capture (PS3.3 A.8.1) of 16 × 16 grey pixels, of nobody.
dicom::DataSet synthetic_object(const dicom::Uid& study, const dicom::Uid& instance) {
    using dicom::Vr;
    dicom::DataSet object;
    object.set_text(tags::SOPClassUID, Vr::UI, uids::SecondaryCaptureImageStorage);
    object.set_text(tags::SOPInstanceUID, Vr::UI, instance.view());
    for (const auto tag : {tags::StudyDate, tags::PatientBirthDate}) object.set_text(tag, Vr::DA, "");
    object.set_text(tags::StudyTime, Vr::TM, "");
    object.set_text(tags::AccessionNumber, Vr::SH, "");
    object.set_text(tags::Modality, Vr::CS, "OT");
    object.set_text(tags::ConversionType, Vr::CS, "SYN");
    object.set_text(tags::ReferringPhysicianName, Vr::PN, "");
    object.set_text(tags::StudyDescription, Vr::LO, "Connection test");
    object.set_text(tags::PatientName, Vr::PN, "Test^Connection");
    object.set_text(tags::PatientID, Vr::LO, kPatientId);
    object.set_text(tags::PatientSex, Vr::CS, "");
    object.set_text(tags::StudyInstanceUID, Vr::UI, study.view());
    object.set_text(tags::SeriesInstanceUID, Vr::UI, dicom::Uid::generate().view());
    object.set_text(tags::StudyID, Vr::SH, "");
    object.set_text(tags::SeriesNumber, Vr::IS, "1");
    object.set_text(tags::InstanceNumber, Vr::IS, "1");
    object.set_uint16(tags::SamplesPerPixel, 1);
    object.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME2");
    object.set_uint16(tags::Rows, 16);
    object.set_uint16(tags::Columns, 16);
    object.set_uint16(tags::BitsAllocated, 8);
    object.set_uint16(tags::BitsStored, 8);
    object.set_uint16(tags::HighBit, 7);
    object.set_uint16(tags::PixelRepresentation, 0);
    const std::array<std::byte, 256> pixels{};
    object.set(tags::PixelData, Vr::OB, pixels);
    return object;
}

}  // namespace

Task<void> Examiner::store_object(Finding& finding) {
    finding.verdict = Verdict::fails;
    auto wanted = plain_context(uids::SecondaryCaptureImageStorage);
    auto made = co_await attempt(what_.peer, what_.settings, std::move(wanted));
    if (!made.client) {
        finding.what = made.error.message();
        co_return;
    }
    const auto* context = made.client->context_for(uids::SecondaryCaptureImageStorage);
    if (context == nullptr) {
        finding.what = "the peer takes no Secondary Capture Image Storage in an uncompressed syntax";
        finding.advice.push_back("On the peer: allow C-STORE to " + names_.calling + ".");
        co_return;
    }
    const auto study = dicom::Uid::generate();
    net::scu::StoreOperation operation;
    operation.sop_class_uid = *dicom::Uid::parse(uids::SecondaryCaptureImageStorage);
    operation.sop_instance_uid = dicom::Uid::generate();
    operation.transfer_syntax_uid = context->transfer_syntax;
    const auto object = synthetic_object(study, operation.sop_instance_uid);
    ByteBuffer encoded;
    auto written =
        dicom::write_data_set(object, *dicom::find_transfer_syntax(context->transfer_syntax), encoded);
    if (!written) {
        finding.what = written.error().message();
        co_return;
    }
    net::dimse::MemoryPayload payload(std::as_const(encoded).span());
    auto outcome = co_await made.client->store(operation, payload);
    if (!outcome) {
        finding.what = outcome.error().message();
        co_return;
    }
    (void)co_await made.client->release();
    if (outcome->status != net::dimse::Status::success && !net::dimse::is_warning(outcome->status)) {
        explain_status(finding, *outcome, "C-STORE", names_);
        co_return;
    }
    finding.verdict = Verdict::works;
    finding.what = "one synthetic object stored: " + in_words(*outcome);
    finding.advice.push_back(fmt::format(
        "On the peer: DICOM has no way to delete; remove patient {} (study {}) with the peer's own means.",
        kPatientId, study.view()));
}

void Examiner::store() {
    if (!what_.store) return;
    Finding finding;
    finding.step = "store";
    const auto start = std::chrono::steady_clock::now();
    io_.run(store_object(finding));
    finding.milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    add(std::move(finding));
}

}  // namespace sagitta::doctor
