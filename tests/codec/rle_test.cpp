#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "core/bytes.h"
#include "tests/codec/pixels.h"

namespace sagitta::codec {
namespace {

using test::bytes_of;
using test::format_of;
using test::frame_of;
using test::values_of;

constexpr std::string_view kRle = "1.2.840.10008.1.2.5";

// The header (PS3.5 G.5): number of segments, 15 offsets.
ByteBuffer with_header(std::initializer_list<std::uint32_t> offsets, std::initializer_list<int> segments) {
    ByteBuffer bytes;
    append_le(bytes, static_cast<std::uint32_t>(offsets.size()));
    for (const auto offset : offsets) append_le(bytes, offset);
    while (bytes.size() < 64) append_le(bytes, std::uint32_t{0});
    bytes.append(bytes_of(segments).span());
    return bytes;
}

TEST(Rle, RunsLiteralsAndNothing) {
    // literal of 2: 1 2; 0x80 does nothing; run of 4: 9; literal of 1: 5
    const auto encoded = with_header({64}, {1, 1, 2, 0x80, 0xfd, 9, 0, 5});
    const auto frame = rle_codec().decode(encoded.span(), format_of(1, 7, 8, 8), {});
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{1, 2, 9, 9, 9, 9, 5}));
}

TEST(Rle, TheMostSignificantByteComesFirst) {
    const auto encoded = with_header({64, 68}, {1, 0x12, 0x34, 0x80, 0xff, 0x56});
    const auto frame = rle_codec().decode(encoded.span(), format_of(1, 2, 16, 16), {});
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{0x56, 0x12, 0x56, 0x34}));
}

TEST(Rle, ColourComesByPixelWhateverPlanarConfigurationSays) {
    const auto encoded = with_header({64, 68, 72}, {1, 1, 2, 0x80, 1, 3, 4, 0x80, 1, 5, 6, 0x80});
    auto format = format_of(1, 2, 8, 8, false, 3);
    format.planar = true;
    const auto frame = rle_codec().decode(encoded.span(), format, {});
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{1, 3, 5, 2, 4, 6}));
    EXPECT_FALSE(frame->format.planar);
}

TEST(Rle, BitsAboveBitsStoredAreMaskedOrTheSign) {
    const auto encoded = with_header({64, 68}, {1, 0xf8, 0x17, 0x80, 0xff, 0xff});
    const auto plain = rle_codec().decode(encoded.span(), format_of(1, 2, 16, 12), {});
    ASSERT_TRUE(plain);
    EXPECT_EQ(values_of(plain->bytes.span()), (std::vector{0xff, 0x08, 0xff, 0x07}));
    const auto with_sign = rle_codec().decode(encoded.span(), format_of(1, 2, 16, 12, true), {});
    ASSERT_TRUE(with_sign);
    EXPECT_EQ(values_of(with_sign->bytes.span()), (std::vector{0xff, 0xf8, 0xff, 0x07}));
}

TEST(Rle, WhatIsWrongIsSaid) {
    const auto one = format_of(1, 4, 8, 8);
    const auto code_of = [&](const ByteBuffer& bytes) {
        const auto frame = rle_codec().decode(bytes.span(), one, {});
        return frame ? Errc::io_failure : frame.error().code;
    };
    EXPECT_EQ(code_of(with_header({64}, {3, 1, 2})), Errc::truncated);            // a literal cut short
    EXPECT_EQ(code_of(with_header({64}, {0xfe})), Errc::truncated);               // a run without its value
    EXPECT_EQ(code_of(with_header({64}, {0xff, 1})), Errc::truncated);            // two pixels of four
    EXPECT_EQ(code_of(with_header({64, 66}, {0xff, 1, 0, 0})), Errc::malformed);  // a segment too many
    EXPECT_EQ(code_of(with_header({99}, {0xfd, 1})), Errc::malformed);
    EXPECT_EQ(code_of(with_header({8}, {0xfd, 1})), Errc::malformed);
    EXPECT_EQ(code_of(bytes_of({1, 0, 0, 0})), Errc::truncated);
    EXPECT_EQ(code_of(with_header({64}, {0xfc, 1})), Errc::io_failure);  // a pixel too many is left out
}

TEST(Rle, ManyPiecesJoinWithoutASeam) {
    for (const int samples : {1, 3}) {
        for (const int allocated : {8, 16, 32, 64}) {
            if (samples * allocated > 15 * 8) continue;
            for (const auto texture : {test::Texture::noise, test::Texture::structure}) {
                const auto frame =
                    frame_of(format_of(211, 307, allocated, allocated, false, samples), texture);
                PixelFormat written;
                const auto encoded = rle_codec().encode(frame, kRle, {}, written);
                ASSERT_TRUE(encoded) << encoded.error().message();
                EXPECT_EQ(encoded->size() % 2, 0u);
                const auto back = rle_codec().decode(encoded->span(), frame.format, {});
                ASSERT_TRUE(back) << back.error().message();
                EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()))
                    << allocated << " bits, " << samples << " samples";
            }
        }
    }
}

TEST(Rle, RowsArePackedEachByItself) {
    Frame frame;
    frame.format = format_of(2, 4, 8, 8);
    frame.bytes = bytes_of({7, 7, 7, 7, 7, 7, 1, 2});
    PixelFormat written;
    const auto encoded = rle_codec().encode(frame, kRle, {}, written);
    ASSERT_TRUE(encoded);
    // run of 4; run of 2, literal of 2; padded
    EXPECT_EQ(values_of(encoded->span().subspan(64)), (std::vector{0xfd, 7, 0xff, 7, 1, 1, 2, 0}));
    EXPECT_EQ(load_le<std::uint32_t>(encoded->data()), 1u);
    EXPECT_EQ(load_le<std::uint32_t>(encoded->data() + 4), 64u);
}

TEST(Rle, RefusesWhatFifteenSegmentsCannotHold) {
    EXPECT_TRUE(rle_codec().refuses(format_of(4, 4, 64, 64, false, 3), kRle));
    EXPECT_TRUE(rle_codec().refuses(format_of(4, 4, 1, 1), kRle));
    EXPECT_FALSE(rle_codec().refuses(format_of(4, 4, 32, 32, false, 3), kRle));
}

}  // namespace
}  // namespace sagitta::codec
