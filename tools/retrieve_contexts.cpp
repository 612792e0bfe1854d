#include "retrieve_contexts.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"
#include "dicom/uid.h"

namespace sagitta::tools {
namespace {

namespace uids = dicom::uids;

// One context for each transfer syntax. Nine classes of eight: with the model and the classes below
// they stay within 128.
constexpr std::string_view kCommonClasses[] = {
    uids::CTImageStorage,
    uids::MRImageStorage,
    uids::ComputedRadiographyImageStorage,
    uids::DigitalXRayImageStorageForPresentation,
    uids::DigitalMammographyXRayImageStorageForPresentation,
    uids::UltrasoundImageStorage,
    uids::UltrasoundMultiFrameImageStorage,
    uids::SecondaryCaptureImageStorage,
    uids::XRayAngiographicImageStorage,
};
// One context each.
constexpr std::string_view kOtherClasses[] = {
    uids::PositronEmissionTomographyImageStorage,
    uids::NuclearMedicineImageStorage,
    uids::EnhancedCTImageStorage,
    uids::EnhancedMRImageStorage,
    uids::EnhancedPETImageStorage,
    uids::XRayRadiofluoroscopicImageStorage,
    uids::EnhancedXAImageStorage,
    uids::EnhancedXRFImageStorage,
    uids::XRay3DAngiographicImageStorage,
    uids::BreastTomosynthesisImageStorage,
    uids::DigitalXRayImageStorageForProcessing,
    uids::DigitalMammographyXRayImageStorageForProcessing,
    uids::DigitalIntraOralXRayImageStorageForPresentation,
    uids::MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    uids::MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    uids::MultiFrameTrueColorSecondaryCaptureImageStorage,
    uids::MultiFrameSingleBitSecondaryCaptureImageStorage,
    uids::EnhancedUSVolumeStorage,
    uids::VLEndoscopicImageStorage,
    uids::VideoEndoscopicImageStorage,
    uids::VLMicroscopicImageStorage,
    uids::VLPhotographicImageStorage,
    uids::VLWholeSlideMicroscopyImageStorage,
    uids::OphthalmicPhotography8BitImageStorage,
    uids::OphthalmicTomographyImageStorage,
    uids::DermoscopicPhotographyImageStorage,
    uids::SegmentationStorage,
    uids::LabelMapSegmentationStorage,
    uids::SurfaceSegmentationStorage,
    uids::ParametricMapStorage,
    uids::RawDataStorage,
    uids::SpatialRegistrationStorage,
    uids::DeformableSpatialRegistrationStorage,
    uids::RealWorldValueMappingStorage,
    uids::GrayscaleSoftcopyPresentationStateStorage,
    uids::ColorSoftcopyPresentationStateStorage,
    uids::BlendingSoftcopyPresentationStateStorage,
    uids::BasicTextSRStorage,
    uids::EnhancedSRStorage,
    uids::ComprehensiveSRStorage,
    uids::Comprehensive3DSRStorage,
    uids::KeyObjectSelectionDocumentStorage,
    uids::XRayRadiationDoseSRStorage,
    uids::MammographyCADSRStorage,
    uids::ChestCADSRStorage,
    uids::EncapsulatedPDFStorage,
    uids::TwelveLeadECGWaveformStorage,
    uids::GeneralECGWaveformStorage,
    uids::RTImageStorage,
    uids::RTDoseStorage,
    uids::RTStructureSetStorage,
    uids::RTPlanStorage,
    uids::RTIonPlanStorage,
    uids::RTBeamsTreatmentRecordStorage,
};
constexpr std::string_view kSyntaxes[] = {
    uids::ExplicitVRLittleEndian, uids::ImplicitVRLittleEndian, uids::JPEGLosslessSV1, uids::JPEG2000Lossless,
    uids::JPEGLSLossless,         uids::JPEGBaseline8Bit,       uids::JPEG2000,        uids::RLELossless,
};
// Offered beside those where one context holds them all anyway.
constexpr std::string_view kMoreSyntaxes[] = {
    uids::DeflatedExplicitVRLittleEndian,
    uids::ExplicitVRBigEndian,
    uids::JPEGExtended12Bit,
    uids::JPEGLossless,
    uids::JPEGLSNearLossless,
};

std::string_view keyword_of(std::string_view uid) {
    const auto* entry = dicom::find_uid(uid);
    return entry != nullptr ? entry->keyword : std::string_view();
}

Result<std::string> sop_class(const std::string& text) {
    if (text.find_first_not_of("0123456789.") == std::string::npos && dicom::Uid::parse(text)) return text;
    for (const auto uid : kCommonClasses) {
        if (keyword_of(uid) == text) return std::string(uid);
    }
    for (const auto uid : kOtherClasses) {
        if (keyword_of(uid) == text) return std::string(uid);
    }
    return Error(
        Errc::invalid_argument,
        fmt::format("--sop-class: '{}' is no UID and no keyword of the common classes", log::escaped(text)));
}

Result<std::string> transfer_syntax(const std::string& text) {
    for (const auto& syntax : dicom::transfer_syntaxes()) {
        if (syntax.uid == text || keyword_of(syntax.uid) == text) return std::string(syntax.uid);
    }
    return Error(Errc::invalid_argument,
                 fmt::format("--transfer-syntax: '{}' is no transfer syntax known here", log::escaped(text)));
}

}  // namespace

Result<std::vector<net::scu::WantedContext>> retrieve_contexts(
    std::span<const std::string> sop_classes, std::span<const std::string> transfer_syntaxes) {
    std::vector<std::string> classes;
    std::vector<std::string> syntaxes;
    for (const auto& text : sop_classes) {
        auto uid = sop_class(text);
        if (!uid) return std::move(uid).error();
        classes.push_back(std::move(*uid));
    }
    for (const auto& text : transfer_syntaxes) {
        auto uid = transfer_syntax(text);
        if (!uid) return std::move(uid).error();
        syntaxes.push_back(std::move(*uid));
    }
    const bool all_classes = classes.empty();
    if (all_classes) {
        classes.assign(std::begin(kCommonClasses), std::end(kCommonClasses));
        classes.insert(classes.end(), std::begin(kOtherClasses), std::end(kOtherClasses));
    }
    const bool all_syntaxes = syntaxes.empty();
    if (all_syntaxes) syntaxes.assign(std::begin(kSyntaxes), std::end(kSyntaxes));
    std::vector<net::scu::WantedContext> wanted;
    for (std::size_t n = 0; n < classes.size(); ++n) {
        net::scu::WantedContext wish;
        wish.sop_class_uid = classes[n];
        wish.transfer_syntaxes = syntaxes;
        wish.as_scp = true;
        const bool shared = !all_classes || n >= std::size(kCommonClasses);
        if (all_syntaxes && shared) {
            wish.transfer_syntaxes.insert(wish.transfer_syntaxes.end(), std::begin(kMoreSyntaxes),
                                          std::end(kMoreSyntaxes));
        }
        wanted.push_back(std::move(wish));
    }
    return wanted;
}

}  // namespace sagitta::tools
