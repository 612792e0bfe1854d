#include "codec/mask.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "codec/frame_codec.h"
#include "codec/jpeg_mask.h"

namespace sagitta::codec {
namespace {

constexpr std::string_view kJpegBaseline = "1.2.840.10008.1.2.4.50";

Frame picture(std::uint32_t columns, std::uint32_t rows, std::uint16_t samples, Photometric photometric) {
    Frame frame;
    frame.format.columns = columns;
    frame.format.rows = rows;
    frame.format.samples_per_pixel = samples;
    frame.format.photometric = photometric;
    const auto room = frame.bytes.prepare(frame.format.frame_bytes());
    // Smooth, so that a lossy codec keeps it, and nowhere black.
    for (std::size_t n = 0; n < room.size(); ++n) {
        const std::size_t pixel = n / samples;
        room[n] =
            static_cast<std::byte>(64 + (pixel % columns + pixel / columns * 2 + n % samples * 20) % 160);
    }
    frame.bytes.commit(room.size());
    return frame;
}

bool is_inside(const Rectangle& area, std::uint32_t x, std::uint32_t y) {
    return x >= area.left && x < area.left + area.width && y >= area.top && y < area.top + area.height;
}

TEST(Mask, IsClippedToThePicture) {
    EXPECT_EQ(clipped({2, 3, 100, 100}, 10, 8), (Rectangle{2, 3, 8, 5}));
    EXPECT_EQ(clipped({10, 0, 1, 1}, 10, 8), (Rectangle{}));
    EXPECT_EQ(clipped({1, 1, UINT32_MAX, UINT32_MAX}, 10, 8), (Rectangle{1, 1, 9, 7}));
}

RC_GTEST_PROP(Mask, WhatIsNotKeptIsCoveredOnce, ()) {
    const auto columns = *rc::gen::inRange<std::uint32_t>(1, 20);
    const auto rows = *rc::gen::inRange<std::uint32_t>(1, 20);
    const auto number = *rc::gen::inRange<std::size_t>(0, 5);
    std::vector<Rectangle> kept;
    for (std::size_t n = 0; n < number; ++n) {
        const auto some = [] { return *rc::gen::inRange<std::uint32_t>(0, 24); };
        kept.push_back({some(), some(), some(), some()});
    }
    const auto covered = all_but(kept, columns, rows);
    for (std::uint32_t y = 0; y < rows; ++y) {
        for (std::uint32_t x = 0; x < columns; ++x) {
            const auto contains = [&](const Rectangle& area) { return is_inside(area, x, y); };
            const bool is_kept = std::any_of(kept.begin(), kept.end(), contains);
            RC_ASSERT(std::count_if(covered.begin(), covered.end(), contains) == (is_kept ? 0 : 1));
        }
    }
}

TEST(Mask, BlackIsWhatIsShownDarkest) {
    const Rectangle all{0, 0, 2, 1};
    struct Case {
        Photometric photometric;
        std::uint16_t samples, allocated, stored;
        bool is_signed;
        std::vector<int> pixel;
    };
    const std::vector<Case> cases{
        {Photometric::monochrome2, 1, 8, 8, false, {0}},
        {Photometric::monochrome1, 1, 8, 8, false, {0xff}},
        {Photometric::monochrome1, 1, 16, 12, false, {0xff, 0x0f}},
        {Photometric::monochrome2, 1, 16, 12, true, {0x00, 0xf8}},  // -2048
        {Photometric::rgb, 3, 8, 8, false, {0, 0, 0}},
        {Photometric::ybr_full, 3, 8, 8, false, {0, 0x80, 0x80}},
    };
    for (const auto& one : cases) {
        Frame frame = picture(2, 1, one.samples, one.photometric);
        frame.format.bits_allocated = one.allocated;
        frame.format.bits_stored = one.stored;
        frame.format.is_signed = one.is_signed;
        frame.bytes = ByteBuffer();
        const auto room = frame.bytes.prepare(frame.format.frame_bytes());
        std::memset(room.data(), 0x55, room.size());
        frame.bytes.commit(room.size());
        mask_frame(frame, std::span(&all, 1));
        for (std::size_t n = 0; n < room.size(); ++n)
            EXPECT_EQ(static_cast<int>(frame.bytes.data()[n]), one.pixel[n % one.pixel.size()])
                << to_string(one.photometric) << " byte " << n;
    }
}

TEST(Mask, LeavesThePixelsAroundAlone) {
    Frame frame = picture(9, 7, 3, Photometric::rgb);
    const Frame before = picture(9, 7, 3, Photometric::rgb);
    const Rectangle area{2, 1, 4, 3};
    mask_frame(frame, std::span(&area, 1));
    for (std::uint32_t pixel = 0; pixel < 63; ++pixel) {
        const bool inside = is_inside(area, pixel % 9, pixel / 9);
        for (std::size_t n = pixel * 3; n < pixel * 3 + 3; ++n)
            EXPECT_EQ(frame.bytes.data()[n], inside ? std::byte{0} : before.bytes.data()[n]);
    }
}

// Outside of the blocks that the area touches a decoder gives the same samples as before.
TEST(JpegMask, OnlyTheBlocksOfTheAreaChange) {
    struct Case {
        std::uint16_t samples;
        Photometric photometric;
    };
    for (const Case& one : {Case{1, Photometric::monochrome2}, Case{1, Photometric::monochrome1},
                            Case{3, Photometric::ybr_full_422}, Case{3, Photometric::rgb}}) {
        SCOPED_TRACE(to_string(one.photometric));
        const Frame frame =
            picture(101, 75, one.samples, one.samples == 1 ? one.photometric : Photometric::rgb);
        const FrameCodec* codec = find_encoder(kJpegBaseline);
        ASSERT_NE(codec, nullptr);
        PixelFormat written = frame.format;
        const auto encoded = codec->encode(frame, kJpegBaseline, {}, written);
        ASSERT_TRUE(encoded) << encoded.error().message();
        const Rectangle area{37, 20, 30, 18};
        const bool inverted = one.photometric == Photometric::monochrome1;
        const auto masked = mask_jpeg(encoded->span(), std::span(&area, 1), inverted);
        ASSERT_TRUE(masked) << masked.error().message();
        EXPECT_EQ(masked->size() % 2, 0u);
        DecodeOptions options;
        options.to_rgb = true;
        const auto before = codec->decode(encoded->span(), written, options);
        const auto after = codec->decode(masked->span(), written, options);
        ASSERT_TRUE(before && after);
        // 16 by 16 is the largest MCU a baseline encoder makes; a decoder smooths over one pixel more.
        const Rectangle touched{37 / 16 * 16 - 1, 20 / 16 * 16 - 1, 64 + 1, 32 + 1};
        for (std::uint32_t y = 0; y < 75; ++y) {
            for (std::uint32_t x = 0; x < 101; ++x) {
                const std::size_t at = (std::size_t{y} * 101 + x) * one.samples;
                for (std::size_t n = at; n < at + one.samples; ++n) {
                    const int sample = static_cast<int>(after->bytes.data()[n]);
                    if (is_inside(area, x, y)) {
                        EXPECT_NEAR(sample, inverted ? 255 : 0, 6) << x << "," << y;
                    } else if (!is_inside(touched, x, y)) {
                        EXPECT_EQ(sample, static_cast<int>(before->bytes.data()[n])) << x << "," << y;
                    }
                }
            }
        }
    }
}

TEST(JpegMask, GarbageAndLimitsAreErrors) {
    const std::string garbage(100, '\xff');
    EXPECT_FALSE(mask_jpeg(std::as_bytes(std::span(garbage)), {}, false));
    EXPECT_FALSE(mask_jpeg({}, {}, false));
    const Frame frame = picture(64, 64, 1, Photometric::monochrome2);
    PixelFormat written = frame.format;
    const auto encoded = find_encoder(kJpegBaseline)->encode(frame, kJpegBaseline, {}, written);
    ASSERT_TRUE(encoded);
    PixelLimits limits;
    limits.max_pixels_per_frame = 64 * 63;
    const auto masked = mask_jpeg(encoded->span(), {}, false, limits);
    ASSERT_FALSE(masked);
    EXPECT_EQ(masked.error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace sagitta::codec
