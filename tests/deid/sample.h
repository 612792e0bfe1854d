// Instances and keys that tests of de-identification begin with.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "deid/profile.h"
#include "deid/pseudonyms.h"
#include "dicom/data_set.h"
#include "dicom/generated/tags.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::deid::test {

inline Pseudonyms pseudonyms(std::uint8_t seed = 1) {
    std::array<std::uint8_t, 32> secret{};
    secret.fill(seed);
    return Pseudonyms(*ProjectKey::from_bytes(secret));
}

inline Profile profile_with(const OptionSet& options) {
    Profile profile;
    profile.options = options;
    profile.encapsulated = Profile::Encapsulated::keep;
    profile.at_risk = Profile::AtRisk::keep;
    return profile;
}

/// CT Image Storage with its UIDs and a Patient ID, nothing more.
inline dicom::DataSet minimal_instance() {
    using dicom::Vr;
    namespace tags = dicom::tags;
    dicom::DataSet made;
    made.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.2");
    made.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4.5.6");
    made.set_text(tags::PatientID, Vr::LO, "4711-0815");
    made.set_text(tags::StudyInstanceUID, Vr::UI, "1.2.3.4.5");
    made.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3.4.5.1");
    return made;
}

}  // namespace sagitta::deid::test
