#include "codec/picture.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

template <class Sample>
Picture picture_of(std::uint32_t rows, std::uint32_t columns, const std::vector<Sample>& samples) {
    Picture picture;
    picture.rows = rows;
    picture.columns = columns;
    picture.channels = static_cast<std::uint32_t>(samples.size()) / (rows * columns);
    picture.bits = sizeof(Sample) * 8;
    picture.bytes.append(bytes_of(samples));
    return picture;
}

template <class Sample>
std::vector<Sample> samples_of(const Picture& picture) {
    EXPECT_EQ(picture.bytes.size(), picture.samples() * sizeof(Sample));
    std::vector<Sample> samples(picture.bytes.size() / sizeof(Sample));
    std::memcpy(samples.data(), picture.bytes.data(), picture.bytes.size());
    return samples;
}

using Bytes = std::vector<std::uint8_t>;
using Words = std::vector<std::uint16_t>;

TEST(Scale, AveragesAreasWhenItShrinks) {
    const auto picture = picture_of<std::uint8_t>(2, 4, {0, 100, 10, 20, 200, 100, 30, 40});
    EXPECT_EQ(samples_of<std::uint8_t>(scale(picture, 1, 2)), (Bytes{100, 25}));
    const auto thirds = picture_of<std::uint16_t>(1, 3, {0, 30000, 60000});
    EXPECT_EQ(samples_of<std::uint16_t>(scale(thirds, 1, 2)), (Words{10000, 50000}));
}

TEST(Scale, InterpolatesBetweenCentresWhenItGrows) {
    const auto picture = picture_of<std::uint8_t>(1, 2, {0, 100});
    EXPECT_EQ(samples_of<std::uint8_t>(scale(picture, 2, 4)), (Bytes{0, 25, 75, 100, 0, 25, 75, 100}));
    const auto single = picture_of<std::uint8_t>(1, 1, {7});
    EXPECT_EQ(samples_of<std::uint8_t>(scale(single, 1, 3)), (Bytes{7, 7, 7}));
}

TEST(Scale, KeepsChannelsApart) {
    const auto picture = picture_of<std::uint8_t>(1, 2, {0, 10, 20, 100, 110, 120});
    EXPECT_EQ(samples_of<std::uint8_t>(scale(picture, 1, 1)), (Bytes{50, 60, 70}));
}

TEST(Scale, KeepsAConstantPictureConstantAtEverySize) {
    const auto picture = picture_of<std::uint16_t>(7, 5, Words(35, 65535));
    for (std::uint32_t rows = 1; rows < 16; ++rows) {
        for (std::uint32_t columns = 1; columns < 16; ++columns) {
            const auto samples = samples_of<std::uint16_t>(scale(picture, rows, columns));
            ASSERT_EQ(samples, Words(rows * columns, 65535)) << rows << " x " << columns;
        }
    }
}

TEST(Picture, GreyBecomesRgbAndIsPasted) {
    const auto grey = picture_of<std::uint16_t>(1, 2, {1, 2});
    Picture onto = blank_picture(2, 3, 3, 16);
    paste(to_rgb(scale(grey, 1, 2)), onto, 1, 1);
    EXPECT_EQ(samples_of<std::uint16_t>(onto), (Words{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2}));
}

}  // namespace
}  // namespace sagitta::codec
