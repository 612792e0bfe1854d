#include "service/requested.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"

namespace sagitta::service {
namespace {

using dicom::DataSet;
using dicom::DataSetBuilder;
using dicom::Vr;
namespace tags = dicom::tags;

// Latin-1, two steps.
DataSet item() {
    DataSetBuilder builder;
    builder.add_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    builder.add_text(tags::PatientName, Vr::PN, "M\xfcller^J\xf6rg");
    builder.add_text(tags::PatientID, Vr::LO, "4712");
    builder.begin_sequence(tags::ScheduledProcedureStepSequence);
    for (const char* modality : {"CT", "MR"}) {
        builder.begin_item();
        builder.add_text(tags::Modality, Vr::CS, modality);
        builder.add_text(tags::ScheduledPerformingPhysicianName, Vr::PN, "Gr\xfcn");
        builder.end();
    }
    builder.end();
    return builder.finish();
}

TEST(Requested, OnlyWhatWasAskedForAndEmptyWhatIsNotThere) {
    DataSet identifier;
    identifier.set_text(tags::PatientID, Vr::LO, "47*");
    identifier.set_text(tags::AccessionNumber, Vr::SH, "");
    identifier.set_empty_sequence(tags::ReferencedStudySequence);
    const auto answer = requested(identifier, item());
    EXPECT_EQ(answer.text(tags::PatientID), "4712");
    EXPECT_TRUE(answer.contains(tags::AccessionNumber));
    EXPECT_TRUE(answer.contains(tags::ReferencedStudySequence));
    EXPECT_FALSE(answer.contains(tags::PatientName));
    EXPECT_FALSE(answer.contains(tags::SpecificCharacterSet));  // all of it is ASCII
}

TEST(Requested, ItemsAreReducedToTheKeysInsideAndTextIsUtf8) {
    DataSetBuilder keys;
    keys.add_text(tags::PatientName, Vr::PN, "");
    keys.begin_sequence(tags::ScheduledProcedureStepSequence);
    keys.begin_item();
    keys.add_text(tags::ScheduledPerformingPhysicianName, Vr::PN, "");
    keys.end();
    keys.end();
    const auto answer = requested(keys.finish(), item());
    EXPECT_EQ(answer.text(tags::SpecificCharacterSet), "ISO_IR 192");
    EXPECT_EQ(answer.text(tags::PatientName), "M\u00fcller^J\u00f6rg");
    int items = 0;
    for (const auto step : answer.find(tags::ScheduledProcedureStepSequence)->children()) {
        ++items;
        EXPECT_EQ(step.children().text(tags::ScheduledPerformingPhysicianName), "Gr\u00fcn");
        EXPECT_FALSE(step.children().find(tags::Modality));
    }
    EXPECT_EQ(items, 2);
}

TEST(Requested, ASequenceWithoutKeysComesWhole) {
    DataSet identifier;
    identifier.set_empty_sequence(tags::ScheduledProcedureStepSequence);
    const auto answer = requested(identifier, item());
    for (const auto step : answer.find(tags::ScheduledProcedureStepSequence)->children())
        EXPECT_TRUE(step.children().find(tags::Modality) &&
                    step.children().find(tags::ScheduledPerformingPhysicianName));
}

}  // namespace
}  // namespace sagitta::service
