#include <gtest/gtest.h>

#include "codec/colour.h"
#include "codec/frame_source.h"
#include "tests/codec/pixels.h"
#include "tests/support/shared_data.h"

namespace sagitta::codec {
namespace {

Frame pixel(std::initializer_list<int> samples, Photometric photometric) {
    Frame frame{test::format_of(1, 1, 8, 8, false, 3), test::bytes_of(samples)};
    frame.format.photometric = photometric;
    return frame;
}

// JFIF's corners: PS3.3 C.7.6.3.1.2 gives the equations for these primaries.
TEST(Colour, PrimariesComeBack) {
    const std::vector<std::pair<std::vector<int>, std::vector<int>>> known = {
        {{76, 85, 255}, {254, 0, 0}},       {{150, 44, 21}, {0, 255, 1}}, {{29, 255, 107}, {0, 0, 254}},
        {{255, 128, 128}, {255, 255, 255}}, {{0, 128, 128}, {0, 0, 0}},   {{128, 128, 128}, {128, 128, 128}},
    };
    for (const auto photometric : {Photometric::ybr_full, Photometric::ybr_full_422, Photometric::ybr_ict}) {
        for (const auto& [ybr, rgb] : known) {
            Frame frame = pixel({ybr[0], ybr[1], ybr[2]}, photometric);
            ASSERT_TRUE(to_rgb(frame));
            EXPECT_EQ(test::values_of(frame.bytes.span()), rgb);
            EXPECT_EQ(frame.format.photometric, Photometric::rgb);
        }
    }
}

TEST(Colour, SixteenBitsHaveTheirOwnCentre) {
    Frame frame{test::format_of(1, 1, 16, 12, false, 3),
                test::bytes_of({0x00, 0x08, 0x00, 0x08, 0x00, 0x08})};
    frame.format.photometric = Photometric::ybr_full;
    ASSERT_TRUE(to_rgb(frame));
    EXPECT_EQ(test::values_of(frame.bytes.span()), (std::vector<int>{0x00, 0x08, 0x00, 0x08, 0x00, 0x08}));
}

TEST(Colour, WhatIsNoLuminanceStays) {
    Frame frame = pixel({1, 2, 3}, Photometric::rgb);
    ASSERT_TRUE(to_rgb(frame));
    EXPECT_EQ(test::values_of(frame.bytes.span()), (std::vector<int>{1, 2, 3}));
    Frame video = pixel({1, 2, 3}, Photometric::ybr_partial_420);
    EXPECT_FALSE(to_rgb(video));
}

// The same picture, made RGB and YBR_FULL by their author.
TEST(Colour, DecodingToRgbConvertsNativePixels) {
    const auto folder = test::shared_data() / "codecs";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "../shared/data is not there";
    DecodeOptions options;
    options.to_rgb = true;
    for (const auto* name : {"SC_ybr_full_uncompressed.dcm", "SC_ybr_full_422_uncompressed.dcm"}) {
        const auto source = FrameSource::open_file((folder / name).string());
        ASSERT_TRUE(source) << source.error().message();
        const auto frame = source->decode(0, options);
        ASSERT_TRUE(frame) << frame.error().message();
        EXPECT_EQ(frame->format.photometric, Photometric::rgb);
        const auto values = test::values_of(frame->bytes.span());
        EXPECT_EQ((std::vector<int>(values.begin(), values.begin() + 3)), (std::vector<int>{254, 0, 0}))
            << name;
    }
}

}  // namespace
}  // namespace sagitta::codec
