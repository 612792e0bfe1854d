// PS3.4 Table F.7.2-1 written out again by hand, and what becomes of a step that is changed.
#include "service/procedure_step_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "dicom/builder.h"
#include "dicom/edit.h"
#include "dicom/generated/tags.h"

namespace sagitta::service {
namespace {

using dicom::DataSet;
using dicom::Tag;
namespace tags = dicom::tags;

DataSet data_set(std::initializer_list<const char*> sets) {
    std::vector<dicom::Edit> edits;
    for (const char* set : sets) edits.push_back(*dicom::parse_set(set));
    auto made = dicom::apply_edits(DataSet(), edits);
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return made ? *made : DataSet();
}

bool has(const std::vector<Tag>& list, Tag tag) {
    return std::find(list.begin(), list.end(), tag) != list.end();
}

/// One letter each for N-CREATE, N-SET and the final state: 1, 2, 3, or - for what may not be set.
struct Expected {
    std::vector<Tag> path;
    std::string_view needs;
};

const Expected kTable[] = {
    {{Tag(0x0040, 0x0270)}, "1-1"},
    {{Tag(0x0040, 0x0270), Tag(0x0020, 0x000d)}, "1-1"},
    {{Tag(0x0040, 0x0270), Tag(0x0008, 0x1110)}, "2-2"},
    {{Tag(0x0040, 0x0270), Tag(0x0008, 0x0050)}, "2-2"},
    {{Tag(0x0040, 0x0270), Tag(0x0040, 0x1001)}, "2-2"},
    {{Tag(0x0040, 0x0270), Tag(0x0032, 0x1060)}, "2-2"},
    {{Tag(0x0040, 0x0270), Tag(0x0040, 0x0009)}, "2-2"},
    {{Tag(0x0040, 0x0270), Tag(0x0040, 0x0007)}, "2-2"},
    {{Tag(0x0040, 0x0270), Tag(0x0040, 0x0008)}, "2-2"},
    {{Tag(0x0010, 0x0010)}, "2-2"},
    {{Tag(0x0010, 0x0020)}, "2-2"},
    {{Tag(0x0010, 0x0030)}, "2-2"},
    {{Tag(0x0010, 0x0040)}, "2-2"},
    {{Tag(0x0008, 0x1120)}, "2-2"},
    {{Tag(0x0010, 0x0021)}, "3-3"},
    {{Tag(0x0040, 0x0253)}, "1-1"},
    {{Tag(0x0040, 0x0241)}, "1-1"},
    {{Tag(0x0040, 0x0242)}, "2-2"},
    {{Tag(0x0040, 0x0243)}, "2-2"},
    {{Tag(0x0040, 0x0244)}, "1-1"},
    {{Tag(0x0040, 0x0245)}, "1-1"},
    {{Tag(0x0040, 0x0252)}, "131"},
    {{Tag(0x0040, 0x0254)}, "232"},
    {{Tag(0x0040, 0x0255)}, "232"},
    {{Tag(0x0008, 0x1032)}, "232"},
    {{Tag(0x0040, 0x0250)}, "231"},
    {{Tag(0x0040, 0x0251)}, "231"},
    {{Tag(0x0008, 0x0060)}, "1-1"},
    {{Tag(0x0020, 0x0010)}, "2-2"},
    {{Tag(0x0040, 0x0260)}, "232"},
    {{Tag(0x0040, 0x0340)}, "231"},
    {{Tag(0x0040, 0x0340), Tag(0x0008, 0x1050)}, "222"},
    {{Tag(0x0040, 0x0340), Tag(0x0018, 0x1030)}, "111"},
    {{Tag(0x0040, 0x0340), Tag(0x0008, 0x1070)}, "222"},
    {{Tag(0x0040, 0x0340), Tag(0x0020, 0x000e)}, "111"},
    {{Tag(0x0040, 0x0340), Tag(0x0008, 0x103e)}, "222"},
    {{Tag(0x0040, 0x0340), Tag(0x0008, 0x0054)}, "222"},
    {{Tag(0x0040, 0x0340), Tag(0x0008, 0x1140)}, "222"},
    {{Tag(0x0040, 0x0340), Tag(0x0008, 0x1140), Tag(0x0008, 0x1155)}, "111"},
    {{Tag(0x0040, 0x0340), Tag(0x0040, 0x0220)}, "222"},
    {{Tag(0x0040, 0x0340), Tag(0x0040, 0x0220), Tag(0x0008, 0x1150)}, "111"},
};

TEST(ProcedureStepRules, HaveTheRowsOfTheTable) {
    constexpr std::string_view kLetters = "123-";
    for (const auto& expected : kTable) {
        const auto rows = step_attributes();
        const auto found = std::find_if(rows.begin(), rows.end(), [&](const StepAttribute& row) {
            std::vector<Tag> path;
            for (const Tag tag : row.path)
                if (tag != Tag()) path.push_back(tag);
            return path == expected.path;
        });
        ASSERT_NE(found, rows.end()) << to_string(expected.path);
        std::string needs;
        for (const auto need : {found->create, found->set, found->final_state})
            needs += kLetters[static_cast<std::size_t>(need)];
        EXPECT_EQ(needs, expected.needs) << to_string(expected.path);
    }
}

TEST(ProcedureStepRules, TellAbsentFromEmptyFromWrong) {
    const auto found =
        check_create(data_set({"Modality=", "PatientID=", "PerformedSeriesSequence[0].ProtocolName=",
                               "ScheduledStepAttributesSequence[0].StudyID=1"}));
    EXPECT_TRUE(has(found.empty, tags::Modality)) << "type 1";
    EXPECT_FALSE(has(found.empty, tags::PatientID)) << "type 2";
    EXPECT_TRUE(has(found.missing, tags::PatientName));
    EXPECT_TRUE(has(found.missing, tags::StudyInstanceUID)) << "in an item that is there";
    EXPECT_TRUE(has(found.empty, tags::ProtocolName));
    EXPECT_FALSE(has(found.missing, tags::ReferencedSOPInstanceUID)) << "of items that are not there";
    EXPECT_FALSE(found.clean());

    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::PerformedSeriesSequence);
    builder.begin_item();
    builder.add_text(tags::SeriesInstanceUID, dicom::Vr::UI, "1.2.x");
    builder.end();
    builder.end();
    EXPECT_EQ(check_set(builder.finish()).invalid, std::vector{tags::SeriesInstanceUID});
}

TEST(ProcedureStepRules, KnowWhatMayBeSet) {
    const auto found = check_set(data_set(
        {"PatientID=P", "PerformedProcedureStepDescription=x", "CommentsOnThePerformedProcedureStep=y"}));
    EXPECT_EQ(found.not_allowed, std::vector{tags::PatientID});
    EXPECT_TRUE(check_set(DataSet()).clean());
    EXPECT_EQ(check_set(data_set({"PerformedProcedureStepStatus="})).empty,
              std::vector{tags::PerformedProcedureStepStatus});
}

TEST(ProcedureStepRules, AskForMoreInTheFinalState) {
    const auto step = data_set({"PerformedProcedureStepEndDate=", "PerformedProcedureStepEndTime=120000"});
    EXPECT_FALSE(has(check_create(step).empty, tags::PerformedProcedureStepEndDate));
    const auto found = check_final_state(step);
    EXPECT_TRUE(has(found.empty, tags::PerformedProcedureStepEndDate));
    EXPECT_FALSE(has(found.empty, tags::PerformedProcedureStepEndTime));
    EXPECT_TRUE(has(found.missing, tags::PerformedSeriesSequence));
}

TEST(ProcedureStepRules, ChangeWhatMayBeChangedAndNameTheRest) {
    const auto step = data_set({"PatientID=P1", "Modality=CT", "PerformedProcedureStepDescription=one",
                                "ScheduledStepAttributesSequence[0].StudyInstanceUID=1.2.3"});
    std::vector<Tag> refused;
    const auto changed = modified_step(
        step,
        data_set({"PatientID=P2", "Modality=CT", "StudyID=", "PerformedProcedureStepDescription=two",
                  "CommentsOnThePerformedProcedureStep=new",
                  "ScheduledStepAttributesSequence[0].StudyInstanceUID=1.2.3"}),
        refused);
    EXPECT_EQ(refused, std::vector{tags::PatientID}) << "not what is as it was, nor what is empty anyway";
    EXPECT_EQ(changed.text(tags::PatientID), "P1");
    EXPECT_EQ(changed.text(tags::PerformedProcedureStepDescription), "two");
    EXPECT_EQ(changed.text(tags::CommentsOnThePerformedProcedureStep), "new");
    EXPECT_FALSE(changed.contains(tags::StudyID));
    refused.clear();
    (void)modified_step(step, data_set({"ScheduledStepAttributesSequence[0].StudyInstanceUID=1.2.4"}),
                        refused);
    EXPECT_EQ(refused, std::vector{tags::ScheduledStepAttributesSequence});
}

TEST(ProcedureStepRules, NameEachStudyOnce) {
    EXPECT_EQ(studies_of_step(data_set({"ScheduledStepAttributesSequence[0].StudyInstanceUID=1.2",
                                        "ScheduledStepAttributesSequence[1].StudyInstanceUID=1.3",
                                        "ScheduledStepAttributesSequence[2].StudyInstanceUID=1.2"})),
              (std::vector<std::string>{"1.2", "1.3"}));
    EXPECT_TRUE(studies_of_step(DataSet()).empty());
}

}  // namespace
}  // namespace sagitta::service
