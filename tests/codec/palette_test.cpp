#include "codec/palette.h"

#include <gtest/gtest.h>

#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

using Entries = std::vector<std::uint16_t>;

template <class T>
dicom::DataSet palette_of(const Entries& descriptor, const std::vector<T>& data, Vr descriptor_vr = Vr::US) {
    dicom::DataSetBuilder builder;
    for (const Tag tag :
         {tags::RedPaletteColorLookupTableDescriptor, tags::GreenPaletteColorLookupTableDescriptor,
          tags::BluePaletteColorLookupTableDescriptor}) {
        add_numbers(builder, tag, descriptor_vr, descriptor);
    }
    for (const Tag tag : {tags::RedPaletteColorLookupTableData, tags::GreenPaletteColorLookupTableData,
                          tags::BluePaletteColorLookupTableData}) {
        add_numbers(builder, tag, Vr::OW, data);
    }
    return builder.finish();
}

LookupTable red_of(const dicom::DataSet& data_set, bool is_signed = false) {
    PixelFormat format;
    format.is_signed = is_signed;
    const auto palette = read_palette(data_set.elements(), format);
    EXPECT_TRUE(palette.has_value()) << palette.error().message();
    return palette ? palette->red : LookupTable();
}

TEST(Palette, ReadsEntriesOf8BitsInBytesAndInWords) {
    const auto packed = red_of(palette_of<std::uint8_t>({4, 0, 8}, {10, 20, 30, 255}));
    EXPECT_EQ(packed.entries, (Entries{10, 20, 30, 255}));
    const auto odd = red_of(palette_of<std::uint8_t>({3, 0, 8}, {10, 20, 255, 0}));
    EXPECT_EQ(odd.entries, (Entries{10, 20, 255}));
    const auto words = red_of(palette_of<std::uint16_t>({4, 0, 8}, {10, 20, 30, 255}));
    EXPECT_EQ(words.entries, (Entries{10, 20, 30, 255}));
    EXPECT_EQ(words.max_value(), 255);
}

TEST(Palette, ReadsEntriesOf16Bits) {
    const auto table = red_of(palette_of<std::uint16_t>({3, 100, 16}, {0, 0x8000, 0xffff}));
    EXPECT_EQ(table.at(0), 0);
    EXPECT_EQ(table.at(101), 0x8000);
    EXPECT_EQ(table.at(65535), 0xffff);
    EXPECT_EQ(table.max_value(), 0xffff);
    const auto dark = red_of(palette_of<std::uint16_t>({3, 0, 16}, {0, 100, 255}));
    EXPECT_EQ(dark.max_value(), 255) << "8 bits were meant";
}

TEST(Palette, DescriptorOf0Means65536Entries) {
    Entries all(65536);
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = static_cast<std::uint16_t>(65535 - n);
    const auto table = red_of(palette_of({0, 0, 16}, all));
    ASSERT_EQ(table.entries.size(), 65536u);
    EXPECT_EQ(table.at(65535), 0);
    all.pop_back();
    all.resize(100);
    const auto short_one = read_palette(palette_of({0, 0, 16}, all).elements(), PixelFormat());
    ASSERT_FALSE(short_one.has_value());
    EXPECT_EQ(short_one.error().code, Errc::truncated);
}

TEST(Palette, FirstMappedValueIsSignedAsThePixelsAre) {
    const auto data_set = palette_of<std::uint16_t>({2, 0xfff6, 16}, {1000, 2000});
    EXPECT_EQ(red_of(data_set, true).first_mapped, -10);
    EXPECT_EQ(red_of(data_set, false).first_mapped, 65526);
    EXPECT_EQ(red_of(palette_of<std::uint16_t>({2, 0xfff6, 16}, {1000, 2000}, Vr::SS)).first_mapped, -10);
}

TEST(Palette, ColoursAreFractions) {
    const auto palette =
        read_palette(palette_of<std::uint8_t>({2, 7, 8}, {51, 255}).elements(), PixelFormat());
    ASSERT_TRUE(palette.has_value());
    EXPECT_EQ((*palette)(0), (std::array<double, 3>{0.2, 0.2, 0.2}));
    EXPECT_EQ((*palette)(8), (std::array<double, 3>{1, 1, 1}));
}

TEST(Palette, BigEndianBytesAreOnlySwappedInWords) {
    std::vector<dicom::Node> nodes;
    const Entries descriptor = {0x0300, 0, 0x0800};  // 3, 0, 8 big endian
    auto source = bytes_of(descriptor);
    for (const unsigned byte : {20u, 10u, 0u, 30u}) source.push_back(static_cast<std::byte>(byte));
    const auto add = [&](Tag tag, Vr vr, std::uint64_t offset, std::uint64_t length) {
        dicom::Node node;
        node.tag = tag;
        node.vr = vr;
        node.offset = offset;
        node.length = length;
        node.big_endian = true;
        nodes.push_back(node);
    };
    add(tags::RedPaletteColorLookupTableDescriptor, Vr::US, 0, 6);
    add(tags::RedPaletteColorLookupTableData, Vr::OW, 6, 4);
    const dicom::DataSet data_set(nodes, source, nullptr);
    const auto table = read_lookup_table(
        data_set.elements(),
        {tags::RedPaletteColorLookupTableDescriptor, tags::RedPaletteColorLookupTableData, {}}, false);
    ASSERT_TRUE(table.has_value());
    EXPECT_EQ(table->entries, (Entries{10, 20, 30}));
}

TEST(PaletteSegments, AreDiscreteLinearAndIndirect) {
    // Discrete 3 values, linear to 100 in 5 steps, then both again, of which the linear one starts at 7.
    const Entries words = {0, 3, 10, 30, 50, 1, 5, 100, 2, 2, 0, 0, 0, 1, 7};
    const auto entries = expand_segments(words, false, 100);
    ASSERT_TRUE(entries.has_value()) << entries.error().message();
    EXPECT_EQ(*entries, (Entries{10, 30, 50, 60, 70, 80, 90, 100, 10, 30, 50, 60, 70, 80, 90, 100, 7}));
    const Entries with_offset = {0, 1, 0, 1, 2, 10, 2, 1, 6, 0};  // points to byte 6, the linear one
    EXPECT_EQ(expand_segments(with_offset, false, 100).value(), (Entries{0, 5, 10, 10, 10}));
    const Entries of_bytes = {0, 1, 9, 1, 3, 0, 2, 1, 3, 0, 0, 0};
    EXPECT_EQ(expand_segments(of_bytes, true, 100).value(), (Entries{9, 6, 3, 0, 0, 0, 0}));
}

TEST(PaletteSegments, RefuseWhatTheBytesDoNotBack) {
    const auto code = [](const Entries& words) {
        const auto entries = expand_segments(words, false, 8);
        return entries ? std::string_view("read") : to_string(entries.error().code);
    };
    EXPECT_EQ(code({0, 3, 1, 2}), "truncated");
    EXPECT_EQ(code({0}), "truncated");
    EXPECT_EQ(code({1, 3, 9}), "malformed") << "nothing to start from";
    EXPECT_EQ(code({0, 0, 9}), "malformed");
    EXPECT_EQ(code({3, 1, 9}), "malformed");
    EXPECT_EQ(code({0, 1, 5, 1, 9, 9}), "limit_exceeded");
    EXPECT_EQ(code({0, 1, 5, 2, 1, 6, 0}), "malformed") << "indirect to indirect";
    EXPECT_EQ(code({0, 1, 5, 2, 1, 3, 0}), "malformed") << "between words";
    EXPECT_EQ(code({0, 1, 5, 2, 1, 0xfffe, 0xffff}), "truncated");
    EXPECT_EQ(code({0, 1, 5, 2, 1}), "truncated");
}

TEST(Palette, SegmentedAndSupplemental) {
    dicom::DataSetBuilder builder;
    builder.add_text(tags::PixelPresentation, Vr::CS, "MIXED");
    for (const Tag tag :
         {tags::RedPaletteColorLookupTableDescriptor, tags::GreenPaletteColorLookupTableDescriptor,
          tags::BluePaletteColorLookupTableDescriptor}) {
        add_numbers<std::uint16_t>(builder, tag, Vr::US, {5, 200, 16});
    }
    for (const Tag tag :
         {tags::SegmentedRedPaletteColorLookupTableData, tags::SegmentedGreenPaletteColorLookupTableData,
          tags::SegmentedBluePaletteColorLookupTableData}) {
        add_numbers<std::uint16_t>(builder, tag, Vr::OW, {0, 1, 0, 1, 4, 40000});
    }
    auto data_set = builder.finish();
    PixelFormat format;
    auto palette = read_supplemental_palette(data_set, format);
    ASSERT_TRUE(palette.has_value() && palette->has_value());
    EXPECT_EQ((*palette)->green.entries, (Entries{0, 10000, 20000, 30000, 40000}));
    EXPECT_EQ((*palette)->red.first_mapped, 200);
    format.photometric = Photometric::rgb;
    EXPECT_FALSE(read_supplemental_palette(data_set, format)->has_value());
    format.photometric = Photometric::monochrome2;
    data_set.set_text(tags::PixelPresentation, Vr::CS, "MONOCHROME");
    EXPECT_FALSE(read_supplemental_palette(data_set, format)->has_value());
}

TEST(Palette, MissingPartsAreNamed) {
    auto data_set = palette_of<std::uint8_t>({2, 0, 8}, {1, 2});
    data_set.erase(tags::GreenPaletteColorLookupTableData);
    EXPECT_EQ(read_palette(data_set.elements(), PixelFormat()).error().message(), "(0028,1202) is missing");
    data_set.erase(tags::RedPaletteColorLookupTableDescriptor);
    EXPECT_EQ(read_palette(data_set.elements(), PixelFormat()).error().code, Errc::not_found);
}

}  // namespace
}  // namespace sagitta::codec
