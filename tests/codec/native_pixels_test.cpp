#include <gtest/gtest.h>

#include "codec/frame_source.h"
#include "codec/native_pixels.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "tests/codec/pixels.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;
using test::bytes_of;
using test::format_of;
using test::values_of;

std::vector<int> unpacked(const PixelFormat& format, const ByteBuffer& stored) {
    const auto frame = unpack_native(stored.span(), format);
    if (!frame) {
        ADD_FAILURE() << frame.error().message();
        return {};
    }
    EXPECT_EQ(frame->bytes.size(), frame->format.frame_bytes());
    const auto moved = unpack_native(ByteBuffer(stored.span()), format);
    EXPECT_TRUE(moved && moved->format == frame->format);
    EXPECT_TRUE(moved && test::same_bytes(moved->bytes.span(), frame->bytes.span()));
    return values_of(frame->bytes.span());
}

TEST(NativePixels, OverlayBitsAboveHighBitAreMasked) {
    EXPECT_EQ(unpacked(format_of(1, 2, 16, 12), bytes_of({0x34, 0xf2, 0xff, 0x0f})),
              (std::vector{0x34, 0x02, 0xff, 0x0f}));
}

TEST(NativePixels, TheSignIsTheHighBit) {
    EXPECT_EQ(unpacked(format_of(1, 2, 16, 12, true), bytes_of({0x00, 0x08, 0xff, 0xf7})),
              (std::vector{0x00, 0xf8, 0xff, 0x07}));
}

TEST(NativePixels, LeftAlignedValuesMoveDown) {
    auto format = format_of(1, 2, 16, 12, true);
    format.high_bit = 15;
    const auto frame = unpack_native(bytes_of({0x5f, 0x12, 0x00, 0x80}).span(), format);
    ASSERT_TRUE(frame);
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{0x25, 0x01, 0x00, 0xf8}));
    EXPECT_EQ(frame->format.high_bit, 11);
}

TEST(NativePixels, PlanesBecomePixels) {
    auto format = format_of(1, 2, 16, 16, false, 3);
    format.planar = true;
    EXPECT_EQ(unpacked(format, bytes_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})),
              (std::vector{1, 2, 5, 6, 9, 10, 3, 4, 7, 8, 11, 12}));
}

TEST(NativePixels, ChrominanceOf422IsRepeated) {
    auto format = format_of(1, 4, 8, 8, false, 3);
    format.photometric = Photometric::ybr_full_422;
    EXPECT_EQ(native_frame_bits(format), 64u);
    const auto frame = unpack_native(bytes_of({1, 2, 50, 60, 3, 4, 70, 80}).span(), format);
    ASSERT_TRUE(frame);
    EXPECT_EQ(values_of(frame->bytes.span()), (std::vector{1, 50, 60, 2, 50, 60, 3, 70, 80, 4, 70, 80}));
    EXPECT_EQ(frame->format.photometric, Photometric::ybr_full);
}

TEST(NativePixels, BitsBecomeBytesTheLowestFirst) {
    EXPECT_EQ(unpacked(format_of(3, 3, 1, 1), bytes_of({0b10000101, 0b1})),
              (std::vector{1, 0, 1, 0, 0, 0, 0, 1, 1}));
}

TEST(NativePixels, PackingUndoesUnpacking) {
    for (const int bits : {1, 8, 16, 32, 64}) {
        const auto frame = test::frame_of(format_of(5, 7, bits, bits), test::Texture::noise);
        const auto packed = pack_native(frame);
        EXPECT_EQ(packed.size(), (native_frame_bits(frame.format) + 7) / 8);
        const auto back = unpack_native(packed.span(), frame.format);
        ASSERT_TRUE(back);
        EXPECT_TRUE(test::same_bytes(back->bytes.span(), frame.bytes.span())) << bits;
    }
}

TEST(NativePixels, LimitsAndMissingBytesAreErrors) {
    const auto format = format_of(100, 100, 8, 8);
    PixelLimits limits;
    limits.max_pixels_per_frame = 9999;
    EXPECT_EQ(unpack_native(bytes_of({1}).span(), format, limits).error().code, Errc::limit_exceeded);
    EXPECT_EQ(unpack_native(bytes_of({1}).span(), format).error().code, Errc::truncated);
}

dicom::DataSet image(std::uint16_t rows, std::uint16_t columns, std::uint16_t allocated) {
    dicom::DataSet set;
    set.set_uint16(tags::SamplesPerPixel, 1);
    set.set_text(tags::PhotometricInterpretation, dicom::Vr::CS, "MONOCHROME2");
    set.set_uint16(tags::Rows, rows);
    set.set_uint16(tags::Columns, columns);
    set.set_uint16(tags::BitsAllocated, allocated);
    return set;
}

TEST(DescribePixels, SaysWhichAttributeContradicts) {
    const auto reason = [](const dicom::DataSet& set) {
        const auto format = describe_pixels(set.elements());
        return format ? std::string() : format.error().context;
    };
    EXPECT_EQ(reason(image(1, 1, 8)), "");
    EXPECT_NE(reason(image(0, 1, 8)).find("Rows"), std::string::npos);
    EXPECT_NE(reason(image(1, 1, 0)).find("Bits Allocated"), std::string::npos);
    EXPECT_NE(reason(image(1, 1, 12)).find("Bits Allocated 12"), std::string::npos);
    auto stored = image(1, 1, 8);
    stored.set_uint16(tags::BitsStored, 9);
    EXPECT_NE(reason(stored).find("Bits Stored 9"), std::string::npos);
    auto samples = image(1, 1, 8);
    samples.set_uint16(tags::SamplesPerPixel, 65535);
    EXPECT_NE(reason(samples).find("Samples per Pixel"), std::string::npos);
    EXPECT_EQ(describe_pixels(dicom::DataSet().elements()).error().code, Errc::not_found);
    PixelLimits limits;
    limits.max_frame_bytes = 7;
    EXPECT_EQ(describe_pixels(image(2, 4, 8).elements(), limits).error().code, Errc::limit_exceeded);
}

TEST(DescribePixels, AHighBitBelowBitsStoredIsCountedAnew) {
    auto set = image(1, 1, 16);
    set.set_uint16(tags::BitsStored, 12);
    set.set_uint16(tags::HighBit, 12);
    EXPECT_EQ(describe_pixels(set.elements())->high_bit, 12);
    set.set_uint16(tags::HighBit, 10);
    EXPECT_EQ(describe_pixels(set.elements())->high_bit, 11);
    set.set_uint16(tags::HighBit, 16);
    EXPECT_EQ(describe_pixels(set.elements())->high_bit, 11);
}

TEST(DescribePixels, TermsThereAndBack) {
    for (int n = 0; n <= static_cast<int>(Photometric::other); ++n) {
        const auto photometric = static_cast<Photometric>(n);
        EXPECT_EQ(parse_photometric(to_string(photometric)), photometric);
    }
    EXPECT_EQ(parse_photometric("HSV"), Photometric::other);
}

}  // namespace
}  // namespace sagitta::codec
