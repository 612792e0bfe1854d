// PNG and JPEG files, read back by other code than wrote them.
#include <gtest/gtest.h>

#include <png.h>

#include "codec/frame_codec.h"
#include "codec/jpeg_writer.h"
#include "codec/png_writer.h"
#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

template <class Sample>
Picture gradient(std::uint32_t channels) {
    Picture picture = blank_picture(20, 30, channels, sizeof(Sample) * 8);
    std::vector<Sample> samples(picture.samples());
    for (std::size_t n = 0; n < samples.size(); ++n)
        samples[n] = static_cast<Sample>(n * (sizeof(Sample) == 2 ? 31 : 1) / channels / 3);
    std::memcpy(picture.bytes.data(), samples.data(), picture.bytes.size());
    return picture;
}

/// What libpng's simple reader sees, with 8 bits for each sample.
std::vector<std::uint8_t> read_png(const ByteBuffer& file, std::uint32_t channels) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    EXPECT_NE(png_image_begin_read_from_memory(&image, file.data(), file.size()), 0) << image.message;
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    std::vector<std::uint8_t> samples(PNG_IMAGE_SIZE(image));
    EXPECT_NE(png_image_finish_read(&image, nullptr, samples.data(), 0, nullptr), 0) << image.message;
    return samples;
}

TEST(Png, ComesBackAsItWas) {
    for (const std::uint32_t channels : {1u, 3u}) {
        const Picture picture = gradient<std::uint8_t>(channels);
        const auto file = write_png(picture);
        ASSERT_TRUE(file.has_value()) << file.error().message();
        const auto samples = read_png(*file, channels);
        ASSERT_EQ(samples.size(), picture.bytes.size());
        EXPECT_EQ(std::memcmp(samples.data(), picture.bytes.data(), samples.size()), 0);
    }
}

TEST(Png, Has16BitsInItsOwnByteOrder) {
    const auto file = write_png(gradient<std::uint16_t>(1));
    ASSERT_TRUE(file.has_value());
    // Width, height, bit depth, colour type: bytes 16 to 25 of every PNG.
    EXPECT_EQ(std::to_integer<int>(file->span()[19]), 30);
    EXPECT_EQ(std::to_integer<int>(file->span()[23]), 20);
    EXPECT_EQ(std::to_integer<int>(file->span()[24]), 16);
    EXPECT_EQ(std::to_integer<int>(file->span()[25]), PNG_COLOR_TYPE_GRAY);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_NE(png_image_begin_read_from_memory(&image, file->data(), file->size()), 0);
    image.format = PNG_FORMAT_LINEAR_Y;
    std::vector<std::uint16_t> samples(std::size_t{20} * 30);
    ASSERT_NE(png_image_finish_read(&image, nullptr, samples.data(), 0, nullptr), 0);
    EXPECT_EQ(samples[599], 599 * 31 / 3);
}

TEST(Png, RefusesAPictureWithoutPixels) {
    const auto file = write_png(blank_picture(0, 0, 1, 8));
    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().code, Errc::unsupported);
}

TEST(Jpeg, ComesBackNearlyAsItWas) {
    const FrameCodec* codec = find_decoder("1.2.840.10008.1.2.4.50");
    ASSERT_NE(codec, nullptr);
    for (const std::uint32_t channels : {1u, 3u}) {
        const Picture picture = gradient<std::uint8_t>(channels);
        const auto file = write_jpeg(picture, 95);
        ASSERT_TRUE(file.has_value()) << file.error().message();
        PixelFormat declared;
        declared.rows = 20;
        declared.columns = 30;
        declared.samples_per_pixel = static_cast<std::uint16_t>(channels);
        declared.photometric = channels == 3 ? Photometric::ybr_full_422 : Photometric::monochrome2;
        DecodeOptions options;
        options.to_rgb = true;
        const auto frame = codec->decode(file->span(), declared, options);
        ASSERT_TRUE(frame.has_value()) << frame.error().message();
        ASSERT_EQ(frame->bytes.size(), picture.bytes.size());
        if (channels == 3 && frame->format.photometric != Photometric::rgb) continue;  // as it was coded
        for (std::size_t n = 0; n < frame->bytes.size(); ++n) {
            ASSERT_NEAR(std::to_integer<int>(frame->bytes.span()[n]),
                        std::to_integer<int>(picture.bytes.span()[n]), 6)
                << n;
        }
    }
}

TEST(Jpeg, RefusesWhatItCannotHold) {
    EXPECT_EQ(write_jpeg(blank_picture(2, 2, 1, 16), 90).error().code, Errc::unsupported);
    EXPECT_EQ(write_jpeg(blank_picture(0, 0, 1, 8), 90).error().code, Errc::unsupported);
    EXPECT_EQ(write_jpeg(blank_picture(1, 70000, 1, 8), 90).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace sagitta::codec
