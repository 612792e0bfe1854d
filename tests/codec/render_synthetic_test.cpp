// Images made here for what corpora lack, rendered by us and by dcmj2pnm; and what it does not know
// against values from the standard.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "codec/render.h"
#include "core/bytes.h"
#include "dicom/part10.h"
#include "dicom/write_file.h"
#include "dicom/writer.h"
#include "tests/codec/dcmj2pnm.h"
#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

constexpr std::string_view kExplicitLittle = "1.2.840.10008.1.2.1";
constexpr std::string_view kExplicitBig = "1.2.840.10008.1.2.2";
constexpr std::uint16_t kSide = 64;

/// 64 × 64 pixels that take every value of 12 bits once.
dicom::DataSet twelve_bits(bool is_signed) {
    dicom::DataSet image;
    image.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.7");
    image.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4");
    image.set_uint16(tags::SamplesPerPixel, 1);
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME2");
    image.set_uint16(tags::Rows, kSide);
    image.set_uint16(tags::Columns, kSide);
    image.set_uint16(tags::BitsAllocated, 16);
    image.set_uint16(tags::BitsStored, 12);
    image.set_uint16(tags::HighBit, 11);
    image.set_uint16(tags::PixelRepresentation, is_signed ? 1 : 0);
    std::vector<std::uint16_t> pixels(std::size_t{kSide} * kSide);
    std::iota(pixels.begin(), pixels.end(), std::uint16_t{0});
    image.set(tags::PixelData, Vr::OW, bytes_of(pixels));
    return image;
}

dicom::DataSet eight_bits() {
    auto image = twelve_bits(false);
    image.set_uint16(tags::BitsAllocated, 8);
    image.set_uint16(tags::BitsStored, 8);
    image.set_uint16(tags::HighBit, 7);
    std::vector<std::uint8_t> pixels(std::size_t{kSide} * kSide);
    std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
    image.set(tags::PixelData, Vr::OW, bytes_of(pixels));
    return image;
}

/// Sets a sequence of items, each made by LUT Descriptor and LUT Data.
void set_tables(
    dicom::DataSet& image, Tag sequence,
    const std::vector<std::pair<std::vector<std::uint16_t>, std::vector<std::uint16_t>>>& tables) {
    dicom::DataSetBuilder builder;
    builder.begin_sequence(sequence);
    for (const auto& [descriptor, data] : tables) add_table_item(builder, descriptor, data);
    builder.end();
    const auto made = builder.finish();
    image.set(*made.find(sequence));
}

template <class T>
void set_palette(dicom::DataSet& image, const std::vector<std::uint16_t>& descriptor,
                 const std::array<std::vector<T>, 3>& colours, bool segmented = false) {
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "PALETTE COLOR");
    for (std::uint16_t n = 0; n < 3; ++n) {
        image.set(Tag(0x0028, static_cast<std::uint16_t>(0x1101 + n)), Vr::US, bytes_of(descriptor));
        const auto data = static_cast<std::uint16_t>((segmented ? 0x1221 : 0x1201) + n);
        image.set(Tag(0x0028, data), Vr::OW, bytes_of(colours[n]));
    }
}

std::vector<std::uint16_t> curve(std::size_t count, double highest, double power) {
    std::vector<std::uint16_t> entries;
    for (std::size_t n = 0; n < count; ++n) {
        const double share = static_cast<double>(n) / static_cast<double>(count - 1);
        entries.push_back(static_cast<std::uint16_t>(highest * std::pow(share, power)));
    }
    return entries;
}

FrameSource source_of(const dicom::DataSet& image) {
    auto source = FrameSource::open(image, *dicom::find_transfer_syntax(kExplicitLittle));
    EXPECT_TRUE(source.has_value()) << source.error().message();
    return std::move(*source);
}

std::vector<int> levels_of(const Result<Picture>& picture) {
    EXPECT_TRUE(picture.has_value()) << picture.error().message();
    std::vector<int> levels;
    for (std::size_t n = 0; picture && n < picture->bytes.size(); n += picture->bits / 8) {
        levels.push_back(picture->bits == 8 ? std::to_integer<int>(picture->bytes.span()[n])
                                            : int{load_le<std::uint16_t>(picture->bytes.data() + n)});
    }
    return levels;
}

class RenderSynthetic : public testing::Test {
protected:
    void SetUp() override {
        if (!test::has_dcmj2pnm()) GTEST_SKIP() << "dcmj2pnm is not installed";
        folder_ = std::filesystem::temp_directory_path() / ("sagitta-render-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    /// Both render the same file, in either byte order.
    void compare(const dicom::DataSet& image, const RenderOptions& options, const std::string& arguments,
                 int tolerance = 1) {
        for (const auto uid : {kExplicitLittle, kExplicitBig}) {
            const auto path = (folder_ / "image.dcm").string();
            write(image, uid, path);
            const auto theirs = test::dcmj2pnm(arguments, path);
            ASSERT_NE(theirs.rows, 0u) << "dcmj2pnm cannot render " << uid << " " << arguments;
            const auto source = FrameSource::open_file(path);
            ASSERT_TRUE(source.has_value()) << source.error().message();
            const auto ours = render_frame(*source, 0, options);
            ASSERT_TRUE(ours.has_value()) << ours.error().message();
            ASSERT_EQ(ours->channels, theirs.channels);
            ASSERT_EQ(ours->bytes.size(), theirs.bytes.size());
            EXPECT_LE(test::largest_difference(*ours, theirs), tolerance) << uid << " " << arguments;
        }
    }

private:
    static void write(const dicom::DataSet& image, std::string_view uid, const std::string& path) {
        const auto meta = dicom::file_meta_of(image, std::string(uid));
        ASSERT_TRUE(meta.has_value());
        const ByteBuffer header = dicom::make_file_header(*meta);
        ByteBuffer body;
        dicom::WriteOptions canonical;
        canonical.form = dicom::WriteOptions::Form::canonical;
        ASSERT_TRUE(
            dicom::write_data_set(image, *dicom::find_transfer_syntax(uid), body, canonical).has_value());
        const std::array parts{header.span(), std::as_const(body).span()};
        ASSERT_TRUE(dicom::write_file(path, parts, dicom::IfFileExists::replace).has_value());
    }

    std::filesystem::path folder_;
};

TEST_F(RenderSynthetic, SignedRescaledWithSeveralWindows) {
    auto image = twelve_bits(true);
    image.set_text(tags::RescaleSlope, Vr::DS, "2");
    image.set_text(tags::RescaleIntercept, Vr::DS, "-1024");
    image.set_text(tags::WindowCenter, Vr::DS, "-600\\40\\300.5");
    image.set_text(tags::WindowWidth, Vr::DS, "1500\\400\\1");
    for (const std::uint32_t n : {1u, 2u, 3u}) {
        RenderOptions options;
        options.voi = n;
        compare(image, options, "+Wi " + std::to_string(n));
    }
    RenderOptions automatic;
    automatic.automatic = true;
    compare(image, automatic, "+Wm");
    image.set_text(tags::VOILUTFunction, Vr::CS, "SIGMOID");
    compare(image, {}, "+Wi 1");
}

TEST_F(RenderSynthetic, Monochrome1) {
    auto image = twelve_bits(false);
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME1");
    image.set_text(tags::WindowCenter, Vr::DS, "1000");
    image.set_text(tags::WindowWidth, Vr::DS, "700");
    compare(image, {}, "+Wi 1");
    image.set_text(tags::PresentationLUTShape, Vr::CS, "IDENTITY");
    compare(image, {}, "+Wi 1");
    image.set_text(tags::PresentationLUTShape, Vr::CS, "INVERSE");
    compare(image, {}, "+Wi 1");
    image.set_text(tags::VOILUTFunction, Vr::CS, "SIGMOID");
    compare(image, {}, "+Wi 1");
}

TEST_F(RenderSynthetic, ModalityAndVoiTables) {
    auto image = twelve_bits(false);
    set_tables(image, tags::ModalityLUTSequence, {{{1000, 500, 16}, curve(1000, 4000, 2)}});
    RenderOptions options;
    options.window = Window{1500, 2500};
    compare(image, options, "+Ww 1500 2500");
    set_tables(image, tags::VOILUTSequence,
               {{{300, 200, 8}, curve(300, 255, 0.5)}, {{4096, 0, 12}, curve(4096, 4095, 3)}});
    for (const std::uint32_t n : {1u, 2u}) {
        RenderOptions by_table;
        by_table.voi = n;
        compare(image, by_table, "+Wl " + std::to_string(n));
    }
    image = twelve_bits(true);
    set_tables(image, tags::ModalityLUTSequence, {{{600, 0xff38, 16}, curve(600, 50000, 1.5)}});
    options.window = Window{20000, 40000};
    compare(image, options, "+Ww 20000 40000");
}

TEST_F(RenderSynthetic, AngiogramsAreShownAsStored) {
    auto image = twelve_bits(false);
    image.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.12.1");
    set_tables(image, tags::ModalityLUTSequence, {{{1000, 500, 16}, curve(1000, 4000, 2)}});
    image.set_text(tags::PixelIntensityRelationship, Vr::CS, "LOG");
    RenderOptions options;
    options.window = Window{1500, 2500};
    compare(image, options, "+Ww 1500 2500");
}

TEST_F(RenderSynthetic, VoiTableOfNegativeNumbers) {
    auto image = twelve_bits(false);
    image.set_text(tags::RescaleIntercept, Vr::DS, "-1024");
    image.set_text(tags::RescaleSlope, Vr::DS, "1");
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::VOILUTSequence);
    builder.begin_item();
    add_numbers<std::int16_t>(builder, tags::LUTDescriptor, Vr::SS, {1500, -500, 16});
    add_numbers(builder, tags::LUTData, Vr::OW, curve(1500, 65535, 0.7));
    builder.end();
    builder.end();
    const auto made = builder.finish();
    image.set(*made.find(tags::VOILUTSequence));
    compare(image, {}, "+Wl 1");
}

TEST_F(RenderSynthetic, Palettes) {
    auto image = eight_bits();
    std::array<std::vector<std::uint8_t>, 3> packed;
    for (std::size_t n = 0; n < 3; ++n) {
        for (const auto entry : curve(256, 255, 0.5 + static_cast<double>(n)))
            packed[n].push_back(static_cast<std::uint8_t>(entry));
    }
    set_palette(image, {256, 0, 8}, packed);
    compare(image, {}, "");
    set_palette<std::uint16_t>(image, {200, 20, 16},
                               {curve(200, 65535, 1), curve(200, 65535, 2), curve(200, 65535, 3)});
    compare(image, {}, "");
    image = twelve_bits(false);
    set_palette<std::uint16_t>(image, {4096, 0, 16},
                               {curve(4096, 65535, 1), curve(4096, 65535, 2), curve(4096, 65535, 3)});
    compare(image, {}, "");
    image = twelve_bits(true);
    set_palette<std::uint16_t>(image, {300, 0xff6a, 16},
                               {curve(300, 65535, 1), curve(300, 65535, 2), curve(300, 65535, 3)});
    compare(image, {}, "");
}

// dcmj2pnm 3.6.7 does not read segments; a discrete palette of the same entries is what it must equal.
TEST_F(RenderSynthetic, SegmentedPalette) {
    const auto discrete = [](std::uint16_t from, std::uint16_t to) {
        std::vector<std::uint16_t> entries = {from};
        for (int n = 1; n <= 255; ++n) {
            entries.push_back(static_cast<std::uint16_t>(std::lround(from + (to - from) * n / 255.0)));
        }
        return entries;
    };
    const auto segments = [](std::uint16_t from, std::uint16_t to) {
        return std::vector<std::uint16_t>{0, 1, from, 1, 255, to};
    };
    auto image = eight_bits();
    set_palette<std::uint16_t>(image, {256, 0, 16},
                               {segments(0, 65535), segments(65535, 0), segments(1000, 40000)}, true);
    const auto ours = levels_of(render_frame(source_of(image), 0, {}));
    image = eight_bits();
    set_palette<std::uint16_t>(image, {256, 0, 16},
                               {discrete(0, 65535), discrete(65535, 0), discrete(1000, 40000)});
    EXPECT_EQ(ours, levels_of(render_frame(source_of(image), 0, {})));
    compare(image, {}, "");
}

TEST_F(RenderSynthetic, Overlays) {
    auto image = twelve_bits(false);
    const auto add = [&](std::uint16_t group, std::uint16_t rows, std::uint16_t columns,
                         const std::vector<std::int16_t>& origin, std::uint16_t allocated,
                         std::uint16_t position) {
        image.set_uint16(Tag(group, 0x0010), rows);
        image.set_uint16(Tag(group, 0x0011), columns);
        image.set_text(Tag(group, 0x0040), Vr::CS, "G");
        image.set(Tag(group, 0x0050), Vr::SS, bytes_of(origin));
        image.set_uint16(Tag(group, 0x0100), allocated);
        image.set_uint16(Tag(group, 0x0102), position);
        std::vector<std::uint8_t> bits((rows * columns + 15u) / 16 * 2);
        for (std::size_t n = 0; n < bits.size(); ++n) bits[n] = static_cast<std::uint8_t>(n * 37 + 11);
        if (allocated == 1) image.set(Tag(group, 0x3000), Vr::OW, bytes_of(bits));
    };
    RenderOptions options;
    options.window = Window{2048, 3000};
    options.overlays = true;
    add(0x6000, 13, 21, {5, 9}, 1, 0);
    compare(image, options, "+O 0 +Omr +Ww 2048 3000");
    add(0x6002, 40, 40, {-3, 50}, 1, 0);
    compare(image, options, "+O 0 +Omr +Ww 2048 3000");
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME1");
    compare(image, options, "+O 0 +Omr +Ww 2048 3000");

    image = twelve_bits(false);
    std::vector<std::uint16_t> pixels(std::size_t{kSide} * kSide);
    for (std::size_t n = 0; n < pixels.size(); ++n)
        pixels[n] = static_cast<std::uint16_t>(n * 2654435761u >> 7);
    image.set(tags::PixelData, Vr::OW, bytes_of(pixels));
    add(0x6004, kSide, kSide, {1, 1}, 16, 13);
    compare(image, options, "+O 0 +Omr +Ww 2048 3000");
}

TEST(Render, SixteenBitsKeepWhatEightLose) {
    RenderOptions options;
    options.bits = 16;
    options.window = Window{2048, 4096};
    const auto levels = levels_of(render_frame(source_of(twelve_bits(false)), 0, options));
    ASSERT_EQ(levels.size(), 4096u);
    for (int n = 0; n < 4096; ++n)
        ASSERT_EQ(levels[static_cast<std::size_t>(n)], std::lround(n / 4095.0 * 65535)) << n;
}

TEST(Render, WithoutAnyVoiTheRangeOfTheValuesIsShownButEightBitsAsTheyAre) {
    auto image = twelve_bits(false);
    std::vector<std::uint16_t> pixels(std::size_t{kSide} * kSide, 1000);
    pixels[0] = 900;
    pixels[1] = 1100;
    pixels[2] = 0;
    image.set(tags::PixelData, Vr::OW, bytes_of(pixels));
    image.set_uint16(tags::PixelPaddingValue, 0);
    auto levels = levels_of(render_frame(source_of(image), 0));
    EXPECT_EQ((std::vector<int>{levels[0], levels[1], levels[2], levels[3]}),
              (std::vector<int>{0, 255, 0, 128}))
        << "padding does not count";
    image = eight_bits();
    std::vector<std::uint8_t> bytes(std::size_t{kSide} * kSide, 77);
    image.set(tags::PixelData, Vr::OW, bytes_of(bytes));
    EXPECT_EQ(levels_of(render_frame(source_of(image), 0)), std::vector<int>(bytes.size(), 77));
    RenderOptions automatic;
    automatic.automatic = true;
    EXPECT_EQ(levels_of(render_frame(source_of(image), 0, automatic)), std::vector<int>(bytes.size(), 128))
        << "one value is no range, and neither black nor white";
}

TEST(Render, FloatingPointIsShownByItsRange) {
    auto image = twelve_bits(false);
    image.erase(tags::PixelData);
    image.set_uint16(tags::BitsAllocated, 32);
    std::vector<float> pixels(std::size_t{kSide} * kSide, 0.5f);
    pixels[0] = -1;
    pixels[1] = 1;
    pixels[2] = std::nanf("");
    image.set(tags::FloatPixelData, Vr::OF, bytes_of(pixels));
    const auto levels = levels_of(render_frame(source_of(image), 0));
    EXPECT_EQ((std::vector<int>{levels[0], levels[1], levels[2], levels[3]}),
              (std::vector<int>{0, 255, 0, 191}));
}

TEST(Render, SupplementalPaletteColoursWhatItMaps) {
    auto image = twelve_bits(false);
    set_palette<std::uint16_t>(image, {2, 4000, 16}, {{{65535, 0}, {0, 65535}, {0, 0}}});
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME2");
    image.set_text(tags::PixelPresentation, Vr::CS, "MIXED");
    image.set_text(tags::WindowCenter, Vr::DS, "2048");
    image.set_text(tags::WindowWidth, Vr::DS, "4096");
    const auto levels = levels_of(render_frame(source_of(image), 0));
    ASSERT_EQ(levels.size(), 3u * 4096);
    const auto pixel = [&](std::size_t n) {
        return std::vector<int>{levels[3 * n], levels[3 * n + 1], levels[3 * n + 2]};
    };
    EXPECT_EQ(pixel(0), (std::vector<int>{0, 0, 0}));
    EXPECT_EQ(pixel(3999), (std::vector<int>{249, 249, 249}));
    EXPECT_EQ(pixel(4000), (std::vector<int>{255, 0, 0}));
    EXPECT_EQ(pixel(4095), (std::vector<int>{0, 255, 0}));
}

TEST(Render, RefusesAVoiThatTheImageDoesNotHave) {
    RenderOptions options;
    options.voi = 1;
    const auto picture = render_frame(source_of(twelve_bits(false)), 0, options);
    ASSERT_FALSE(picture.has_value());
    EXPECT_EQ(picture.error().code, Errc::invalid_argument);
    EXPECT_EQ(picture.error().message(), "no VOI 1: the image has 0 windows and 0 VOI LUTs");
    EXPECT_FALSE(render_frame(source_of(twelve_bits(false)), 1).has_value()) << "there is no second frame";
}

TEST(Render, SizeIsTheLongerSideAndPixelsMayBeMadeSquare) {
    auto image = twelve_bits(false);
    RenderOptions options;
    options.size = 16;
    auto picture = render_frame(source_of(image), 0, options);
    ASSERT_TRUE(picture.has_value());
    EXPECT_EQ(std::pair(picture->rows, picture->columns), std::pair(16u, 16u));
    image.set_text(tags::PixelSpacing, Vr::DS, "1\\0.5");
    options.square_pixels = true;
    picture = render_frame(source_of(image), 0, options);
    EXPECT_EQ(std::pair(picture->rows, picture->columns), std::pair(16u, 8u));
    image.set_text(tags::PixelAspectRatio, Vr::IS, "1\\4");
    options.size = 0;
    picture = render_frame(source_of(image), 0, options);
    EXPECT_EQ(std::pair(picture->rows, picture->columns), std::pair(64u, 256u));
    options.limits.max_pixels_per_frame = 64 * 255;
    EXPECT_EQ(render_frame(source_of(image), 0, options).error().code, Errc::limit_exceeded);
}

TEST(Render, ContactSheetShowsFramesInRows) {
    auto image = eight_bits();
    image.set_text(tags::NumberOfFrames, Vr::IS, "5");
    std::vector<std::uint8_t> pixels;
    for (std::uint8_t frame = 1; frame <= 5; ++frame)
        pixels.insert(pixels.end(), std::size_t{kSide} * kSide, frame);
    image.set(tags::PixelData, Vr::OW, bytes_of(pixels));
    RenderOptions options;
    options.size = 2;
    auto sheet = render_contact_sheet(source_of(image), options);
    ASSERT_TRUE(sheet.has_value()) << sheet.error().message();
    EXPECT_EQ(std::pair(sheet->rows, sheet->columns), std::pair(4u, 6u));
    EXPECT_EQ(levels_of(sheet), (std::vector<int>{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3,  //
                                                  4, 4, 5, 5, 0, 0, 4, 4, 5, 5, 0, 0}));
    ContactSheetOptions few;
    few.max_cells = 2;
    options.size = 1;
    EXPECT_EQ(levels_of(render_contact_sheet(source_of(image), options, few)), (std::vector<int>{1, 3}));
}

}  // namespace
}  // namespace sagitta::codec
