#include "dicom/dicomdir_records.h"

#include <algorithm>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/uid.h"

namespace sagitta::dicom {
namespace {

constexpr KeyType k1 = KeyType::type_1;
constexpr KeyType k1C = KeyType::type_1c;
constexpr KeyType k2 = KeyType::type_2;

constexpr DirectoryKey kPatient[] = {{tags::PatientName, k2}, {tags::PatientID, k1}};
constexpr DirectoryKey kStudy[] = {
    {tags::StudyDate, k1},        {tags::StudyTime, k1},         {tags::AccessionNumber, k2},
    {tags::StudyDescription, k2}, {tags::StudyInstanceUID, k1C}, {tags::StudyID, k1},
};
constexpr DirectoryKey kSeries[] = {
    {tags::Modality, k1}, {tags::SeriesInstanceUID, k1}, {tags::SeriesNumber, k1}};
constexpr DirectoryKey kInstance[] = {{tags::InstanceNumber, k1}};
constexpr DirectoryKey kRtDose[] = {{tags::InstanceNumber, k1}, {tags::DoseSummationType, k1}};
constexpr DirectoryKey kRtStructureSet[] = {{tags::InstanceNumber, k1},
                                            {tags::StructureSetLabel, k1},
                                            {tags::StructureSetDate, k2},
                                            {tags::StructureSetTime, k2}};
constexpr DirectoryKey kRtPlan[] = {
    {tags::InstanceNumber, k1}, {tags::RTPlanLabel, k1}, {tags::RTPlanDate, k2}, {tags::RTPlanTime, k2}};
constexpr DirectoryKey kRtTreatmentRecord[] = {
    {tags::InstanceNumber, k1}, {tags::TreatmentDate, k2}, {tags::TreatmentTime, k2}};
constexpr DirectoryKey kPresentation[] = {
    {tags::ReferencedSeriesSequence, k1C},
    {tags::InstanceNumber, k1},
    {tags::ContentLabel, k1},
    {tags::ContentDescription, k2},
    {tags::PresentationCreationDate, k1},
    {tags::PresentationCreationTime, k1},
    {tags::ContentCreatorName, k2},
    {tags::BlendingSequence, k1C},
};
constexpr DirectoryKey kContent[] = {
    {tags::ContentDate, k1}, {tags::ContentTime, k1}, {tags::InstanceNumber, k1}};
constexpr DirectoryKey kRawData[] = {
    {tags::ContentDate, k1}, {tags::ContentTime, k1}, {tags::InstanceNumber, k2}};
constexpr DirectoryKey kContentIdentification[] = {
    {tags::ContentDate, k1},  {tags::ContentTime, k1},        {tags::InstanceNumber, k1},
    {tags::ContentLabel, k1}, {tags::ContentDescription, k2}, {tags::ContentCreatorName, k2},
};
constexpr DirectoryKey kSrDocument[] = {
    {tags::ContentDate, k1},
    {tags::ContentTime, k1},
    {tags::InstanceNumber, k1},
    {tags::VerificationDateTime, k1C},
    {tags::ConceptNameCodeSequence, k1},
    {tags::CompletionFlag, k1},
    {tags::VerificationFlag, k1},
    {tags::ContentSequence, k1C},
};
constexpr DirectoryKey kKeyObject[] = {
    {tags::ContentDate, k1},      {tags::ContentTime, k1},
    {tags::InstanceNumber, k1},   {tags::ConceptNameCodeSequence, k1},
    {tags::ContentSequence, k1C},
};
constexpr DirectoryKey kSpectroscopy[] = {
    {tags::ImageType, k1},      {tags::ContentDate, k1},
    {tags::ContentTime, k1},    {tags::ReferencedImageEvidenceSequence, k1C},
    {tags::InstanceNumber, k1}, {tags::NumberOfFrames, k1},
    {tags::Rows, k1},           {tags::Columns, k1},
    {tags::DataPointRows, k1},  {tags::DataPointColumns, k1},
};
constexpr DirectoryKey kHangingProtocol[] = {
    {tags::HangingProtocolName, k1},
    {tags::HangingProtocolDescription, k1},
    {tags::HangingProtocolLevel, k1},
    {tags::HangingProtocolCreator, k1},
    {tags::HangingProtocolCreationDateTime, k1},
    {tags::HangingProtocolDefinitionSequence, k1},
    {tags::HangingProtocolUserIdentificationCodeSequence, k2},
    {tags::NumberOfPriorsReferenced, k1},
};
constexpr DirectoryKey kEncapsulatedDocument[] = {
    {tags::ContentDate, k2},
    {tags::ContentTime, k2},
    {tags::InstanceNumber, k1},
    {tags::ConceptNameCodeSequence, k2},
    {tags::HL7InstanceIdentifier, k1C},
    {tags::DocumentTitle, k2},
    {tags::MIMETypeOfEncapsulatedDocument, k1},
};
constexpr DirectoryKey kPalette[] = {{tags::ContentLabel, k1}, {tags::ContentDescription, k2}};
constexpr DirectoryKey kSurfaceScan[] = {{tags::ContentDate, k1}, {tags::ContentTime, k1}};
constexpr DirectoryKey kImplant[] = {{tags::Manufacturer, k1},
                                     {tags::ImplantName, k1},
                                     {tags::ImplantSize, k1C},
                                     {tags::ImplantPartNumber, k1}};
constexpr DirectoryKey kImplantAssembly[] = {
    {tags::Manufacturer, k1}, {tags::ImplantAssemblyTemplateName, k1}, {tags::ProcedureTypeCodeSequence, k1}};
constexpr DirectoryKey kImplantGroup[] = {{tags::ImplantTemplateGroupName, k1},
                                          {tags::ImplantTemplateGroupIssuer, k1}};
constexpr DirectoryKey kAssessment[] = {
    {tags::InstanceCreationDate, k1}, {tags::InstanceCreationTime, k2}, {tags::InstanceNumber, k1}};
constexpr DirectoryKey kRadiotherapy[] = {
    {tags::InstanceNumber, k1}, {tags::UserContentLabel, k1C}, {tags::UserContentLongLabel, k1C}};

constexpr DirectoryRecordType kTypes[] = {
    {"PATIENT", kPatient, true},
    {"STUDY", kStudy, false},
    {"SERIES", kSeries, false},
    {"IMAGE", kInstance, false},
    {"RT DOSE", kRtDose, false},
    {"RT STRUCTURE SET", kRtStructureSet, false},
    {"RT PLAN", kRtPlan, false},
    {"RT TREAT RECORD", kRtTreatmentRecord, false},
    {"PRESENTATION", kPresentation, false},
    {"WAVEFORM", kContent, false},
    {"SR DOCUMENT", kSrDocument, false},
    {"KEY OBJECT DOC", kKeyObject, false},
    {"SPECTROSCOPY", kSpectroscopy, false},
    {"RAW DATA", kRawData, false},
    {"REGISTRATION", kContentIdentification, false},
    {"FIDUCIAL", kContentIdentification, false},
    {"HANGING PROTOCOL", kHangingProtocol, true},
    {"ENCAP DOC", kEncapsulatedDocument, false},
    {"VALUE MAP", kContentIdentification, false},
    {"STEREOMETRIC", {}, false},
    {"PALETTE", kPalette, true},
    {"SURFACE", kContentIdentification, false},
    {"SURFACE SCAN", kSurfaceScan, false},
    {"MEASUREMENT", kContentIdentification, false},
    {"TRACT", kContentIdentification, false},
    {"ANNOTATION", kContentIdentification, false},
    {"ASSESSMENT", kAssessment, false},
    {"RADIOTHERAPY", kRadiotherapy, false},
    {"PLAN", {}, false},
    {"IMPLANT", kImplant, true},
    {"IMPLANT ASSY", kImplantAssembly, true},
    {"IMPLANT GROUP", kImplantGroup, true},
};

using Row = std::pair<std::string_view, std::string_view>;

constexpr Row kBySopClass[] = {
    {uids::RTDoseStorage, "RT DOSE"},
    {uids::RTStructureSetStorage, "RT STRUCTURE SET"},
    {uids::RTPlanStorage, "RT PLAN"},
    {uids::RTIonPlanStorage, "RT PLAN"},
    {uids::RTBeamsTreatmentRecordStorage, "RT TREAT RECORD"},
    {uids::RTBrachyTreatmentRecordStorage, "RT TREAT RECORD"},
    {uids::RTTreatmentSummaryRecordStorage, "RT TREAT RECORD"},
    {uids::RTIonBeamsTreatmentRecordStorage, "RT TREAT RECORD"},
    {uids::RTPhysicianIntentStorage, "RADIOTHERAPY"},
    {uids::RTSegmentAnnotationStorage, "RADIOTHERAPY"},
    {uids::RTRadiationSetStorage, "RADIOTHERAPY"},
    {uids::CArmPhotonElectronRadiationStorage, "RADIOTHERAPY"},
    {uids::TomotherapeuticRadiationStorage, "RADIOTHERAPY"},
    {uids::RoboticArmRadiationStorage, "RADIOTHERAPY"},
    {uids::RTRadiationRecordSetStorage, "RADIOTHERAPY"},
    {uids::RTRadiationSalvageRecordStorage, "RADIOTHERAPY"},
    {uids::TomotherapeuticRadiationRecordStorage, "RADIOTHERAPY"},
    {uids::CArmPhotonElectronRadiationRecordStorage, "RADIOTHERAPY"},
    {uids::RoboticRadiationRecordStorage, "RADIOTHERAPY"},
    {uids::RTRadiationSetDeliveryInstructionStorage, "RADIOTHERAPY"},
    {uids::RTTreatmentPreparationStorage, "RADIOTHERAPY"},
    {uids::RTPatientPositionAcquisitionInstructionStorage, "RADIOTHERAPY"},
    {uids::RTBeamsDeliveryInstructionStorageTrial, "PLAN"},
    {uids::KeyObjectSelectionDocumentStorage, "KEY OBJECT DOC"},
    {uids::ProcedureLogStorage, "SR DOCUMENT"},
    {uids::SpectaclePrescriptionReportStorage, "SR DOCUMENT"},
    {uids::MacularGridThicknessAndVolumeReportStorage, "SR DOCUMENT"},
    {uids::MRSpectroscopyStorage, "SPECTROSCOPY"},
    {uids::RawDataStorage, "RAW DATA"},
    {uids::SpatialRegistrationStorage, "REGISTRATION"},
    {uids::DeformableSpatialRegistrationStorage, "REGISTRATION"},
    {uids::SpatialFiducialsStorage, "FIDUCIAL"},
    {uids::SegmentationStorage, "IMAGE"},
    {uids::LabelMapSegmentationStorage, "IMAGE"},
    {uids::HeightMapSegmentationStorage, "IMAGE"},
    {uids::ParametricMapStorage, "IMAGE"},
    {uids::EnhancedUSVolumeStorage, "IMAGE"},
    {uids::OphthalmicThicknessMapStorage, "IMAGE"},
    {uids::CornealTopographyMapStorage, "IMAGE"},
    {uids::OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage, "IMAGE"},
    {uids::SurfaceSegmentationStorage, "SURFACE"},
    {uids::SurfaceScanMeshStorage, "SURFACE SCAN"},
    {uids::SurfaceScanPointCloudStorage, "SURFACE SCAN"},
    {uids::TractographyResultsStorage, "TRACT"},
    {uids::RealWorldValueMappingStorage, "VALUE MAP"},
    {uids::StereometricRelationshipStorage, "STEREOMETRIC"},
    {uids::LensometryMeasurementsStorage, "MEASUREMENT"},
    {uids::AutorefractionMeasurementsStorage, "MEASUREMENT"},
    {uids::KeratometryMeasurementsStorage, "MEASUREMENT"},
    {uids::SubjectiveRefractionMeasurementsStorage, "MEASUREMENT"},
    {uids::VisualAcuityMeasurementsStorage, "MEASUREMENT"},
    {uids::OphthalmicAxialMeasurementsStorage, "MEASUREMENT"},
    {uids::IntraocularLensCalculationsStorage, "MEASUREMENT"},
    {uids::OphthalmicVisualFieldStaticPerimetryMeasurementsStorage, "MEASUREMENT"},
    {uids::MicroscopyBulkSimpleAnnotationsStorage, "ANNOTATION"},
    {uids::ContentAssessmentResultsStorage, "ASSESSMENT"},
    {uids::BasicStructuredDisplayStorage, "PRESENTATION"},
    {uids::HangingProtocolStorage, "HANGING PROTOCOL"},
    {uids::ColorPaletteStorage, "PALETTE"},
    {uids::GenericImplantTemplateStorage, "IMPLANT"},
    {uids::ImplantAssemblyTemplateStorage, "IMPLANT ASSY"},
    {uids::ImplantTemplateGroupStorage, "IMPLANT GROUP"},
};

// The families whose keywords (PS3.6 Annex A) say what they are; the first that fits.
constexpr Row kByKeyword[] = {
    {"SRStorage", "SR DOCUMENT"},    {"PresentationState", "PRESENTATION"},
    {"WaveformStorage", "WAVEFORM"}, {"Encapsulated", "ENCAP DOC"},
    {"ImageStorage", "IMAGE"},
};

}  // namespace

const DirectoryRecordType* find_directory_record_type(std::string_view name) noexcept {
    const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                     [name](const DirectoryRecordType& type) { return type.name == name; });
    return found == std::end(kTypes) ? nullptr : found;
}

const DirectoryRecordType* directory_record_type_of(std::string_view sop_class_uid) noexcept {
    for (const auto& [uid, name] : kBySopClass) {
        if (uid == sop_class_uid) return find_directory_record_type(name);
    }
    const UidEntry* entry = find_uid(sop_class_uid);
    if (entry == nullptr || !entry->is_storage_sop_class) return nullptr;
    for (const auto& [part, name] : kByKeyword) {
        if (entry->keyword.find(part) != std::string_view::npos) return find_directory_record_type(name);
    }
    return nullptr;
}

}  // namespace sagitta::dicom
