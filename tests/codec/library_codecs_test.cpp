// What the encoders write comes back from the decoders: every depth, sign and colour they take, and
// what they refuse. Other people's decoders read it in peers_test.cpp.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "codec/jpeg_2000_header.h"
#include "core/bytes.h"
#include "tests/codec/pixels.h"

namespace sagitta::codec {
namespace {

constexpr std::string_view kJpegLs = "1.2.840.10008.1.2.4.80";
constexpr std::string_view kJpegLsNear = "1.2.840.10008.1.2.4.81";
constexpr std::string_view kJpeg2000Lossless = "1.2.840.10008.1.2.4.90";
constexpr std::string_view kJpeg2000 = "1.2.840.10008.1.2.4.91";
constexpr std::string_view kHtj2k = "1.2.840.10008.1.2.4.201";
constexpr std::string_view kHtj2kRpcl = "1.2.840.10008.1.2.4.202";

struct Shape {
    std::uint32_t rows, columns;
    std::uint16_t samples, allocated, stored;
    bool is_signed;
};

PixelFormat format_of(const Shape& shape) {
    return test::format_of(shape.rows, shape.columns, shape.allocated, shape.stored, shape.is_signed,
                           shape.samples);
}

Frame picture(const Shape& shape, test::Texture texture = test::Texture::structure) {
    return test::frame_of(format_of(shape), texture);
}

std::vector<Shape> shapes(std::uint16_t min_bits, std::uint16_t max_bits) {
    std::vector<Shape> all;
    for (std::uint16_t bits = min_bits; bits <= max_bits; ++bits) {
        const std::uint16_t allocated = bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
        for (const bool is_signed : {false, true}) all.push_back({33, 50, 1, allocated, bits, is_signed});
    }
    for (const std::uint16_t bits : {std::uint16_t{8}, std::uint16_t{12}, std::uint16_t{16}}) {
        const std::uint16_t allocated = bits <= 8 ? 8 : 16;
        all.push_back({40, 31, 3, allocated, bits, false});
    }
    all.push_back({1, 1, 1, 8, 8, false});
    all.push_back({1, 300, 1, 16, 12, false});
    all.push_back({300, 1, 3, 8, 8, false});
    all.push_back({20, 20, 1, 16, 8, false});  // a byte in a word
    all.push_back({20, 20, 1, 32, 12, true});  // twelve bits in four bytes
    return all;
}

std::string text_of(const Shape& shape) {
    return std::to_string(shape.rows) + "x" + std::to_string(shape.columns) + "x" +
           std::to_string(shape.samples) + " " + std::to_string(shape.stored) + "/" +
           std::to_string(shape.allocated) + (shape.is_signed ? " signed" : "");
}

void expect_lossless(const FrameCodec& encoder, const FrameCodec& decoder, std::string_view syntax,
                     const std::vector<Shape>& all) {
    for (std::size_t n = 0; n < 2 * all.size(); ++n) {
        const auto& shape = all[n / 2];
        SCOPED_TRACE(text_of(shape));
        const Frame frame = picture(shape, n % 2 == 0 ? test::Texture::structure : test::Texture::noise);
        PixelFormat written;
        const auto encoded = encoder.encode(frame, syntax, {}, written);
        ASSERT_TRUE(encoded) << encoded.error().message();
        EXPECT_EQ(encoded->size() % 2, 0u);
        const auto back = decoder.decode(encoded->span(), written, {});
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(back->format.bits_stored, shape.stored);
        EXPECT_EQ(back->format.is_signed, shape.is_signed);
        EXPECT_EQ(back->format.photometric, frame.format.photometric);
        if (written.bits_allocated != shape.allocated) continue;
        EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
    }
}

TEST(LibraryCodecs, JpegLsKeepsEverySample) {
    expect_lossless(jpeg_ls_codec(), jpeg_ls_codec(), kJpegLs, shapes(2, 16));
}

TEST(LibraryCodecs, Jpeg2000KeepsEverySample) {
    expect_lossless(jpeg_2000_codec(), jpeg_2000_codec(), kJpeg2000Lossless, shapes(1, 24));
}

TEST(LibraryCodecs, Htj2kKeepsEverySample) {
    expect_lossless(htj2k_codec(), jpeg_2000_codec(), kHtj2k, shapes(1, 24));
    expect_lossless(htj2k_codec(), jpeg_2000_codec(), kHtj2kRpcl, shapes(1, 24));
}

double largest_error(const Frame& one, const Frame& other) {
    double largest = 0;
    for (std::size_t i = 0; i < one.format.pixels() * one.format.samples_per_pixel; ++i) {
        const auto at = [&](const Frame& frame) {
            const auto* from = frame.bytes.data() + i * frame.format.sample_bytes();
            if (frame.format.sample_bytes() == 1)
                return frame.format.is_signed ? double(static_cast<std::int8_t>(*from))
                                              : double(*reinterpret_cast<const std::uint8_t*>(from));
            const auto bits = load_le<std::uint16_t>(from);
            return frame.format.is_signed ? double(static_cast<std::int16_t>(bits)) : double(bits);
        };
        largest = std::max(largest, std::abs(at(one) - at(other)));
    }
    return largest;
}

TEST(LibraryCodecs, JpegLsNearLosslessStaysWithinItsBound) {
    for (const std::uint32_t near : {1u, 2u, 5u}) {
        for (const Shape& shape : {Shape{64, 64, 1, 8, 8, false}, Shape{64, 64, 1, 16, 12, false},
                                   Shape{64, 64, 3, 8, 8, false}}) {
            SCOPED_TRACE(text_of(shape));
            const Frame frame = picture(shape);
            EncodeOptions options;
            options.near = near;
            PixelFormat written;
            const auto encoded = jpeg_ls_codec().encode(frame, kJpegLsNear, options, written);
            ASSERT_TRUE(encoded) << encoded.error().message();
            const auto back = jpeg_ls_codec().decode(encoded->span(), written, {});
            ASSERT_TRUE(back) << back.error().message();
            EXPECT_LE(largest_error(frame, *back), near);
        }
    }
}

TEST(LibraryCodecs, NearLosslessNeverChangesTheSignOfTheLargestSamples) {
    PixelFormat written;
    const Frame extreme = picture({64, 64, 1, 16, 16, true}, test::Texture::noise);
    const auto refused = jpeg_ls_codec().encode(extreme, kJpegLsNear, {}, written);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unsupported);
    Frame frame = picture({64, 64, 1, 16, 12, true});
    frame.format.bits_stored = 16;
    frame.format.high_bit = 15;
    const auto encoded = jpeg_ls_codec().encode(frame, kJpegLsNear, {}, written);
    ASSERT_TRUE(encoded) << encoded.error().message();
    const auto back = jpeg_ls_codec().decode(encoded->span(), written, {});
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_LE(largest_error(frame, *back), 2);
}

TEST(LibraryCodecs, LossyJpeg2000HasTheRatioAskedFor) {
    const Frame frame = picture({256, 256, 3, 8, 8, false});
    EncodeOptions options;
    options.compression_ratio = 8;
    PixelFormat written;
    const auto encoded = jpeg_2000_codec().encode(frame, kJpeg2000, options, written);
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_EQ(written.photometric, Photometric::ybr_ict);
    const double ratio = static_cast<double>(frame.bytes.size()) / static_cast<double>(encoded->size());
    EXPECT_NEAR(ratio, 8, 0.5);
    const auto back = jpeg_2000_codec().decode(encoded->span(), written, {});
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->format.photometric, Photometric::rgb);
}

TEST(LibraryCodecs, ReducedDecodingHalvesRowsAndColumns) {
    const Frame frame = picture({130, 201, 1, 16, 12, false});
    PixelFormat written;
    for (const auto* encoder : {&jpeg_2000_codec(), &htj2k_codec()}) {
        const auto encoded = encoder->encode(frame, encoder->encodes().front(), {}, written);
        ASSERT_TRUE(encoded) << encoded.error().message();
        DecodeOptions options;
        options.reduce = 2;
        const auto small = jpeg_2000_codec().decode(encoded->span(), written, options);
        ASSERT_TRUE(small) << small.error().message();
        EXPECT_EQ(small->format.rows, 33u);
        EXPECT_EQ(small->format.columns, 51u);
        EXPECT_EQ(small->bytes.size(), small->format.frame_bytes());
        options.reduce = 40;  // more than there are
        EXPECT_TRUE(jpeg_2000_codec().decode(encoded->span(), written, options));
    }
}

TEST(LibraryCodecs, RpclStreamSaysHowLongItsTilePartIsAndIsSmallEnoughToBrowse) {
    const Frame frame = picture({4500, 40, 1, 8, 8, false});
    PixelFormat written;
    const auto encoded = htj2k_codec().encode(frame, kHtj2kRpcl, {}, written);
    ASSERT_TRUE(encoded) << encoded.error().message();
    const auto header = read_jpeg_2000_header(encoded->span());
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_TRUE(header->reversible);
    const auto at = header->first_tile_part_bytes;
    ASSERT_GE(at, 10u);
    EXPECT_EQ(load_be<std::uint16_t>(encoded->data() + at - 10), 0xFF55);
    const auto length = load_be<std::uint32_t>(encoded->data() + at - 4);
    EXPECT_EQ(load_be<std::uint16_t>(encoded->data() + at + length), 0xFFD9);
}

TEST(LibraryCodecs, StreamOfAnotherSizeIsRefused) {
    const Frame frame = picture({32, 32, 1, 8, 8, false});
    for (const auto* codec : {&jpeg_ls_codec(), &jpeg_2000_codec()}) {
        PixelFormat written;
        const auto encoded = codec->encode(frame, codec->encodes().front(), {}, written);
        ASSERT_TRUE(encoded);
        PixelFormat declared = frame.format;
        declared.rows = 16;
        const auto refused = codec->decode(encoded->span(), declared, {});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::mismatch);
        DecodeOptions options;
        options.limits.max_pixels_per_frame = 1000;
        const auto limited = codec->decode(encoded->span(), frame.format, options);
        ASSERT_FALSE(limited);
        EXPECT_EQ(limited.error().code, Errc::limit_exceeded);
    }
}

TEST(LibraryCodecs, TruncatedStreamsAreErrors) {
    const Frame frame = picture({64, 64, 3, 8, 8, false});
    for (const auto* codec : {&jpeg_ls_codec(), &jpeg_2000_codec()}) {
        PixelFormat written;
        const auto encoded = codec->encode(frame, codec->encodes().front(), {}, written);
        ASSERT_TRUE(encoded);
        for (std::size_t keep = 0; keep < encoded->size() * 3 / 4; keep += 1 + encoded->size() / 200)
            EXPECT_FALSE(codec->decode(encoded->span().first(keep), written, {})) << keep;
    }
}

// With FF95 in a code-block OpenJPEG ends the process.
TEST(LibraryCodecs, MarkersInsideOfHtj2kPacketsAreRefused) {
    const Frame frame = picture({64, 64, 1, 8, 8, false});
    PixelFormat written;
    const auto encoded = htj2k_codec().encode(frame, kHtj2k, {}, written);
    ASSERT_TRUE(encoded);
    const auto header = read_jpeg_2000_header(encoded->span());
    ASSERT_TRUE(header);
    for (std::size_t at = header->first_tile_part_bytes + 14; at + 6 < encoded->size(); at += 7) {
        ByteBuffer bad(encoded->span());
        store_be<std::uint16_t>(bad.data() + at, 0xFF95);
        const auto refused = jpeg_2000_codec().decode(std::as_const(bad).span(), written, {});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::malformed);
    }
}

TEST(LibraryCodecs, StreamsPrecisionWinsOverBitsStored) {
    const Frame frame = picture({32, 32, 1, 16, 12, false}, test::Texture::noise);
    for (const auto* codec : {&jpeg_ls_codec(), &jpeg_2000_codec()}) {
        PixelFormat written;
        const auto encoded = codec->encode(frame, codec->encodes().front(), {}, written);
        ASSERT_TRUE(encoded);
        PixelFormat declared = frame.format;
        declared.bits_allocated = 8;
        declared.bits_stored = 8;
        declared.high_bit = 7;
        const auto back = codec->decode(encoded->span(), declared, {});
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(back->format.bits_allocated, 16);
        EXPECT_EQ(back->format.bits_stored, 12);
        EXPECT_EQ(back->format.high_bit, 11);
        EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
    }
}

TEST(LibraryCodecs, JpegLsPaddedBeforeItsEndIsRead) {
    const Frame frame = picture({32, 32, 1, 8, 8, false});
    PixelFormat written;
    const auto encoded = jpeg_ls_codec().encode(frame, kJpegLs, {}, written);
    ASSERT_TRUE(encoded);
    std::size_t end = encoded->size();
    while (encoded->data()[end - 1] != std::byte{0xD9}) --end;
    ByteBuffer padded(encoded->span().first(end - 2));
    append_be<std::uint16_t>(padded, 0);
    append_be<std::uint16_t>(padded, 0xFFD9);
    const auto back = jpeg_ls_codec().decode(padded.span(), written, {});
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
}

TEST(LibraryCodecs, CodestreamIsFoundInJp2Boxes) {
    const Frame frame = picture({32, 32, 1, 8, 8, false});
    PixelFormat written;
    const auto encoded = jpeg_2000_codec().encode(frame, kJpeg2000Lossless, {}, written);
    ASSERT_TRUE(encoded);
    ByteBuffer boxes;
    for (const std::uint32_t word : {12u, 0x6A502020u, 0x0D0A870Au}) append_be<std::uint32_t>(boxes, word);
    for (const std::uint32_t word : {0u, 0x6A703263u}) append_be<std::uint32_t>(boxes, word);
    boxes.append(encoded->span());
    const auto back = jpeg_2000_codec().decode(boxes.span(), written, {});
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
}

TEST(LibraryCodecs, DeflatedFramesKeepEveryBit) {
    for (const Shape& shape : {Shape{33, 50, 1, 1, 1, false}, Shape{33, 51, 1, 8, 8, false},
                               Shape{20, 31, 3, 16, 12, false}, Shape{20, 31, 1, 32, 32, true}}) {
        SCOPED_TRACE(text_of(shape));
        const Frame frame = picture(shape, test::Texture::noise);
        PixelFormat written;
        const auto encoded = deflated_frame_codec().encode(frame, {}, {}, written);
        ASSERT_TRUE(encoded) << encoded.error().message();
        EXPECT_EQ(encoded->size() % 2, 0u);
        const auto back = deflated_frame_codec().decode(encoded->span(), written, {});
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span()));
        const auto cut =
            deflated_frame_codec().decode(encoded->span().first(encoded->size() / 2), written, {});
        ASSERT_FALSE(cut);
        EXPECT_EQ(cut.error().code, Errc::truncated);
        PixelFormat huge = frame.format;
        huge.rows = huge.columns = 16000;
        EXPECT_FALSE(deflated_frame_codec().decode(encoded->span(), huge, {}));
    }
}

TEST(LibraryCodecs, FormatsThatDoNotFitAreRefusedBeforeEncoding) {
    PixelFormat wide = format_of({8, 8, 1, 32, 32, false});
    EXPECT_TRUE(jpeg_ls_codec().refuses(wide, kJpegLs));
    EXPECT_TRUE(jpeg_2000_codec().refuses(wide, kJpeg2000Lossless));
    EXPECT_TRUE(htj2k_codec().refuses(wide, kHtj2k));
    PixelFormat real = wide;
    real.sample = SampleType::float32;
    EXPECT_TRUE(jpeg_2000_codec().refuses(real, kJpeg2000Lossless));
    const PixelFormat bit = format_of({8, 8, 1, 1, 1, false});
    EXPECT_TRUE(jpeg_ls_codec().refuses(bit, kJpegLs));
    EXPECT_FALSE(jpeg_2000_codec().refuses(bit, kJpeg2000Lossless));
}

}  // namespace
}  // namespace sagitta::codec
