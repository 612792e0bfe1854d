#include "deid/markers.h"

#include <fmt/format.h>

#include "deid/dummy.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;

std::string_view temporal(const OptionSet& options) {
    if (options.contains(Option::retain_full_dates)) return "UNMODIFIED";
    return options.contains(Option::retain_modified_dates) ? "MODIFIED" : "REMOVED";
}

}  // namespace

dicom::DataSet make_markers(const Profile& profile) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::PatientIdentityRemoved, Vr::CS, "YES");
    // Each value has at most 64 characters: the digest has just these.
    std::string method =
        fmt::format("PS3.15 {} Basic Profile\\Sagitta profile {}", kTableEdition, profile.name);
    if (!profile.digest.empty()) method += "\\" + profile.digest;
    builder.add_text(tags::DeidentificationMethod, Vr::LO, method);
    builder.begin_sequence(tags::DeidentificationMethodCodeSequence);
    add_code_item(builder, {kBasicProfileCode.value, "DCM", kBasicProfileCode.meaning});
    for (std::uint8_t index = 0; index < kOptionCount; ++index) {
        const auto option = static_cast<Option>(index);
        if (!profile.options.contains(option)) continue;
        add_code_item(builder, {method_code(option).value, "DCM", method_code(option).meaning});
    }
    builder.end();
    builder.add_text(tags::LongitudinalTemporalInformationModified, Vr::CS, temporal(profile.options));
    return builder.finish();
}

bool is_marker(dicom::Tag tag) noexcept {
    return tag == tags::PatientIdentityRemoved || tag == tags::DeidentificationMethod ||
           tag == tags::DeidentificationMethodCodeSequence ||
           tag == tags::LongitudinalTemporalInformationModified;
}

void add_contributing_equipment(dicom::DataSetBuilder& builder) {
    builder.begin_item();
    builder.add_text(tags::Manufacturer, Vr::LO, "Sagitta");
    builder.add_text(tags::ManufacturerModelName, Vr::LO, "sagitta deid");
    builder.add_text(tags::SoftwareVersions, Vr::LO, dicom::kImplementationVersionName);
    builder.begin_sequence(tags::PurposeOfReferenceCodeSequence);
    add_code_item(builder, {"109104", "DCM", "De-identifying Equipment"});
    builder.end();
    builder.end();
}

}  // namespace sagitta::deid
