#include "deid/pixel_masker.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using codec::Rectangle;
using dicom::DataSet;
using dicom::Vr;

constexpr std::uint16_t kColumns = 48;
constexpr std::uint16_t kRows = 32;
constexpr std::uint32_t kFrames = 3;

// A region of the picture as PS3.3 C.8.5.5 states it, corners included.
void add_region(dicom::DataSetBuilder& builder, std::array<std::uint32_t, 4> corners) {
    constexpr std::array kTags{tags::RegionLocationMinX0, tags::RegionLocationMinY0,
                               tags::RegionLocationMaxX1, tags::RegionLocationMaxY1};
    builder.begin_item();
    for (std::size_t n = 0; n < 4; ++n) {
        std::array<std::byte, 4> bytes{};
        store_le(bytes.data(), corners[n]);
        builder.add(kTags[n], Vr::UL, bytes);
    }
    builder.end();
}

DataSet ultrasound(std::vector<std::array<std::uint32_t, 4>> regions) {
    DataSet image;
    image.set_text(tags::SOPClassUID, Vr::UI, uids::UltrasoundImageStorage);
    image.set_text(tags::Modality, Vr::CS, "US");
    image.set_text(tags::Manufacturer, Vr::LO, "ACME");
    image.set_uint16(tags::Rows, kRows);
    image.set_uint16(tags::Columns, kColumns);
    if (!regions.empty()) {
        dicom::DataSetBuilder builder;
        builder.begin_sequence(tags::SequenceOfUltrasoundRegions);
        for (const auto& corners : regions) add_region(builder, corners);
        builder.end();
        image.set(*builder.finish().find(tags::SequenceOfUltrasoundRegions));
    }
    return image;
}

codec::Frame bright_frame(std::uint32_t number, std::uint16_t samples) {
    codec::Frame frame;
    frame.format.columns = kColumns;
    frame.format.rows = kRows;
    frame.format.samples_per_pixel = samples;
    frame.format.photometric = samples == 3 ? codec::Photometric::rgb : codec::Photometric::monochrome2;
    const auto room = frame.bytes.prepare(frame.format.frame_bytes());
    for (std::size_t n = 0; n < room.size(); ++n)
        room[n] = static_cast<std::byte>(100 + (n / samples + number) % 100);
    frame.bytes.commit(room.size());
    return frame;
}

void add_pixels(DataSet& image, const dicom::TransferSyntax& syntax, std::uint16_t samples) {
    codec::PixelFormat written = bright_frame(0, samples).format;
    ByteBuffer native;
    dicom::DataSetBuilder builder;
    if (syntax.encapsulated) {
        builder.begin_fragments(tags::PixelData, Vr::OB);
        builder.add(dicom::kItem, Vr::none, {});
    }
    for (std::uint32_t n = 0; n < kFrames; ++n) {
        const auto frame = bright_frame(n, samples);
        if (!syntax.encapsulated) {
            native.append(codec::pack_native(frame).span());
            continue;
        }
        const auto* encoder = codec::find_encoder(syntax.uid);
        ASSERT_NE(encoder, nullptr) << syntax.name;
        codec::EncodeOptions options;
        options.quality = 100;
        const auto encoded = encoder->encode(frame, syntax.uid, options, written);
        ASSERT_TRUE(encoded) << syntax.name << ": " << encoded.error().message();
        builder.add(dicom::kItem, Vr::none, encoded->span());
    }
    if (syntax.encapsulated) {
        builder.end();
        image.set(*builder.finish().find(tags::PixelData));
    } else {
        image.set(tags::PixelData, Vr::OB, native.span());
    }
    image.set_uint16(tags::SamplesPerPixel, samples);
    image.set_text(tags::PhotometricInterpretation, Vr::CS, to_string(written.photometric));
    if (samples > 1) image.set_uint16(tags::PlanarConfiguration, 0);
    image.set_text(tags::NumberOfFrames, Vr::IS, std::to_string(kFrames));
    image.set_uint16(tags::BitsAllocated, 8);
    image.set_uint16(tags::BitsStored, 8);
    image.set_uint16(tags::HighBit, 7);
    image.set_uint16(tags::PixelRepresentation, 0);
}

PixelRule rule_for(std::string_view manufacturer, PixelRule::Action action,
                   std::vector<Rectangle> areas = {}) {
    PixelRule rule;
    const dicom::KeywordCondition condition{"Manufacturer", {std::string(manufacturer)}};
    EXPECT_TRUE(rule.match.require({&condition, 1}).has_value());
    rule.action = action;
    rule.areas = std::move(areas);
    return rule;
}

TEST(PixelAreas, OutsideOfTheRegionsEverythingIsCovered) {
    const auto areas = pixel_areas(ultrasound({{10, 5, 39, 24}}), {});
    ASSERT_TRUE(areas) << areas.error().message();
    EXPECT_EQ(areas->decided, PixelRule::Action::regions);
    EXPECT_FALSE(areas->rule);
    EXPECT_EQ(areas->masks,
              (std::vector<Rectangle>{{0, 0, 48, 5}, {0, 5, 10, 20}, {40, 5, 8, 20}, {0, 25, 48, 7}}));
}

TEST(PixelAreas, WithoutRegionsAndRulesNothingIsDecided) {
    const auto areas = pixel_areas(ultrasound({}), {});
    ASSERT_TRUE(areas);
    EXPECT_FALSE(areas->decided);
}

TEST(PixelAreas, TheFirstRuleThatMatchesDecides) {
    const std::vector rules{rule_for("OTHER", PixelRule::Action::refuse),
                            rule_for("AC*", PixelRule::Action::mask, {{40, 0, 100, 4}, {60, 60, 1, 1}}),
                            rule_for("ACME", PixelRule::Action::keep)};
    const auto areas = pixel_areas(ultrasound({{10, 5, 39, 24}}), rules);
    ASSERT_TRUE(areas);
    EXPECT_EQ(areas->rule, 1u);
    EXPECT_EQ(areas->masks, (std::vector<Rectangle>{{40, 0, 8, 4}}));  // clipped; the other is outside
}

TEST(PixelAreas, ARegionMayCountOneTooFar) {
    const auto areas = pixel_areas(ultrasound({{0, 5, 48, 32}}), {});
    ASSERT_TRUE(areas) << areas.error().message();
    EXPECT_EQ(areas->masks, (std::vector<Rectangle>{{0, 0, 48, 5}}));
}

TEST(PixelAreas, ARegionOutsideOfThePictureIsAnError) {
    for (const auto& corners :
         {std::array<std::uint32_t, 4>{10, 5, 49, 24}, {10, 5, 9, 24}, {0, 0, 4000000000u, 1}}) {
        EXPECT_FALSE(pixel_areas(ultrasound({corners}), {}));
    }
}

TEST(PixelMasker, CoversEveryFrameInEveryTransferSyntax) {
    const PixelMasker masker({});
    const Rectangle kept{16, 16, 16, 16};  // whole MCUs, so that JPEG keeps the same
    std::size_t covered = 0;
    for (const auto& syntax : dicom::transfer_syntaxes()) {
        const bool is_native = syntax.uid == uids::ExplicitVRLittleEndian ||
                               syntax.uid == uids::ImplicitVRLittleEndian ||
                               syntax.uid == uids::ExplicitVRBigEndian;
        if (!is_native && codec::find_encoder(syntax.uid) == nullptr) continue;
        for (const auto samples : {std::uint16_t{1}, std::uint16_t{3}}) {
            SCOPED_TRACE(std::string(syntax.name) + " " + std::to_string(samples));
            DataSet image = ultrasound({{16, 16, 31, 31}});
            add_pixels(image, syntax, samples);
            if (HasFatalFailure()) return;
            DataSet cleaned = image;
            const auto outcome = masker.clean(image, syntax, cleaned);
            ASSERT_TRUE(outcome) << outcome.error().message();
            EXPECT_FALSE(outcome->safe);  // no rule says that such regions show no names
            EXPECT_EQ(outcome->masks, 3u);
            EXPECT_EQ(cleaned.text(tags::BurnedInAnnotation), "NO");
            const auto before = codec::FrameSource::open(image, syntax);
            const auto after = codec::FrameSource::open(cleaned, syntax);
            ASSERT_TRUE(before && after);
            ASSERT_EQ(after->frame_count(), kFrames);
            codec::DecodeOptions options;
            options.to_rgb = true;
            const bool is_dct = syntax.uid == uids::JPEGBaseline8Bit;
            for (std::uint32_t n = 0; n < kFrames; ++n) {
                const auto old = before->decode(n, options);
                const auto now = after->decode(n, options);
                ASSERT_TRUE(old && now) << now.error().message();
                ASSERT_EQ(now->bytes.size(), old->bytes.size());
                for (std::size_t at = 0; at < now->bytes.size(); ++at) {
                    const std::size_t pixel = at / samples;
                    const auto x = pixel % kColumns;
                    const auto y = pixel / kColumns;
                    const int sample = static_cast<int>(now->bytes.data()[at]);
                    const bool inside = x >= kept.left && x < 32 && y >= kept.top && y < 32;
                    const bool at_edge = x < kept.left + 1 || x >= 31 || y < kept.top + 1 || y >= 31;
                    if (inside && !(is_dct && at_edge)) {
                        ASSERT_EQ(sample, static_cast<int>(old->bytes.data()[at])) << x << "," << y;
                    } else if (!inside &&
                               !(is_dct && x + 1 >= kept.left && x <= 32 && y + 1 >= kept.top && y <= 32)) {
                        ASSERT_LE(sample, is_dct ? 4 : 0) << x << "," << y;
                    }
                }
                ++covered;
            }
        }
    }
    EXPECT_GE(covered, 14u * 2 * kFrames);
}

TEST(PixelMasker, SaysWhatItDoesNotKnow) {
    DataSet image = ultrasound({});
    add_pixels(image, dicom::explicit_vr_little_endian(), 1);
    DataSet cleaned = image;
    const auto unknown = PixelMasker({}).clean(image, dicom::explicit_vr_little_endian(), cleaned);
    ASSERT_TRUE(unknown);
    EXPECT_FALSE(unknown->safe);
    EXPECT_FALSE(cleaned.contains(tags::BurnedInAnnotation));

    const auto kept = PixelMasker({rule_for("ACME", PixelRule::Action::keep)})
                          .clean(image, dicom::explicit_vr_little_endian(), cleaned);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->safe);
    EXPECT_EQ(kept->masks, 0u);
    EXPECT_FALSE(cleaned.contains(tags::BurnedInAnnotation));  // nothing was covered

    DataSet with_regions = ultrasound({{16, 16, 31, 31}});
    add_pixels(with_regions, dicom::explicit_vr_little_endian(), 1);
    DataSet covered = with_regions;
    const auto trusted = PixelMasker({rule_for("ACME", PixelRule::Action::regions)})
                             .clean(with_regions, dicom::explicit_vr_little_endian(), covered);
    ASSERT_TRUE(trusted);
    EXPECT_TRUE(trusted->safe);
    EXPECT_EQ(trusted->masks, 3u);

    const auto refused = PixelMasker({rule_for("ACME", PixelRule::Action::refuse)})
                             .clean(image, dicom::explicit_vr_little_endian(), cleaned);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
}

TEST(PixelMasker, FramesThatCannotBeReadAreAnError) {
    DataSet image = ultrasound({{16, 16, 31, 31}});
    const auto* rle = dicom::find_transfer_syntax(uids::RLELossless);
    add_pixels(image, *rle, 1);
    dicom::DataSetBuilder builder;
    builder.begin_fragments(tags::PixelData, Vr::OB);
    builder.add(dicom::kItem, Vr::none, {});
    builder.add(dicom::kItem, Vr::none, std::vector<std::byte>(70, std::byte{0xff}));
    builder.end();
    image.set(*builder.finish().find(tags::PixelData));
    DataSet cleaned = image;
    EXPECT_FALSE(PixelMasker({}).clean(image, *rle, cleaned));
}

}  // namespace
}  // namespace sagitta::deid
