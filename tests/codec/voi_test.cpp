#include "codec/voi.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

VoiChoices choices_of(const dicom::DataSet& data_set, std::uint32_t frame = 0, bool negative = false) {
    auto choices = voi_choices(FunctionalGroups(data_set), frame, negative);
    EXPECT_TRUE(choices.has_value());
    return choices ? std::move(*choices) : VoiChoices();
}

// The examples of PS3.3 C.11.2.1.2.1: ymin 0, ymax 255.
TEST(Window, LinearIsTheFormulaOfTheStandard) {
    const Window ct = {2048, 4096};
    EXPECT_EQ(ct(0), 0);
    EXPECT_EQ(ct(4095), 1);
    EXPECT_DOUBLE_EQ(ct(2048) * 255, ((2048 - 2047.5) / 4095 + 0.5) * 255);
    const Window narrow = {2048, 1};
    EXPECT_EQ(narrow(2047), 0);
    EXPECT_EQ(narrow(2048), 1);
    const Window at_zero = {0, 100};
    EXPECT_EQ(at_zero(-50), 0);
    EXPECT_EQ(at_zero(49), 1);
    EXPECT_GT(at_zero(-49), 0);
    EXPECT_LT(at_zero(48), 1);
    const Window threshold = {0, 1};
    EXPECT_EQ(threshold(-1), 0);
    EXPECT_EQ(threshold(0), 1);
}

TEST(Window, LinearExactHasNoHalves) {
    const Window window = {0, 100, VoiFunction::linear_exact};
    EXPECT_EQ(window(-50), 0);
    EXPECT_EQ(window(0), 0.5);
    EXPECT_EQ(window(50), 1);
    const Window fraction = {0.5, 0.25, VoiFunction::linear};
    EXPECT_EQ(fraction(0.5), 0.5) << "LINEAR means nothing below a width of 1";
}

TEST(Window, SigmoidIsTheFormulaOfTheStandard) {
    const Window window = {10, 8, VoiFunction::sigmoid};
    EXPECT_EQ(window(10), 0.5);
    EXPECT_DOUBLE_EQ(window(12), 1 / (1 + std::exp(-1.0)));
    EXPECT_LT(window(-1e9), 1e-9);
    EXPECT_EQ(window(std::numeric_limits<double>::quiet_NaN()), 0);
}

TEST(VoiChoices, AreTheWindowsThenTheTables) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::WindowCenter, Vr::DS, "40\\-600\\7\\8");
    builder.add_text(tags::WindowWidth, Vr::DS, "400\\1500\\0");
    builder.add_text(tags::VOILUTFunction, Vr::CS, "SIGMOID");
    builder.begin_sequence(tags::VOILUTSequence);
    add_table_item(builder, {2, 0xfffe, 8}, {1, 200});
    add_table_item(builder, {2, 3, 8}, {1, 1000});
    builder.end();
    const auto data_set = builder.finish();
    auto choices = choices_of(data_set);
    EXPECT_EQ(choices.windows,
              (std::vector<Window>{{40, 400, VoiFunction::sigmoid}, {-600, 1500, VoiFunction::sigmoid}}));
    ASSERT_EQ(choices.tables.size(), 2u);
    EXPECT_EQ(choices.size(), 4u);
    EXPECT_EQ(choices.tables[0].first_mapped, 65534);
    EXPECT_EQ(choices_of(data_set, 0, true).tables[0].first_mapped, -2);
    EXPECT_EQ(choices.tables[1].bits, 10u) << "1000 does not fit into the 8 bits it claims";
}

TEST(VoiChoices, OfAFrameWinOverTheTopLevel) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::WindowCenter, Vr::DS, "1");
    builder.add_text(tags::WindowWidth, Vr::DS, "2");
    builder.begin_sequence(tags::PerFrameFunctionalGroupsSequence);
    for (const auto* center : {"10", "20"}) {
        builder.begin_item();
        builder.begin_sequence(tags::FrameVOILUTSequence);
        builder.begin_item();
        builder.add_text(tags::WindowCenter, Vr::DS, center);
        builder.add_text(tags::WindowWidth, Vr::DS, "5");
        builder.end();
        builder.end();
        builder.end();
    }
    builder.end();
    const auto data_set = builder.finish();
    EXPECT_EQ(choices_of(data_set, 1).windows, (std::vector<Window>{{20, 5}}));
    EXPECT_EQ(choices_of(data_set, 2).windows, (std::vector<Window>{{1, 2}})) << "there is no third item";
}

TEST(AutomaticWindow, SpansTheFiniteNumbers) {
    std::vector<double> numbers = {5, -3, std::numeric_limits<double>::infinity(), 7,
                                   std::numeric_limits<double>::quiet_NaN()};
    const auto window = automatic_window(numbers, 0);
    EXPECT_EQ(window, (Window{2, 10, VoiFunction::linear_exact}));
    EXPECT_EQ(window(-3), 0);
    EXPECT_EQ(window(7), 1);
    std::vector<double> same = {4, 4};
    EXPECT_GT(automatic_window(same, 0).width, 0);
    EXPECT_GT(automatic_window({}, 1).width, 0);
}

TEST(AutomaticWindow, LeavesOutAPercentageAtEachEnd) {
    std::vector<double> numbers;
    for (int n = 0; n <= 100; ++n) numbers.push_back((n * 37) % 101);
    const auto window = automatic_window(numbers, 5);
    EXPECT_EQ(window.center - window.width / 2, 5);
    EXPECT_EQ(window.center + window.width / 2, 95);
    EXPECT_GT(automatic_window(numbers, 50).width, 0);
}

TEST(Presentation, InvertsOnceForMonochrome1AndInverseShape) {
    dicom::DataSet data_set;
    EXPECT_FALSE(presentation(data_set, Photometric::monochrome2)->inverse);
    EXPECT_TRUE(presentation(data_set, Photometric::monochrome1)->inverse);
    data_set.set_text(tags::PresentationLUTShape, Vr::CS, "INVERSE");
    EXPECT_TRUE(presentation(data_set, Photometric::monochrome1)->inverse);
    EXPECT_TRUE(presentation(data_set, Photometric::monochrome2)->inverse);
    EXPECT_EQ((*presentation(data_set, Photometric::monochrome2))(0.25), 0.75);
    data_set.set_text(tags::PresentationLUTShape, Vr::CS, "IDENTITY");
    EXPECT_FALSE(presentation(data_set, Photometric::monochrome2)->inverse);
    EXPECT_FALSE(presentation(data_set, Photometric::monochrome1)->inverse) << "they are P-Values already";
}

TEST(Presentation, TableSpreadsOverTheWholeRange) {
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::PresentationLUTSequence);
    add_table_item(builder, {5, 0, 10}, {0, 100, 400, 900, 1023});
    builder.end();
    const auto made = presentation(builder.finish(), Photometric::monochrome2);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ((*made)(0), 0);
    EXPECT_EQ((*made)(0.5), 400.0 / 1023);
    EXPECT_EQ((*made)(1), 1);
}

GrayscalePipeline pipeline_with(std::variant<Window, LookupTable> voi) {
    GrayscalePipeline pipeline{{}, std::move(voi), {}};
    pipeline.modality.slope = 2;
    pipeline.modality.intercept = -100;
    return pipeline;
}

TEST(GrayscalePipeline, GoesFromStoredValueToGrey) {
    GrayscalePipeline pipeline = pipeline_with(Window{0, 100, VoiFunction::linear_exact});
    EXPECT_EQ(pipeline(50), 0.5);
    pipeline.presentation.inverse = true;
    EXPECT_EQ(pipeline(0), 1);
}

TEST(GrayscalePipeline, GoesThroughATable) {
    LookupTable table;
    table.first_mapped = -2;
    table.bits = 8;
    table.entries = {0, 51, 255};
    GrayscalePipeline pipeline = pipeline_with(std::move(table));
    pipeline.presentation.inverse = true;
    EXPECT_EQ(pipeline(49), 1);      // -2
    EXPECT_EQ(pipeline(49.5), 0.8);  // -1
    EXPECT_EQ(pipeline(1e300), 0);
    EXPECT_EQ(pipeline(std::numeric_limits<double>::quiet_NaN()), 1);
}

}  // namespace
}  // namespace sagitta::codec
