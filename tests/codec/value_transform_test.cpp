#include "codec/value_transform.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

std::vector<double> samples_of(const Frame& frame) {
    std::vector<double> samples(frame.bytes.size() / frame.format.sample_bytes());
    read_samples(frame, 0, samples);
    return samples;
}

template <class T>
std::vector<T> numbers_of(const Frame& frame, const ModalityTransform& transform, NumberType type) {
    std::vector<T> numbers(frame.bytes.size() / frame.format.sample_bytes());
    const auto written = write_numbers(frame, transform, type, std::as_writable_bytes(std::span(numbers)));
    EXPECT_TRUE(written.has_value()) << written.error().message();
    return numbers;
}

ModalityTransform transform_of(const dicom::DataSet& data_set, std::uint32_t frame,
                               const PixelFormat& format) {
    const auto transform = modality_transform(data_set, FunctionalGroups(data_set), frame, format);
    EXPECT_TRUE(transform.has_value());
    return transform ? *transform : ModalityTransform();
}

TEST(ValueTransform, ExtendsTheSignFromBitsStoredAndMasksWhatIsAbove) {
    using Samples = std::vector<double>;
    const std::vector<std::uint16_t> raw = {0x0000, 0x07ff, 0x0800, 0x0fff, 0xf123};
    EXPECT_EQ(samples_of(gray_frame(raw, 12, false)), (Samples{0, 2047, 2048, 4095, 0x123}));
    EXPECT_EQ(samples_of(gray_frame(raw, 12, true)), (Samples{0, 2047, -2048, -1, 0x123}));
    EXPECT_EQ(samples_of(gray_frame(raw, 16, true)), (Samples{0, 2047, 2048, 4095, 0xf123 - 65536.0}));
    EXPECT_EQ(samples_of(gray_frame(std::vector<std::uint8_t>{0x00, 0x7f, 0x80, 0xff}, 8, true)),
              (Samples{0, 127, -128, -1}));
    EXPECT_EQ(samples_of(gray_frame(std::vector<std::uint32_t>{0xffffffffu, 0x80000000u}, 32, true)),
              (Samples{-1, -2147483648.0}));
    EXPECT_EQ(samples_of(gray_frame(std::vector<std::uint64_t>{~0ull, 5}, 64, true)), (Samples{-1, 5}));
}

TEST(ValueTransform, ReadsFloatingPointAndContainersOfThreeBytes) {
    Frame frame = gray_frame(std::vector<float>{1.5f, -2.25f}, 32, false);
    frame.format.sample = SampleType::float32;
    EXPECT_EQ(samples_of(frame), (std::vector<double>{1.5, -2.25}));
    frame = gray_frame(std::vector<double>{1e300}, 64, false);
    frame.format.sample = SampleType::float64;
    EXPECT_EQ(samples_of(frame), (std::vector<double>{1e300}));
    frame = gray_frame(std::vector<std::uint8_t>{0x01, 0x02, 0x03, 0xff, 0xff, 0xff}, 8, true);
    frame.format.bits_allocated = 24;
    frame.format.bits_stored = 24;
    EXPECT_EQ(samples_of(frame), (std::vector<double>{0x030201, -1}));
}

TEST(ValueTransform, AppliesRescaleSlopeAndIntercept) {
    dicom::DataSet data_set;
    data_set.set_text(tags::RescaleIntercept, Vr::DS, "-1024");
    data_set.set_text(tags::RescaleSlope, Vr::DS, "2");
    data_set.set_text(tags::RescaleType, Vr::LO, "HU");
    const Frame frame = gray_frame(std::vector<std::uint16_t>{0, 1, 4095}, 12, false);
    const auto transform = transform_of(data_set, 0, frame.format);
    EXPECT_EQ(transform.type, "HU");
    const auto range = transformed_range(frame.format, transform);
    ASSERT_TRUE(range);
    EXPECT_EQ(range->lowest, -1024);
    EXPECT_EQ(range->highest, 2 * 4095 - 1024);
    EXPECT_TRUE(makes_integers(frame.format, transform));
    EXPECT_EQ(smallest_integer(*range), NumberType::int16);
    EXPECT_EQ(numbers_of<std::int16_t>(frame, transform, NumberType::int16),
              (std::vector<std::int16_t>{-1024, -1022, 7166}));
    EXPECT_EQ(numbers_of<float>(frame, transform, NumberType::float32),
              (std::vector<float>{-1024, -1022, 7166}));
}

TEST(ValueTransform, TakesThePixelValueTransformationOfTheFrameBeforeTheSharedOne) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::RescaleIntercept, Vr::DS, "1000");
    builder.add_text(tags::RescaleSlope, Vr::DS, "1000");
    const auto add_group = [&](std::string_view intercept) {
        builder.begin_sequence(tags::PixelValueTransformationSequence);
        builder.begin_item();
        builder.add_text(tags::RescaleIntercept, Vr::DS, intercept);
        builder.add_text(tags::RescaleSlope, Vr::DS, "0.5");
        builder.end();
        builder.end();
    };
    builder.begin_sequence(tags::SharedFunctionalGroupsSequence);
    builder.begin_item();
    add_group("7");
    builder.end();
    builder.end();
    builder.begin_sequence(tags::PerFrameFunctionalGroupsSequence);
    builder.begin_item();
    builder.end();
    builder.begin_item();
    add_group("-3");
    builder.end();
    builder.end();
    const auto data_set = builder.finish();
    PixelFormat format;
    EXPECT_EQ(transform_of(data_set, 0, format)(10), 12) << "the first frame has none of its own";
    EXPECT_EQ(transform_of(data_set, 1, format)(10), 2);
    EXPECT_FALSE(makes_integers(format, transform_of(data_set, 1, format)));
}

TEST(ValueTransform, PrefersTheModalityTableAndClampsAtItsEnds) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::RescaleIntercept, Vr::DS, "5");
    builder.begin_sequence(tags::ModalityLUTSequence);
    add_table_item(builder, {3, 0xfffe, 16}, {100, 300, 50});
    builder.end();
    const Frame frame = gray_frame(std::vector<std::int16_t>{-9, -2, -1, 0, 9}, 16, true);
    const auto transform = transform_of(builder.finish(), 0, frame.format);
    EXPECT_EQ(numbers_of<std::uint16_t>(frame, transform, NumberType::uint16),
              (std::vector<std::uint16_t>{100, 100, 300, 50, 50}))
        << "the first mapped value is signed as the pixels are";
    EXPECT_EQ(transformed_range(frame.format, transform)->highest, 300);
}

TEST(ValueTransform, RefusesARescaleThatIsNoNumberAndATableThatIsShort) {
    dicom::DataSet data_set;
    data_set.set_text(tags::RescaleSlope, Vr::DS, "one");
    PixelFormat format;
    auto transform = modality_transform(data_set, FunctionalGroups(data_set), 0, format);
    ASSERT_FALSE(transform.has_value());
    EXPECT_EQ(transform.error().code, Errc::malformed);
    EXPECT_EQ(transform.error().message(), "(0028,1053) is no number");

    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::ModalityLUTSequence);
    add_table_item(builder, {300, 0, 16}, {1, 2});
    builder.end();
    data_set = builder.finish();
    transform = modality_transform(data_set, FunctionalGroups(data_set), 0, format);
    ASSERT_FALSE(transform.has_value());
    EXPECT_EQ(transform.error().code, Errc::truncated);
}

TEST(ValueTransform, DoseIsScaledByItsGrid) {
    dicom::DataSet data_set;
    data_set.set_text(tags::DoseUnits, Vr::CS, "GY");
    data_set.set_text(tags::DoseGridScaling, Vr::DS, "0.25");
    const auto transform = transform_of(data_set, 0, PixelFormat());
    EXPECT_EQ(transform(6), 1.5);
    EXPECT_EQ(transform.type, "GY");
}

TEST(ValueTransform, SmallestIntegerHoldsTheWholeRange) {
    EXPECT_EQ(smallest_integer({0, 255}), NumberType::uint8);
    EXPECT_EQ(smallest_integer({0, 256}), NumberType::uint16);
    EXPECT_EQ(smallest_integer({-1, 127}), NumberType::int8);
    EXPECT_EQ(smallest_integer({-1, 128}), NumberType::int16);
    EXPECT_EQ(smallest_integer({-1024, 65535 - 1024}), NumberType::int32);
    EXPECT_EQ(smallest_integer({0, 4294967295.0}), NumberType::uint32);
    EXPECT_EQ(smallest_integer({-1, 4294967295.0}), NumberType::float32);
}

TEST(ValueTransform, RefusesNumbersThatDoNotFitTheType) {
    const Frame frame = gray_frame(std::vector<std::uint16_t>{0, 40000}, 16, false);
    std::vector<std::int16_t> numbers(2);
    const auto room = std::as_writable_bytes(std::span(numbers));
    const auto written = write_numbers(frame, {}, NumberType::int16, room);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().message(), "a value does not fit into int16");
    EXPECT_FALSE(write_numbers(frame, {}, NumberType::int16, room.first(2)).has_value());

    Frame floats = gray_frame(std::vector<float>{std::numeric_limits<float>::quiet_NaN()}, 32, false);
    floats.format.sample = SampleType::float32;
    EXPECT_FALSE(write_numbers(floats, {}, NumberType::int16, room.first(2)).has_value());
    EXPECT_TRUE(std::isnan(numbers_of<float>(floats, {}, NumberType::float32).at(0)));
}

TEST(ValueTransform, RoundsForIntegersAndGoesBeyondOneBlock) {
    std::vector<std::uint8_t> stored(10000);
    for (std::size_t n = 0; n < stored.size(); ++n) stored[n] = static_cast<std::uint8_t>(n % 251);
    ModalityTransform transform;
    transform.slope = 0.4;
    const auto numbers = numbers_of<std::int16_t>(gray_frame(stored, 8, false), transform, NumberType::int16);
    for (std::size_t n = 0; n < stored.size(); ++n) ASSERT_EQ(numbers[n], std::lround(0.4 * stored[n])) << n;
}

TEST(ValueTransform, KnowsThePaddingAsAValueOrARange) {
    dicom::DataSet data_set;
    PixelFormat format;
    format.bits_allocated = 16;
    format.bits_stored = 16;
    format.is_signed = true;
    EXPECT_FALSE(pixel_padding(data_set, format));
    data_set.set_uint16(tags::PixelPaddingValue, 0xf830);  // as US, where SS was meant
    auto padding = pixel_padding(data_set, format);
    ASSERT_TRUE(padding);
    EXPECT_TRUE(padding->contains(-2000));
    EXPECT_FALSE(padding->contains(-1999));
    data_set.set_uint16(tags::PixelPaddingRangeLimit, 0xf824);
    padding = pixel_padding(data_set, format);
    EXPECT_TRUE(padding->contains(-2010));
    EXPECT_FALSE(padding->contains(-2013));
}

}  // namespace
}  // namespace sagitta::codec
