#include "step_attributes.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "dicom/builder.h"
#include "dicom/character_set.h"
#include "dicom/edit.h"
#include "dicom/generated/tags.h"
#include "dicom/json_reader.h"
#include "dicom/part10.h"
#include "dicom/path.h"
#include "dicom/uid.h"
#include "service/procedure_step_rules.h"
#include "store_plan.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace tags = dicom::tags;
using dicom::Tag;

constexpr std::string_view kScheduled = "ScheduledStepAttributesSequence[0].";

std::string local_now(const char* format) {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm local{};
    localtime_r(&now, &local);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, format, &local));
}

Result<dicom::DataSet> edited(const dicom::DataSet& data_set, std::vector<dicom::Edit> edits) {
    dicom::EditOptions utf8;
    utf8.text = dicom::EditOptions::Text::utf8_when_needed;
    return dicom::apply_edits(data_set, edits, utf8);
}

dicom::Edit edit_of(std::string_view path, std::string value) {
    dicom::Edit edit;
    edit.path = *dicom::parse_path(path);
    edit.value = std::move(value);
    return edit;
}

/// What a new step has unless somebody says something else.
Result<dicom::DataSet> with_defaults(const dicom::DataSet& data_set, const NewStep& wanted) {
    const std::pair<std::string, std::string> defaults[] = {
        {"PerformedProcedureStepStatus", "IN PROGRESS"},
        {"PerformedProcedureStepID", local_now("%y%m%d%H%M%S")},
        {"PerformedStationAETitle", wanted.station_ae_title},
        {"PerformedProcedureStepStartDate", local_now("%Y%m%d")},
        {"PerformedProcedureStepStartTime", local_now("%H%M%S")},
        {"Modality", "OT"},
        {fmt::format("{}StudyInstanceUID", kScheduled), dicom::Uid::generate().str()},
    };
    std::vector<dicom::Edit> edits;
    for (const auto& [path, value] : defaults) {
        const auto there = dicom::find(data_set, *dicom::parse_path(path));
        if (!there || there->empty()) edits.push_back(edit_of(path, value));
    }
    for (const auto& row : service::step_attributes()) {
        if (row.create != service::StepNeed::type2 || row.path[2] != Tag()) continue;
        const bool nested = row.path[1] != Tag();
        if (nested && row.path[0] != tags::ScheduledStepAttributesSequence) continue;
        const auto path = nested ? fmt::format("{}{}", kScheduled, dicom::to_string(row.path[1]))
                                 : dicom::to_string(row.path[0]);
        if (!dicom::find(data_set, *dicom::parse_path(path))) edits.push_back(edit_of(path, ""));
    }
    return edited(data_set, std::move(edits));
}

/// From a worklist item (PS3.4 K.6.1.2.2) what a step repeats of it.
dicom::DataSet step_of_item(const dicom::DataSet& item) {
    dicom::DataSet step;
    for (const Tag tag :
         {tags::SpecificCharacterSet, tags::PatientName, tags::PatientID, tags::IssuerOfPatientID,
          tags::PatientBirthDate, tags::PatientSex, tags::ReferencedPatientSequence}) {
        if (const auto element = item.find(tag)) step.set(*element);
    }
    dicom::DataSet scheduled;
    for (const Tag tag : {tags::StudyInstanceUID, tags::ReferencedStudySequence, tags::AccessionNumber,
                          tags::RequestedProcedureID, tags::RequestedProcedureDescription}) {
        if (const auto element = item.find(tag)) scheduled.set(*element);
    }
    if (const auto sequence = item.find(tags::ScheduledProcedureStepSequence);
        sequence && sequence->has_children()) {
        const auto first = (*sequence->children().begin()).children();
        for (const Tag tag : {tags::ScheduledProcedureStepID, tags::ScheduledProcedureStepDescription,
                              tags::ScheduledProtocolCodeSequence}) {
            if (const auto element = first.find(tag)) scheduled.set(*element);
        }
        if (const auto modality = first.find(tags::Modality)) step.set(*modality);
    }
    dicom::DataSetBuilder builder(scheduled);
    builder.begin_sequence(tags::ScheduledStepAttributesSequence);
    builder.begin_item();
    for (const auto element : scheduled.elements()) builder.keep(element);
    builder.end();
    builder.end();
    const auto made = builder.finish();
    step.set(*made.find(tags::ScheduledStepAttributesSequence));
    return step;
}

struct Performed {
    dicom::DataSet first;  ///< of the series
    std::vector<std::pair<std::string, std::string>> images;
    std::vector<std::pair<std::string, std::string>> others;
};

constexpr Tag kWanted[] = {
    tags::SpecificCharacterSet,    tags::SOPClassUID,   tags::SOPInstanceUID, tags::SeriesDescription,
    tags::PerformingPhysicianName, tags::OperatorsName, tags::ProtocolName,   tags::SeriesInstanceUID};

Result<std::map<std::string, Performed>> read_performed(const std::vector<std::string>& paths) {
    const auto plan = make_store_plan(paths, [](std::string_view line) { note(line); });
    if (!plan.unreadable.empty()) return Error(plan.unreadable.front());
    if (plan.files.empty()) return Error(Errc::invalid_argument, "no instances among the files");
    std::map<std::string, Performed> series;
    for (const auto& file : plan.files) {
        dicom::HeaderOptions options;
        options.only = kWanted;
        auto header = dicom::read_file_header(file.path, options);
        if (!header) return std::move(header).error().within(file.path);
        const auto uid = header->data_set.uid(tags::SeriesInstanceUID);
        if (!uid) return Error(Errc::malformed, file.path + ": no Series Instance UID");
        auto& one = series[uid->str()];
        const auto sop_class = plan.kinds[file.kind].sop_class_uid;
        const auto* entry = dicom::find_uid(sop_class.view());
        const bool is_image = entry != nullptr && entry->keyword.find("Image") != std::string_view::npos;
        auto& list = is_image ? one.images : one.others;
        list.emplace_back(sop_class.str(), file.sop_instance_uid.str());
        if (one.first.empty()) {
            // Texts of several files stand in one step: in one character set.
            const auto characters =
                dicom::CharacterSet::parse(header->data_set.text(tags::SpecificCharacterSet));
            for (const auto element : header->data_set.elements())
                one.first.set(element, [&](std::string_view text, dicom::Vr vr) {
                    return characters.to_utf8(text, vr);
                });
        }
    }
    return series;
}

void add_references(dicom::DataSetBuilder& builder, Tag sequence,
                    const std::vector<std::pair<std::string, std::string>>& references) {
    builder.begin_sequence(sequence);
    for (const auto& [sop_class, instance] : references) {
        builder.begin_item();
        builder.add_text(tags::ReferencedSOPClassUID, dicom::Vr::UI, sop_class);
        builder.add_text(tags::ReferencedSOPInstanceUID, dicom::Vr::UI, instance);
        builder.end();
    }
    builder.end();
}

dicom::DataSet performed_series(const std::map<std::string, Performed>& all) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::SpecificCharacterSet, dicom::Vr::CS, "ISO_IR 192");
    builder.begin_sequence(tags::PerformedSeriesSequence);
    for (const auto& [uid, one] : all) {
        const auto text = [&first = one.first](Tag tag) { return first.text(tag); };
        const auto protocol = text(tags::ProtocolName);
        builder.begin_item();
        builder.add_text(tags::RetrieveAETitle, dicom::Vr::AE, "");
        builder.add_text(tags::SeriesDescription, dicom::Vr::LO, text(tags::SeriesDescription));
        builder.add_text(tags::PerformingPhysicianName, dicom::Vr::PN, text(tags::PerformingPhysicianName));
        builder.add_text(tags::OperatorsName, dicom::Vr::PN, text(tags::OperatorsName));
        add_references(builder, tags::ReferencedImageSequence, one.images);
        builder.add_text(tags::ProtocolName, dicom::Vr::LO, protocol.empty() ? "UNKNOWN" : protocol);
        builder.add_text(tags::SeriesInstanceUID, dicom::Vr::UI, uid);
        add_references(builder, tags::ReferencedNonImageCompositeSOPInstanceSequence, one.others);
        builder.end();
    }
    builder.end();
    return builder.finish();
}

Result<dicom::DataSet> base_of(const std::string& attributes_file) {
    return attributes_file.empty() ? Result<dicom::DataSet>(dicom::DataSet())
                                   : read_attributes(attributes_file);
}

}  // namespace

Result<dicom::DataSet> read_attributes(const std::string& path) {
    if (path.ends_with(".json")) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream text;
        if (!file || !(text << file.rdbuf())) return Error(Errc::io_failure, path + ": cannot be read");
        auto read = dicom::read_json(text.str());
        if (!read) return std::move(read).error().within(path);
        return std::move(read->data_set);
    }
    auto file = dicom::read_file(path);
    if (!file) return std::move(file).error().within(path);
    return std::move(file->data_set);
}

Result<dicom::DataSet> with_sets(const dicom::DataSet& data_set, const std::vector<std::string>& sets) {
    std::vector<dicom::Edit> edits;
    for (const auto& set : sets) {
        auto edit = dicom::parse_set(set);
        if (!edit) return std::move(edit).error();
        edits.push_back(std::move(*edit));
    }
    return edited(data_set, std::move(edits));
}

Result<dicom::DataSet> new_step(const NewStep& wanted) {
    auto base = base_of(wanted.worklist_file);
    if (base && !wanted.worklist_file.empty()) *base = step_of_item(*base);
    auto more = base_of(wanted.attributes_file);
    if (!base || !more) return !base ? std::move(base) : std::move(more);
    for (const auto element : more->elements()) base->set(element);
    auto sets = wanted.sets;
    if (!wanted.study_instance_uid.empty())
        sets.insert(sets.begin(),
                    fmt::format("{}StudyInstanceUID={}", kScheduled, wanted.study_instance_uid));
    auto made = with_sets(*base, sets);
    if (!made) return made;
    return with_defaults(*made, wanted);
}

Result<dicom::DataSet> step_change(const StepChange& wanted) {
    auto base = base_of(wanted.attributes_file);
    if (!base) return base;
    if (!wanted.performed.empty()) {
        auto performed = read_performed(wanted.performed);
        if (!performed) return std::move(performed).error();
        const auto sequence = performed_series(*performed);
        for (const auto element : sequence.elements()) base->set(element);
    }
    std::vector<dicom::Edit> edits;
    if (!wanted.state.empty()) {
        edits.push_back(edit_of("PerformedProcedureStepStatus", wanted.state));
        if (base->text(tags::PerformedProcedureStepEndDate).empty()) {
            edits.push_back(edit_of("PerformedProcedureStepEndDate", local_now("%Y%m%d")));
            edits.push_back(edit_of("PerformedProcedureStepEndTime", local_now("%H%M%S")));
        }
    }
    auto changed = edited(*base, std::move(edits));
    if (!changed) return changed;
    return with_sets(*changed, wanted.sets);
}

}  // namespace sagitta::tools
