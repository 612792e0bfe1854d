#include "dicom/path.h"

#include <gtest/gtest.h>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"

namespace sagitta::dicom {
namespace {

DataSet sample() {
    DataSetBuilder builder;
    builder.add_text(tags::Modality, Vr::CS, "SR");
    builder.begin_sequence(tags::ReferencedSeriesSequence);
    for (const char* uid : {"1.2", "1.3"}) {
        builder.begin_item();
        builder.add_text(tags::SeriesInstanceUID, Vr::UI, uid);
        builder.end();
    }
    builder.end();
    builder.add_text(Tag(0x0029, 0x0010), Vr::LO, "SOMEBODY ELSE");
    builder.add_text(Tag(0x0029, 0x0011), Vr::LO, "ACME 1.0");
    builder.add_text(Tag(0x0029, 0x0012), Vr::LO, "ACME 1.0");
    builder.add_text(Tag(0x0029, 0x1010), Vr::LO, "other");
    builder.add_text(Tag(0x0029, 0x1110), Vr::LO, "first");
    builder.add_text(Tag(0x0029, 0x1220), Vr::LO, "second");
    return builder.finish();
}

std::string found_text(std::string_view path) {
    const DataSet data_set = sample();
    const auto parsed = parse_path(path);
    if (!parsed) return parsed.error().message();
    const auto element = find(data_set, *parsed);
    return element ? std::string(element->text()) : "nothing";
}

TEST(Path, IsWrittenAsItIsRead) {
    struct Case {
        std::string_view written, shown;
    };
    for (const auto& [written, shown] : {
             Case{"PatientName", "PatientName"},
             {"(0010,0010)", "PatientName"},
             {"0010,0010", "PatientName"},
             {"00100010", "PatientName"},
             {"ReferencedSeriesSequence[0].SeriesInstanceUID",
              "ReferencedSeriesSequence[0].SeriesInstanceUID"},
             {"(0008,1115)[*].(0008,1199)[+]", "ReferencedSeriesSequence[*].ReferencedSOPSequence[+]"},
             {"(0029,\"SIEMENS CSA HEADER\",10)", "(0029,\"SIEMENS CSA HEADER\",10)"},
             {"(0029,\"A.[=\\\"B\\\"\",F0)[7]", "(0029,\"A.[=\\\"B\\\"\",f0)[7]"},
             {"(6002,3000)", "(6002,3000)"},
             {"60003000", "(6000,3000)"},
             {"(0029,1010)", "(0029,1010)"},
         }) {
        const auto path = parse_path(written);
        ASSERT_TRUE(path) << written << ": " << path.error().message();
        EXPECT_EQ(to_string(*path), shown);
        const auto again = parse_path(shown);
        ASSERT_TRUE(again) << shown;
        EXPECT_EQ(to_string(*again), shown);
    }
}

TEST(Path, RefusesWhatIsNone) {
    struct Case {
        std::string_view written, reason;
    };
    for (const auto& [written, reason] : {
             Case{"", "an attribute is missing in the path"},
             {"PatienName", "'PatienName' is no keyword and no tag, did you mean PatientName?"},
             {"ReferencedSeriesSequence.SeriesInstanceUID",
              "ReferencedSeriesSequence needs an item, as in [0]"},
             {"ReferencedSeriesSequence[0]SeriesInstanceUID", "'SeriesInstanceUID' does not continue a path"},
             {"ReferencedSeriesSequence[0].", "an attribute is missing in the path"},
             {"ReferencedSeriesSequence[-1]", "an item is a number from 0, * or +"},
             {"ReferencedSeriesSequence[99999999999]", "an item is a number from 0, * or +"},
             {"ReferencedSeriesSequence[", "']' is missing in the path"},
             {"(fffe,e000)", "items are named by their number, as in [0]"},
             {"(0010,\"X\",10)", "a private group has an odd number from 0009 on"},
             {"(0029,\"X,10)", "a private attribute is written (gggg,\"CREATOR\",ee)"},
             {"(0029,\"X\",1010)", "a private attribute is written (gggg,\"CREATOR\",ee)"},
             {"(0029,\"\",10)",
              "a private creator has 1 to 64 characters of ASCII, no backslash, no space around"},
         }) {
        const auto path = parse_path(written);
        ASSERT_FALSE(path) << written;
        EXPECT_EQ(path.error().message(), reason);
    }
    std::string deep = "Modality";
    for (std::size_t i = 0; i < kMaxPathSteps; ++i) deep.insert(0, "ContentSequence[0].");
    EXPECT_FALSE(parse_path(deep));
    EXPECT_TRUE(parse_path(deep.substr(deep.find('.') + 1)));
}

TEST(Path, FindsElementsAndItems) {
    EXPECT_EQ(found_text("Modality"), "SR");
    EXPECT_EQ(found_text("ReferencedSeriesSequence[1].SeriesInstanceUID"), "1.3");
    EXPECT_EQ(found_text("ReferencedSeriesSequence[*].SeriesInstanceUID"), "1.2");
    EXPECT_EQ(found_text("ReferencedSeriesSequence[2].SeriesInstanceUID"), "nothing");
    EXPECT_EQ(found_text("ReferencedSeriesSequence[+].SeriesInstanceUID"), "nothing");
    EXPECT_EQ(found_text("ContentSequence[0].SeriesInstanceUID"), "nothing");
    EXPECT_EQ(found_text("Modality[0]"), "nothing");
    const DataSet data_set = sample();
    const auto every = find_all(data_set, *parse_path("ReferencedSeriesSequence[*].SeriesInstanceUID"));
    ASSERT_EQ(every.size(), 2u);
    EXPECT_EQ(every[1].text(), "1.3");
    const auto item = find(data_set, *parse_path("ReferencedSeriesSequence[1]"));
    ASSERT_TRUE(item);
    EXPECT_EQ(item->children().text(tags::SeriesInstanceUID), "1.3");
}

TEST(Path, FindsPrivateElementsByTheirCreator) {
    EXPECT_EQ(found_text("(0029,\"ACME 1.0\",10)"), "first");
    EXPECT_EQ(found_text("(0029,\"ACME 1.0\",20)"), "second");
    EXPECT_EQ(found_text("(0029,\"SOMEBODY ELSE\",10)"), "other");
    EXPECT_EQ(found_text("(0029,\"ACME 1.0\",30)"), "nothing");
    EXPECT_EQ(found_text("(0029,\"ACME\",10)"), "nothing");
    EXPECT_EQ(found_text("(0029,1110)"), "first");
}

}  // namespace
}  // namespace sagitta::dicom
