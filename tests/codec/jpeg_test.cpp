#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "core/bytes.h"
#include "tests/codec/jpeg_writer.h"
#include "tests/codec/pixels.h"

namespace sagitta::codec {
namespace {

using test::bytes_of;
using test::format_of;
using test::frame_of;
using test::values_of;

constexpr std::string_view kLosslessSv1 = "1.2.840.10008.1.2.4.70";
constexpr std::string_view kBaseline = "1.2.840.10008.1.2.4.50";

// SOI; SOF3: 8 bits, 1 x 2, one component; DHT: category 1 is "0", category 2 is "10"; SOS: predictor 1;
// 130 = 128 + 2: "10" and "10"; 129 = 130 - 1: "0" and "0"; two ones to the byte; EOI
ByteBuffer two_pixels() {
    return bytes_of({0xff, 0xd8, 0xff, 0xc3, 0, 11, 8, 0, 1, 0, 2, 1, 1,          0x11, 0,    0xff, 0xc4, 0,
                     21,   0,    1,    1,    0, 0,  0, 0, 0, 0, 0, 0, 0,          0,    0,    0,    0,    0,
                     1,    2,    0xff, 0xda, 0, 8,  1, 1, 0, 1, 0, 0, 0b10100011, 0xff, 0xd9, 0});
}

TEST(JpegLossless, AStreamByHand) {
    const auto frame = jpeg_codec().decode(two_pixels().span(), format_of(1, 2, 8, 8), {});
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{130, 129}));
}

TEST(JpegLossless, EveryEndOfTheStreamIsAnError) {
    const auto whole = two_pixels();
    for (std::size_t size = 0; size < whole.size() - 4; ++size)
        EXPECT_FALSE(jpeg_codec().decode(whole.span().first(size), format_of(1, 2, 8, 8), {})) << size;
    // without its EOI all pixels are there
    EXPECT_TRUE(jpeg_codec().decode(whole.span().first(whole.size() - 3), format_of(1, 2, 8, 8), {}));
}

TEST(JpegLossless, TheHeightComesFromTheDataSetWhereTheStreamLeavesItOpen) {
    auto stream = two_pixels();
    stream.data()[8] = std::byte{0};
    const auto frame = jpeg_codec().decode(stream.span(), format_of(1, 2, 8, 8), {});
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(frame->format.rows, 1u);
    EXPECT_EQ(jpeg_codec().decode(stream.span(), format_of(2, 2, 8, 8), {}).error().code, Errc::malformed);
}

TEST(JpegLossless, TheStreamSaysThePrecisionAndTheSize) {
    const auto frame = jpeg_codec().decode(two_pixels().span(), format_of(7, 9, 16, 12), {});
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(frame->format.rows, 1u);
    EXPECT_EQ(frame->format.columns, 2u);
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{130, 0, 129, 0}));
    // eight bits of a signed image
    const auto with_sign = jpeg_codec().decode(two_pixels().span(), format_of(1, 2, 16, 16, true), {});
    ASSERT_TRUE(with_sign);
    EXPECT_EQ(values_of(with_sign->bytes.span()), (std::vector{130, 255, 129, 255}));
}

unsigned value_at(unsigned row, unsigned column, unsigned component, unsigned precision) {
    const unsigned mixed = (row * 7919 + column * 104729 + component * 31) * 2654435761u;
    const unsigned value = column % 5 == 0 ? mixed >> 7 : row * 3 + column * 5 + component;
    return value & ((1u << precision) - 1);
}

void expect_decoded(test::LosslessStream stream) {
    stream.value = [precision = stream.precision](unsigned row, unsigned column, unsigned component) {
        return value_at(row, column, component, precision);
    };
    const auto bytes = stream.bytes();
    const int allocated = stream.precision > 8 ? 16 : 8;
    const auto format = format_of(stream.rows, stream.columns, allocated, static_cast<int>(stream.precision),
                                  false, static_cast<int>(stream.components));
    const auto frame = jpeg_codec().decode(bytes.span(), format, {});
    ASSERT_TRUE(frame) << frame.error().message();
    std::size_t at = 0;
    for (unsigned row = 0; row < stream.rows; ++row) {
        for (unsigned column = 0; column < stream.columns; ++column) {
            for (unsigned n = 0; n < stream.components; ++n) {
                const unsigned low = ~0u << stream.point_transform;
                unsigned found = std::to_integer<unsigned>(frame->bytes.data()[at++]);
                if (allocated == 16) found |= std::to_integer<unsigned>(frame->bytes.data()[at++]) << 8;
                ASSERT_EQ(found, stream.value(row, column, n) & low) << row << ", " << column << ", " << n;
            }
        }
    }
}

TEST(JpegLossless, EveryPredictorAndPrecision) {
    for (unsigned predictor = 1; predictor <= 7; ++predictor) {
        for (const unsigned precision : {2u, 7u, 8u, 9u, 12u, 15u, 16u}) {
            SCOPED_TRACE(testing::Message() << predictor << " " << precision);
            test::LosslessStream stream;
            stream.rows = 19;
            stream.columns = 23;
            stream.predictor = predictor;
            stream.precision = precision;
            expect_decoded(stream);
            stream.long_codes = precision < 15;
            stream.fill_bytes = true;
            expect_decoded(stream);
        }
    }
}

TEST(JpegLossless, RestartsPointTransformsAndScans) {
    for (const unsigned components : {1u, 2u, 3u, 4u}) {
        for (const bool separate : {false, true}) {
            for (const unsigned restart_rows : {0u, 1u, 4u}) {
                SCOPED_TRACE(testing::Message() << components << " " << separate << " " << restart_rows);
                test::LosslessStream stream;
                stream.rows = 21;
                stream.columns = 17;
                stream.components = components;
                stream.separate_scans = separate;
                stream.restart_rows = restart_rows;
                stream.predictor = 4;
                stream.point_transform = restart_rows;
                stream.precision = components == 2 ? 12 : 8;
                stream.fill_bytes = separate;
                expect_decoded(stream);
            }
        }
    }
}

TEST(JpegLossless, WhatItEncodesItDecodes) {
    for (const int samples : {1, 3}) {
        for (int stored = 1; stored <= 16; ++stored) {
            for (const bool is_signed : {false, true}) {
                for (const auto texture : {test::Texture::noise, test::Texture::structure}) {
                    SCOPED_TRACE(testing::Message() << samples << " " << stored << " " << is_signed);
                    const auto format = format_of(33, 29, stored > 8 ? 16 : 8, stored, is_signed, samples);
                    const auto frame = frame_of(format, texture);
                    PixelFormat written;
                    const auto encoded = jpeg_codec().encode(frame, kLosslessSv1, {}, written);
                    ASSERT_TRUE(encoded) << encoded.error().message();
                    EXPECT_EQ(encoded->size() % 2, 0u);
                    EXPECT_EQ(written, format);
                    const auto back = jpeg_codec().decode(encoded->span(), format, {});
                    ASSERT_TRUE(back) << back.error().message();
                    ASSERT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
                    EXPECT_EQ(back->format, format);
                }
            }
        }
    }
}

TEST(JpegLossless, OnePixelAndOneValueAreImages) {
    for (const auto& [rows, columns] : {std::pair{1u, 1u}, std::pair{300u, 1u}, std::pair{1u, 300u}}) {
        Frame frame;
        frame.format = format_of(rows, columns, 16, 16);
        for (unsigned n = 0; n < rows * columns; ++n) append_le(frame.bytes, std::uint16_t{0});
        PixelFormat written;
        const auto encoded = jpeg_codec().encode(frame, kLosslessSv1, {}, written);
        ASSERT_TRUE(encoded);
        const auto back = jpeg_codec().decode(encoded->span(), frame.format, {});
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
    }
}

TEST(JpegLossless, WhatIsWrongIsSaid) {
    const auto code_with = [](std::size_t at, int value) {
        auto stream = two_pixels();
        stream.data()[at] = static_cast<std::byte>(value);
        const auto frame = jpeg_codec().decode(stream.span(), format_of(1, 2, 8, 8), {});
        return frame ? Errc::io_failure : frame.error().code;
    };
    EXPECT_EQ(code_with(1, 0xd9), Errc::malformed);         // no SOI
    EXPECT_EQ(code_with(6, 17), Errc::malformed);           // precision
    EXPECT_EQ(code_with(9, 0xff), Errc::truncated);         // more columns than bits
    EXPECT_EQ(code_with(11, 9), Errc::unsupported);         // components
    EXPECT_EQ(code_with(20, 9), Errc::malformed);           // nine codes of one bit
    EXPECT_EQ(code_with(37, 17), Errc::malformed);          // category 17
    EXPECT_EQ(code_with(43, 9), Errc::malformed);           // a component that is not there
    EXPECT_EQ(code_with(45, 8), Errc::malformed);           // predictor 8
    EXPECT_EQ(code_with(47, 8), Errc::malformed);           // point transform
    EXPECT_EQ(code_with(48, 0b11000000), Errc::malformed);  // no such code
    EXPECT_EQ(code_with(3, 0xcb), Errc::unsupported);       // arithmetic coding
}

// SOI; DQT of ones; SOF1: 12 bits, 8 x 8; DHT: DC category 7 is "0"; DHT: AC end of block is "0"; SOS;
// DC 80: "0" 1010000, end of block "0"
TEST(JpegExtended, AFlatBlockByHand) {
    ByteBuffer stream = bytes_of({0xff, 0xd8, 0xff, 0xdb, 0, 67, 0});
    for (int n = 0; n < 64; ++n) append_be(stream, std::uint8_t{1});
    stream.append(bytes_of({0xff, 0xc1, 0, 11, 12, 0, 8, 0, 8, 1, 1, 0x11, 0}).span());
    stream.append(bytes_of({0xff, 0xc4, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}).span());
    stream.append(
        bytes_of({0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).span());
    stream.append(bytes_of({0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0b01010000, 0b01111111, 0xff, 0xd9}).span());
    const auto frame = jpeg_codec().decode(stream.span(), format_of(8, 8, 16, 12), {});
    ASSERT_TRUE(frame) << frame.error().message();
    for (std::size_t n = 0; n < 64; ++n)
        EXPECT_EQ(load_le<std::uint16_t>(frame->bytes.data() + 2 * n), 2058u);
    stream.data()[72] = std::byte{0xc2};
    const auto progressive = jpeg_codec().decode(stream.span(), format_of(8, 8, 16, 12), {});
    ASSERT_FALSE(progressive);
    EXPECT_EQ(progressive.error().code, Errc::unsupported);
    EXPECT_NE(progressive.error().context.find("FFC2 with 12 bits"), std::string::npos);
}

// How far the samples of two frames of 8 bits are apart.
int largest_difference(const Frame& a, const Frame& b) {
    int largest = 0;
    for (std::size_t n = 0; n < a.bytes.size() && n < b.bytes.size(); ++n)
        largest = std::max(largest, std::abs(std::to_integer<int>(a.bytes.data()[n]) -
                                             std::to_integer<int>(b.bytes.data()[n])));
    return largest;
}

Frame smooth_frame(int samples) {
    Frame frame;
    frame.format = format_of(48, 64, 8, 8, false, samples);
    for (int row = 0; row < 48; ++row) {
        for (int column = 0; column < 64; ++column) {
            for (int n = 0; n < samples; ++n)
                append_le(frame.bytes, static_cast<std::uint8_t>(40 + 2 * row + column + 20 * n));
        }
    }
    return frame;
}

TEST(JpegBaseline, GreyComesBackNearly) {
    const auto frame = smooth_frame(1);
    PixelFormat written;
    const auto encoded = jpeg_codec().encode(frame, kBaseline, {}, written);
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_EQ(encoded->size() % 2, 0u);
    EXPECT_EQ(written, frame.format);
    const auto back = jpeg_codec().decode(encoded->span(), frame.format, {});
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_LE(largest_difference(*back, frame), 3);
    const auto wide = jpeg_codec().decode(encoded->span(), format_of(48, 64, 16, 8), {});
    ASSERT_TRUE(wide);
    EXPECT_EQ(wide->bytes.size(), 2 * frame.bytes.size());
    EXPECT_EQ(wide->bytes.data()[2], back->bytes.data()[1]);
}

TEST(JpegBaseline, ColourIsYbrUnlessRgbIsWanted) {
    const auto frame = smooth_frame(3);
    PixelFormat written;
    const auto encoded = jpeg_codec().encode(frame, kBaseline, {}, written);
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_EQ(written.photometric, Photometric::ybr_full_422);
    const auto as_stored = jpeg_codec().decode(encoded->span(), written, {});
    ASSERT_TRUE(as_stored);
    EXPECT_EQ(as_stored->format.photometric, Photometric::ybr_full);
    EXPECT_GT(largest_difference(*as_stored, frame), 20);
    DecodeOptions options;
    options.to_rgb = true;
    // What the data set says is not believed against a JFIF stream.
    const auto rgb = jpeg_codec().decode(encoded->span(), frame.format, options);
    ASSERT_TRUE(rgb);
    EXPECT_EQ(rgb->format.photometric, Photometric::rgb);
    EXPECT_LE(largest_difference(*rgb, frame), 4);
}

TEST(JpegBaseline, SmallerFramesAreDecodedSmaller) {
    const auto frame = smooth_frame(1);
    PixelFormat written;
    const auto encoded = jpeg_codec().encode(frame, kBaseline, {}, written);
    ASSERT_TRUE(encoded);
    for (const std::uint32_t reduce : {1u, 2u, 3u}) {
        DecodeOptions options;
        options.reduce = reduce;
        const auto small = jpeg_codec().decode(encoded->span(), frame.format, options);
        ASSERT_TRUE(small);
        EXPECT_EQ(small->format.rows, 48u >> reduce);
        EXPECT_EQ(small->format.columns, 64u >> reduce);
        EXPECT_EQ(small->bytes.size(), small->format.frame_bytes());
    }
}

TEST(JpegBaseline, DamagedDataAreAnErrorNotGrey) {
    PixelFormat written;
    const auto encoded = jpeg_codec().encode(smooth_frame(1), kBaseline, {}, written);
    ASSERT_TRUE(encoded);
    const auto half =
        jpeg_codec().decode(encoded->span().first(encoded->size() - 40), format_of(48, 64, 8, 8), {});
    ASSERT_FALSE(half);
    EXPECT_EQ(half.error().code, Errc::truncated);
}

TEST(JpegBaseline, RefusesWhatItCannotHold) {
    EXPECT_TRUE(jpeg_codec().refuses(format_of(4, 4, 16, 12), kBaseline));
    EXPECT_TRUE(jpeg_codec().refuses(format_of(4, 4, 8, 8, true), kBaseline));
    auto palette = format_of(4, 4, 8, 8);
    palette.photometric = Photometric::palette_color;
    EXPECT_TRUE(jpeg_codec().refuses(palette, kBaseline));
    EXPECT_FALSE(jpeg_codec().refuses(palette, kLosslessSv1));
    EXPECT_TRUE(jpeg_codec().refuses(format_of(4, 4, 32, 32), kLosslessSv1));
}

}  // namespace
}  // namespace sagitta::codec
