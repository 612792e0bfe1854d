#include "service/procedure_step_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "dicom/character_set.h"
#include "dicom/generated/tags.h"
#include "dicom/uid.h"

namespace sagitta::service {
namespace {

using dicom::Tag;
namespace tags = dicom::tags;

constexpr auto k1 = StepNeed::type1;
constexpr auto k2 = StepNeed::type2;
constexpr auto k3 = StepNeed::type3;
constexpr auto kNo = StepNeed::not_allowed;
constexpr auto kScheduled = tags::ScheduledStepAttributesSequence;
constexpr auto kSeries = tags::PerformedSeriesSequence;
constexpr auto kOthers = tags::ReferencedNonImageCompositeSOPInstanceSequence;

/// PS3.4 Table F.7.2-1, the SCP's side. What is type 3 throughout is left out.
constexpr StepAttribute kAttributes[] = {
    {{kScheduled}, k1, kNo, k1},
    {{kScheduled, tags::StudyInstanceUID}, k1, kNo, k1},
    {{kScheduled, tags::ReferencedStudySequence}, k2, kNo, k2},
    {{kScheduled, tags::ReferencedStudySequence, tags::ReferencedSOPClassUID}, k1, kNo, k1},
    {{kScheduled, tags::ReferencedStudySequence, tags::ReferencedSOPInstanceUID}, k1, kNo, k1},
    {{kScheduled, tags::AccessionNumber}, k2, kNo, k2},
    {{kScheduled, tags::RequestedProcedureID}, k2, kNo, k2},
    {{kScheduled, tags::RequestedProcedureDescription}, k2, kNo, k2},
    {{kScheduled, tags::ScheduledProcedureStepID}, k2, kNo, k2},
    {{kScheduled, tags::ScheduledProcedureStepDescription}, k2, kNo, k2},
    {{kScheduled, tags::ScheduledProtocolCodeSequence}, k2, kNo, k2},
    {{tags::PatientName}, k2, kNo, k2},
    {{tags::PatientID}, k2, kNo, k2},
    {{tags::IssuerOfPatientID}, k3, kNo, k3},
    {{tags::IssuerOfPatientIDQualifiersSequence}, k3, kNo, k3},
    {{tags::OtherPatientIDsSequence}, k3, kNo, k3},
    {{tags::PatientBirthDate}, k2, kNo, k2},
    {{tags::PatientSex}, k2, kNo, k2},
    {{tags::ReferencedPatientSequence}, k2, kNo, k2},
    {{tags::ReferencedPatientSequence, tags::ReferencedSOPClassUID}, k1, kNo, k1},
    {{tags::ReferencedPatientSequence, tags::ReferencedSOPInstanceUID}, k1, kNo, k1},
    {{tags::AdmissionID}, k3, kNo, k3},
    {{tags::IssuerOfAdmissionIDSequence}, k3, kNo, k3},
    {{tags::ServiceEpisodeID}, k3, kNo, k3},
    {{tags::ServiceEpisodeDescription}, k3, kNo, k3},
    {{tags::PerformedProcedureStepID}, k1, kNo, k1},
    {{tags::PerformedStationAETitle}, k1, kNo, k1},
    {{tags::PerformedStationName}, k2, kNo, k2},
    {{tags::PerformedLocation}, k2, kNo, k2},
    {{tags::PerformedProcedureStepStartDate}, k1, kNo, k1},
    {{tags::PerformedProcedureStepStartTime}, k1, kNo, k1},
    {{tags::PerformedProcedureStepStatus}, k1, k3, k1},
    {{tags::PerformedProcedureStepDescription}, k2, k3, k2},
    {{tags::PerformedProcedureTypeDescription}, k2, k3, k2},
    {{tags::ProcedureCodeSequence}, k2, k3, k2},
    {{tags::PerformedProcedureStepEndDate}, k2, k3, k1},
    {{tags::PerformedProcedureStepEndTime}, k2, k3, k1},
    {{tags::Modality}, k1, kNo, k1},
    {{tags::StudyID}, k2, kNo, k2},
    {{tags::PerformedProtocolCodeSequence}, k2, k3, k2},
    {{kSeries}, k2, k3, k1},
    {{kSeries, tags::PerformingPhysicianName}, k2, k2, k2},
    {{kSeries, tags::ProtocolName}, k1, k1, k1},
    {{kSeries, tags::OperatorsName}, k2, k2, k2},
    {{kSeries, tags::SeriesInstanceUID}, k1, k1, k1},
    {{kSeries, tags::SeriesDescription}, k2, k2, k2},
    {{kSeries, tags::RetrieveAETitle}, k2, k2, k2},
    {{kSeries, tags::ReferencedImageSequence}, k2, k2, k2},
    {{kSeries, tags::ReferencedImageSequence, tags::ReferencedSOPClassUID}, k1, k1, k1},
    {{kSeries, tags::ReferencedImageSequence, tags::ReferencedSOPInstanceUID}, k1, k1, k1},
    {{kSeries, kOthers}, k2, k2, k2},
    {{kSeries, kOthers, tags::ReferencedSOPClassUID}, k1, k1, k1},
    {{kSeries, kOthers, tags::ReferencedSOPInstanceUID}, k1, k1, k1},
};

void note(std::vector<Tag>& list, Tag tag) {
    if (std::find(list.begin(), list.end(), tag) == list.end()) list.push_back(tag);
}

bool is_uid(dicom::Element element) {
    return element.vr() == dicom::Vr::UI && dicom::Uid::parse(element.text(0)).has_value();
}

/// The levels on which the attribute of a row stands: the top, or the items of its sequences.
std::vector<dicom::ElementRange> levels_of(const StepAttribute& row, const dicom::DataSet& data_set,
                                           Tag& attribute) {
    std::vector<dicom::ElementRange> levels{data_set.elements()};
    attribute = row.path[0];
    for (std::size_t at = 1; at < row.path.size() && row.path[at] != Tag(); ++at) {
        std::vector<dicom::ElementRange> inner;
        for (const auto& level : levels) {
            const auto sequence = level.find(attribute);
            if (!sequence || sequence->vr() != dicom::Vr::SQ) continue;
            for (const auto item : sequence->children()) inner.push_back(item.children());
        }
        levels = std::move(inner);
        attribute = row.path[at];
    }
    return levels;
}

StepFindings check(const dicom::DataSet& data_set, StepNeed StepAttribute::*column) {
    StepFindings found;
    for (const auto& row : kAttributes) {
        Tag attribute;
        const StepNeed need = row.*column;
        for (const auto& level : levels_of(row, data_set, attribute)) {
            const auto element = level.find(attribute);
            const bool nested = row.path[1] != Tag();
            if (need == kNo) {
                if (element && !nested) note(found.not_allowed, attribute);
            } else if (!element) {
                if (need != k3) note(found.missing, attribute);
            } else if (element->empty() || (!element->has_children() && element->text(0).empty())) {
                if (need == k1) note(found.empty, attribute);
            } else if (element->vr() == dicom::Vr::UI && !is_uid(*element)) {
                note(found.invalid, attribute);
            }
        }
    }
    return found;
}

bool may_be_set(Tag tag) {
    return std::none_of(std::begin(kAttributes), std::end(kAttributes), [&](const StepAttribute& row) {
        return row.path[0] == tag && row.path[1] == Tag() && row.set == kNo;
    });
}

/// The same value, or sequences of the same rows.
bool same(dicom::Element a, dicom::Element b) {
    const auto one = a.owner().nodes().subspan(a.index(), a.node().subtree + 1u);
    const auto other = b.owner().nodes().subspan(b.index(), b.node().subtree + 1u);
    if (!a.has_children() && !b.has_children()) return a.text() == b.text();
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [&](const auto& x, const auto& y) {
        if (x.tag != y.tag || x.subtree != y.subtree) return false;
        if (x.subtree != 0) return true;
        const auto left = a.owner().value_of(x);
        const auto right = b.owner().value_of(y);
        return std::equal(left.begin(), left.end(), right.begin(), right.end());
    });
}

dicom::DataSet::TextRewrite to_utf8(std::string_view specific_character_set) {
    return [characters = dicom::CharacterSet::parse(specific_character_set)](
               std::string_view text, dicom::Vr vr) { return characters.to_utf8(text, vr); };
}

}  // namespace

std::span<const StepAttribute> step_attributes() noexcept {
    return kAttributes;
}

bool StepFindings::clean() const noexcept {
    return missing.empty() && empty.empty() && invalid.empty() && not_allowed.empty();
}

StepFindings check_create(const dicom::DataSet& attributes) {
    return check(attributes, &StepAttribute::create);
}

StepFindings check_set(const dicom::DataSet& modifications) {
    StepFindings found = check(modifications, &StepAttribute::set);
    // A status that is set has a value, though it need not be set.
    const auto status = modifications.find(tags::PerformedProcedureStepStatus);
    if (status && status->text(0).empty()) note(found.empty, tags::PerformedProcedureStepStatus);
    return found;
}

StepFindings check_final_state(const dicom::DataSet& step) {
    return check(step, &StepAttribute::final_state);
}

dicom::DataSet modified_step(const dicom::DataSet& step, const dicom::DataSet& modifications,
                             std::vector<Tag>& refused) {
    const auto before = step.text(tags::SpecificCharacterSet);
    const auto characters = modifications.find(tags::SpecificCharacterSet);
    const bool differs = characters && characters->text() != before;
    dicom::DataSet made;
    if (!differs) {
        made = step;
    } else {
        const auto rewrite = to_utf8(before);
        for (const auto element : step.elements()) made.set(element, rewrite);
        made.set_text(tags::SpecificCharacterSet, dicom::Vr::CS, "ISO_IR 192");
    }
    const auto rewrite = differs ? to_utf8(characters->text()) : dicom::DataSet::TextRewrite();
    for (const auto element : modifications.elements()) {
        const Tag tag = element.tag();
        if (tag == tags::SpecificCharacterSet || tag.is_group_length()) continue;
        if (may_be_set(tag)) {
            made.set(element, rewrite);
            continue;
        }
        const auto known = step.find(tag);
        const bool unchanged = known && same(*known, element);
        if (!unchanged && !(element.empty() && !known)) refused.push_back(tag);
    }
    return made;
}

std::vector<std::string> studies_of_step(const dicom::DataSet& step) {
    std::vector<std::string> studies;
    const auto scheduled = step.find(kScheduled);
    if (!scheduled || scheduled->vr() != dicom::Vr::SQ) return studies;
    for (const auto item : scheduled->children()) {
        const auto uid = item.children().uid(tags::StudyInstanceUID);
        if (uid && std::find(studies.begin(), studies.end(), uid->view()) == studies.end())
            studies.push_back(uid->str());
    }
    return studies;
}

std::string to_string(std::span<const Tag> list) {
    std::string text;
    for (const Tag tag : list) text.append(text.empty() ? "" : " ").append(dicom::to_string(tag));
    return text;
}

}  // namespace sagitta::service
