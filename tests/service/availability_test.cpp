// PS3.4 Table R.3.2-1: what a notification says, level by level.
#include "service/availability.h"

#include <gtest/gtest.h>

#include "dicom/generated/tags.h"
#include "dicom/path.h"

namespace sagitta::service {
namespace {

std::string text_at(const dicom::DataSet& data_set, std::string_view path) {
    const auto element = dicom::find(data_set, *dicom::parse_path(path));
    return element ? std::string(element->text()) : "absent";
}

TEST(Availability, NamesInstancesBySeries) {
    const auto made = availability_of("1.2.3", "1.2.9",
                                      {{"1.2.3.1", "1.2.840.10008.5.1.4.1.1.2", "1.1"},
                                       {"1.2.3.1", "1.2.840.10008.5.1.4.1.1.2", "1.2"},
                                       {"1.2.3.2", "1.2.840.10008.5.1.4.1.1.88.11", "1.3"}},
                                      "SAGITTA");
    EXPECT_EQ(text_at(made, "StudyInstanceUID"), "1.2.3");
    EXPECT_EQ(text_at(made, "ReferencedPerformedProcedureStepSequence[0].ReferencedSOPClassUID"),
              "1.2.840.10008.3.1.2.3.3");
    EXPECT_EQ(text_at(made, "ReferencedPerformedProcedureStepSequence[0].ReferencedSOPInstanceUID"), "1.2.9");
    EXPECT_EQ(text_at(made, "ReferencedPerformedProcedureStepSequence[0].PerformedWorkitemCodeSequence"), "")
        << "type 2";
    EXPECT_EQ(text_at(made, "ReferencedSeriesSequence[0].SeriesInstanceUID"), "1.2.3.1");
    EXPECT_EQ(text_at(made, "ReferencedSeriesSequence[1].SeriesInstanceUID"), "1.2.3.2");
    EXPECT_EQ(text_at(made, "ReferencedSeriesSequence[2].SeriesInstanceUID"), "absent");
    const std::string second = "ReferencedSeriesSequence[0].ReferencedSOPSequence[1].";
    EXPECT_EQ(text_at(made, second + "ReferencedSOPClassUID"), "1.2.840.10008.5.1.4.1.1.2");
    EXPECT_EQ(text_at(made, second + "ReferencedSOPInstanceUID"), "1.2");
    EXPECT_EQ(text_at(made, second + "InstanceAvailability"), "ONLINE");
    EXPECT_EQ(text_at(made, second + "RetrieveAETitle"), "SAGITTA");
}

TEST(Availability, RefersToNoStepWhenThereIsNone) {
    const auto made = availability_of("1.2.3", "", {{"1.2.3.1", "1.2", "1.1"}}, "SAGITTA");
    const auto steps = made.find(dicom::tags::ReferencedPerformedProcedureStepSequence);
    ASSERT_TRUE(steps) << "type 2";
    EXPECT_FALSE(steps->has_children());
}

}  // namespace
}  // namespace sagitta::service
