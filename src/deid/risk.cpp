#include "deid/risk.h"

#include <algorithm>
#include <array>

#include "dicom/generated/tags.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Tag;

constexpr std::string_view kStorage = "1.2.840.10008.5.1.4.1.1.";

// Below 1.2.840.10008.5.1.4.1.1: secondary capture, ultrasound, visible light, video, raw screens.
constexpr std::array<std::string_view, 5> kRiskyRoots = {"7", "6.", "3", "77.1.", "12.77"};
constexpr std::array<std::string_view, 8> kRiskyModalities = {"US", "IVUS", "ES",  "XC",
                                                              "GM", "OT",   "DOC", "SC"};
constexpr std::array<std::string_view, 6> kRiskyImageTypes = {"SCREEN",   "CAPTURE", "DOSE",
                                                              "PROTOCOL", "REPORT",  "SAVE"};

bool holds_pixels(const dicom::DataSet& instance) {
    return instance.contains(tags::PixelData) || instance.contains(tags::PixelDataProviderURL);
}

bool risky_class(std::string_view uid) {
    if (!uid.starts_with(kStorage)) return false;
    uid.remove_prefix(kStorage.size());
    return std::any_of(kRiskyRoots.begin(), kRiskyRoots.end(), [&](std::string_view root) {
        return root.ends_with('.')
                   ? uid.starts_with(root)
                   : uid == root || (uid.starts_with(root) && uid.substr(root.size()).starts_with('.'));
    });
}

// Overlay bits in the unused bits of the pixels, which go with them (PS3.3 C.9.2, retired).
bool has_embedded_overlay(const dicom::DataSet& instance) {
    for (const auto& element : instance.elements()) {
        const Tag tag = element.tag();
        if ((tag.group() & 0xff00) != 0x6000 || tag.element() != 0x0102) continue;
        if (element.integer().value_or(0) != 0) return true;
    }
    return false;
}

}  // namespace

std::optional<std::string_view> pixel_risk(const dicom::DataSet& instance) {
    if (!holds_pixels(instance)) return std::nullopt;
    const std::string_view burned_in = instance.text(tags::BurnedInAnnotation);
    if (burned_in == "YES") return "Burned In Annotation says YES";
    if (instance.text(tags::RecognizableVisualFeatures) == "YES")
        return "Recognizable Visual Features says YES";
    if (has_embedded_overlay(instance)) return "an overlay is kept in the unused bits of the pixels";
    if (burned_in == "NO") return std::nullopt;
    if (risky_class(instance.text(tags::SOPClassUID)))
        return "images of this SOP Class often show text, and nothing says that it does not";
    const auto modality = instance.text(tags::Modality);
    if (std::find(kRiskyModalities.begin(), kRiskyModalities.end(), modality) != kRiskyModalities.end())
        return "images of this modality often show text, and nothing says that it does not";
    if (instance.contains(tags::ConversionType))
        return "it was captured from something else (Conversion Type)";
    const auto type = instance.text(tags::ImageType);
    for (const auto word : kRiskyImageTypes) {
        if (type.find(word) != std::string_view::npos)
            return "its Image Type speaks of a screen, a capture or a report";
    }
    return std::nullopt;
}

bool has_encapsulated_document(const dicom::DataSet& instance) {
    // In an object of another kind it is an attribute like others, which Table E.1-1 replaces.
    return instance.contains(tags::EncapsulatedDocument) &&
           instance.text(tags::SOPClassUID).starts_with("1.2.840.10008.5.1.4.1.1.104.");
}

}  // namespace sagitta::deid
