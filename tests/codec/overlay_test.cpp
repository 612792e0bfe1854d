#include "codec/overlay.h"

#include <gtest/gtest.h>

#include "tests/codec/sample_images.h"

namespace sagitta::codec {
namespace {

using Mask = std::vector<std::uint8_t>;

PixelFormat four_by_four() {
    PixelFormat format;
    format.rows = 4;
    format.columns = 4;
    format.bits_allocated = 16;
    format.bits_stored = 12;
    format.high_bit = 11;
    return format;
}

void add_overlay(dicom::DataSet& data_set, std::uint16_t group, std::uint16_t rows, std::uint16_t columns,
                 const std::vector<std::int16_t>& origin) {
    data_set.set_uint16(Tag(group, 0x0010), rows);
    data_set.set_uint16(Tag(group, 0x0011), columns);
    data_set.set_text(Tag(group, 0x0040), Vr::CS, "G");
    data_set.set(Tag(group, 0x0050), Vr::SS, bytes_of(origin));
    data_set.set_uint16(Tag(group, 0x0100), 1);
    data_set.set_uint16(Tag(group, 0x0102), 0);
}

std::vector<Overlay> overlays_of(const dicom::DataSet& data_set) {
    auto overlays = read_overlays(data_set, four_by_four());
    EXPECT_TRUE(overlays.has_value()) << overlays.error().message();
    return overlays ? *overlays : std::vector<Overlay>();
}

TEST(Overlay, LowestBitIsTheFirstPixelAndRowsAreNotPadded) {
    dicom::DataSet data_set;
    add_overlay(data_set, 0x6000, 3, 3, {1, 1});
    data_set.set(Tag(0x6000, 0x3000), Vr::OB, bytes_of<std::uint8_t>({0b10010101, 0b1}));
    const auto overlays = overlays_of(data_set);
    ASSERT_EQ(overlays.size(), 1u);
    EXPECT_EQ(overlay_mask(overlays[0], four_by_four(), 0, {}),
              (Mask{1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0}));
}

TEST(Overlay, OriginMayLieOutsideOfTheImage) {
    dicom::DataSet data_set;
    add_overlay(data_set, 0x6000, 2, 2, {0, 4});
    data_set.set(Tag(0x6000, 0x3000), Vr::OB, bytes_of<std::uint8_t>({0b1111, 0}));
    EXPECT_EQ(overlay_mask(overlays_of(data_set).at(0), four_by_four(), 0, {}),
              (Mask{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Overlay, SeveralGroupsAndFramesOfTheirOwn) {
    dicom::DataSet data_set;
    add_overlay(data_set, 0x6000, 1, 4, {1, 1});
    data_set.set(Tag(0x6000, 0x3000), Vr::OB, bytes_of<std::uint8_t>({0b0001, 0}));
    add_overlay(data_set, 0x601e, 1, 4, {1, 1});
    data_set.set_text(Tag(0x601e, 0x0015), Vr::IS, "2");
    data_set.set_uint16(Tag(0x601e, 0x0051), 3);
    data_set.set(Tag(0x601e, 0x3000), Vr::OB, bytes_of<std::uint8_t>({0b10000010, 0}));
    const auto overlays = overlays_of(data_set);
    ASSERT_EQ(overlays.size(), 2u);
    EXPECT_EQ(overlays[1].group, 0x601e);
    EXPECT_EQ(overlay_mask(overlays[0], four_by_four(), 99, {})[0], 1) << "a single one covers every frame";
    EXPECT_TRUE(overlay_mask(overlays[1], four_by_four(), 1, {}).empty());
    EXPECT_EQ(overlay_mask(overlays[1], four_by_four(), 2, {})[1], 1);
    EXPECT_EQ(overlay_mask(overlays[1], four_by_four(), 3, {})[3], 1);
    EXPECT_TRUE(overlay_mask(overlays[1], four_by_four(), 4, {}).empty());
}

TEST(Overlay, EmbeddedInTheHighBits) {
    dicom::DataSet data_set;
    add_overlay(data_set, 0x6002, 4, 4, {1, 1});
    data_set.set_uint16(Tag(0x6002, 0x0100), 16);
    data_set.set_uint16(Tag(0x6002, 0x0102), 13);
    const auto overlays = overlays_of(data_set);
    ASSERT_EQ(overlays.size(), 1u);
    ASSERT_TRUE(overlays[0].embedded);
    std::vector<std::uint16_t> raw(16, 0x0fff);
    raw[5] = 0x2000;
    raw[15] = 0xefff;
    Mask expected(16);
    expected[5] = expected[15] = 1;
    EXPECT_EQ(overlay_mask(overlays[0], four_by_four(), 0, bytes_of(raw)), expected);
    raw.pop_back();
    EXPECT_TRUE(overlay_mask(overlays[0], four_by_four(), 0, bytes_of(raw)).empty());
}

TEST(Overlay, AttributesWithoutDataAreNone) {
    dicom::DataSet data_set;
    add_overlay(data_set, 0x6000, 4, 4, {1, 1});
    EXPECT_TRUE(overlays_of(data_set).empty());
}

TEST(Overlay, RefusesDimensionsThatItsDataDoNotBack) {
    dicom::DataSet data_set;
    add_overlay(data_set, 0x6000, 3, 3, {1, 1});
    data_set.set(Tag(0x6000, 0x3000), Vr::OB, bytes_of<std::uint8_t>({1}));
    data_set.set_text(Tag(0x6000, 0x0015), Vr::IS, "2147483647");
    auto overlays = read_overlays(data_set, four_by_four());
    ASSERT_FALSE(overlays.has_value());
    EXPECT_EQ(overlays.error().message(), "(6000,3000) is shorter than its planes");
    data_set.set_uint16(Tag(0x6000, 0x0010), 0);
    EXPECT_EQ(read_overlays(data_set, four_by_four()).error().code, Errc::malformed);
    data_set.erase(Tag(0x6000, 0x3000));
    data_set.set_uint16(Tag(0x6000, 0x0010), 4);
    data_set.set_uint16(Tag(0x6000, 0x0100), 16);
    data_set.set_uint16(Tag(0x6000, 0x0102), 16);
    EXPECT_EQ(read_overlays(data_set, four_by_four()).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sagitta::codec
