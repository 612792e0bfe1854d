#include "storage/search_forms.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/matching.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

constexpr std::array kSearched{
    IndexColumn{tags::PatientID, Vr::LO, Level::patient, "patient_id"},
    IndexColumn{tags::AccessionNumber, Vr::SH, Level::study, "accession"},
    IndexColumn{tags::StudyID, Vr::SH, Level::study, "study_id"},
    IndexColumn{tags::PatientName, Vr::PN, Level::patient, "name"},
    IndexColumn{tags::PatientBirthDate, Vr::DA, Level::patient, "birth_date"},
    IndexColumn{tags::StudyDate, Vr::DA, Level::study, "study_date"},
};

/// Cuts the part before the next `delimiter` off the front of `text`.
std::string_view take_part(std::string_view& text, char delimiter) {
    const auto part = text.substr(0, text.find(delimiter));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

}  // namespace

std::span<const IndexColumn> searched_columns() noexcept {
    return kSearched;
}

std::vector<std::string> search_forms(Vr vr, std::string_view utf8_value) {
    std::vector<std::string> forms;
    while (!utf8_value.empty()) {
        auto form = dicom::comparable(vr, take_part(utf8_value, '\\'));
        std::string_view groups = form;
        while (vr == Vr::PN && !groups.empty()) {
            forms.emplace_back(take_part(groups, '='));
        }
        forms.push_back(std::move(form));
    }
    std::erase(forms, "");
    std::sort(forms.begin(), forms.end());
    forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
    return forms;
}

}  // namespace sagitta::storage
