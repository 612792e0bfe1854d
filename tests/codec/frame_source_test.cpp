#include <gtest/gtest.h>

#include "codec/frame_source.h"
#include "core/bytes.h"
#include "dicom/generated/uids.h"
#include "tests/codec/part10_image.h"
#include "tests/codec/pixels.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using test::bytes_of;
using test::format_of;
using test::values_of;

constexpr std::string_view kUncompressed = uids::EncapsulatedUncompressedExplicitVRLittleEndian;

/// The same image in memory and in a file.
class Both {
public:
    Result<FrameSource> in_memory = Error(Errc::malformed, "not parsed");
    Result<FrameSource> in_file = Error(Errc::malformed, "not opened");

    Both(const dicom::DataSet& set, std::string_view uid, std::size_t cut_bytes = 0) {
        const auto bytes = test::part10(set, uid);
        test::write_bytes(path_, bytes.span().first(bytes.size() - cut_bytes));
        dicom::ParseOptions options;
        options.keep_readable_part = true;
        auto parsed = dicom::read_file(path_, options);
        in_file = FrameSource::open_file(path_);
        if (parsed) in_memory = FrameSource::open(std::move(parsed->data_set), *parsed->layout.syntax);
    }

    void expect_frames(const std::vector<std::vector<int>>& frames) const {
        for (const auto* source : {&in_memory, &in_file}) {
            ASSERT_TRUE(*source) << source->error().message();
            ASSERT_EQ((*source)->frame_count(), frames.size());
            for (std::uint32_t n = 0; n < frames.size(); ++n) {
                const auto frame = (*source)->decode(n);
                ASSERT_TRUE(frame) << frame.error().message();
                EXPECT_EQ(values_of(frame->bytes.span()), frames[n]);
            }
        }
    }
    void expect_warnings(std::size_t count) const {
        for (const auto* source : {&in_memory, &in_file}) {
            ASSERT_TRUE(*source);
            EXPECT_EQ((*source)->warnings().size(), count);
        }
    }
    void expect_refusal(Errc code) const {
        EXPECT_EQ(in_memory.error().code, code);
        EXPECT_EQ(in_file.error().code, code);
    }

private:
    test::TemporaryFolder folder_;
    std::string path_ = (folder_.path() / "image.dcm").string();
};

dicom::DataSet native_image(dicom::DataSet header, const ByteBuffer& pixels, dicom::Vr vr = dicom::Vr::OB) {
    header.set(tags::PixelData, vr, pixels.span());
    return header;
}

const ByteBuffer kFirst = bytes_of({1, 2, 3, 4});
const ByteBuffer kSecond = bytes_of({5, 6, 7, 8});
const auto kTwoFrames = test::image_header(format_of(2, 2, 8, 8), 2);
const std::vector<std::vector<int>> kBothFrames{{1, 2, 3, 4}, {5, 6, 7, 8}};

TEST(FrameSource, NativeFramesFollowEachOther) {
    const Both both(native_image(kTwoFrames, bytes_of({1, 2, 3, 4, 5, 6, 7, 8})),
                    uids::ExplicitVRLittleEndian);
    both.expect_frames(kBothFrames);
    both.expect_warnings(0);
    EXPECT_EQ(both.in_file->decode(2).error().code, Errc::invalid_argument);
}

TEST(FrameSource, PackedBitsGoOnAcrossFrames) {
    // 3 x 3 bits a frame: the second begins at bit 1 of the second byte
    const auto header = test::image_header(format_of(3, 3, 1, 1), 2);
    const Both both(native_image(header, bytes_of({0b10000101, 0b00000111, 0b10, 0})),
                    uids::ExplicitVRLittleEndian);
    both.expect_frames({{1, 0, 1, 0, 0, 0, 0, 1, 1}, {1, 1, 0, 0, 0, 0, 0, 0, 1}});
    EXPECT_EQ(values_of(both.in_file->encoded(1)->span()), (std::vector{0b00000011, 0b1}));
}

TEST(FrameSource, BigEndianWordsTurnAroundAlsoAroundOddFrames) {
    const auto header = test::image_header(format_of(1, 3, 8, 8), 2);
    // OW: the writer swaps its words, the second frame begins within one
    const Both bytes_in_words(native_image(header, bytes_of({1, 2, 3, 4, 5, 6}), dicom::Vr::OW),
                              uids::ExplicitVRBigEndian);
    bytes_in_words.expect_frames({{1, 2, 3}, {4, 5, 6}});
    const Both bytes_alone(native_image(header, bytes_of({1, 2, 3, 4, 5, 6})), uids::ExplicitVRBigEndian);
    bytes_alone.expect_frames({{1, 2, 3}, {4, 5, 6}});
    const auto words = test::image_header(format_of(1, 2, 16, 16));
    const Both of_words(native_image(words, bytes_of({1, 2, 3, 4}), dicom::Vr::OW),
                        uids::ExplicitVRBigEndian);
    of_words.expect_frames({{1, 2, 3, 4}});
}

TEST(FrameSource, FramesThatAreThereAreServed) {
    const Both both(native_image(kTwoFrames, bytes_of({1, 2, 3, 4, 5, 6})), uids::ExplicitVRLittleEndian);
    both.expect_frames({{1, 2, 3, 4}});
    both.expect_warnings(1);
    EXPECT_EQ(both.in_file->decode(1).error().code, Errc::truncated);
}

TEST(FrameSource, YbrFull422WithAllItsChrominanceIsYbrFull) {
    auto format = format_of(1, 2, 8, 8, false, 3);
    format.photometric = Photometric::ybr_full_422;
    const auto header = test::image_header(format);
    const Both packed(native_image(header, bytes_of({1, 2, 50, 60})), uids::ExplicitVRLittleEndian);
    packed.expect_frames({{1, 50, 60, 2, 50, 60}});
    packed.expect_warnings(0);
    const Both whole(native_image(header, bytes_of({1, 50, 60, 2, 51, 61})), uids::ExplicitVRLittleEndian);
    whole.expect_frames({{1, 50, 60, 2, 51, 61}});
    whole.expect_warnings(1);
}

TEST(FrameSource, FloatsAreGivenAsTheyAre) {
    auto header = test::image_header(format_of(1, 1, 32, 32));
    header.erase(tags::BitsStored);
    header.erase(tags::HighBit);
    header.erase(tags::PixelRepresentation);
    header.set(tags::FloatPixelData, dicom::Vr::OF, bytes_of({0, 0, 0x80, 0x3f}).span());
    const Both both(header, uids::ExplicitVRLittleEndian);
    both.expect_frames({{0, 0, 0x80, 0x3f}});
    EXPECT_EQ(both.in_file->format().sample, SampleType::float32);
}

TEST(FrameSource, OneFragmentEachWithoutAnOffsetTable) {
    const Both both(test::encapsulated_image(kTwoFrames, {}, {kFirst.span(), kSecond.span()}), kUncompressed);
    both.expect_frames(kBothFrames);
    both.expect_warnings(0);
}

TEST(FrameSource, TheBasicOffsetTableJoinsFragments) {
    const auto offsets = bytes_of({0, 0, 0, 0, 20, 0, 0, 0});
    const std::vector parts{kFirst.span().first(2), kFirst.span().last(2), kSecond.span().first(2),
                            kSecond.span().last(2)};
    const Both both(test::encapsulated_image(kTwoFrames, offsets.span(), parts), kUncompressed);
    both.expect_frames(kBothFrames);
    both.expect_warnings(0);
}

TEST(FrameSource, AWrongBasicOffsetTableIsNotBelieved) {
    const auto offsets = bytes_of({0, 0, 0, 0, 14, 0, 0, 0});
    const Both both(test::encapsulated_image(kTwoFrames, offsets.span(), {kFirst.span(), kSecond.span()}),
                    kUncompressed);
    both.expect_frames(kBothFrames);
    both.expect_warnings(1);
}

TEST(FrameSource, FragmentsThatNothingTellsApartAreRefused) {
    const std::vector parts{kFirst.span(), kFirst.span(), kSecond.span()};
    Both(test::encapsulated_image(kTwoFrames, {}, parts), kUncompressed).expect_refusal(Errc::malformed);
}

TEST(FrameSource, TheExtendedOffsetTableGoesFirst) {
    auto header = kTwoFrames;
    header.set(tags::ExtendedOffsetTable, dicom::Vr::OV,
               bytes_of({0, 0, 0, 0, 0, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0, 0}).span());
    header.set(tags::ExtendedOffsetTableLengths, dicom::Vr::OV,
               bytes_of({5, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0}).span());
    const auto padded = bytes_of({1, 2, 3, 4, 9, 0});
    const Both both(test::encapsulated_image(header, {}, {padded.span(), kSecond.span()}), kUncompressed);
    both.expect_frames(kBothFrames);
    both.expect_warnings(0);
    EXPECT_EQ(both.in_file->encoded(0)->size(), 5u);
}

TEST(FrameSource, StreamsAreToldApartByTheirBeginnings) {
    const auto begin = bytes_of({0xff, 0xd8, 0xff, 0xc3});
    const auto rest = bytes_of({1, 2});
    const std::vector parts{begin.span(), rest.span(), begin.span()};
    const Both both(test::encapsulated_image(kTwoFrames, {}, parts), uids::JPEGLosslessSV1);
    for (const auto* source : {&both.in_memory, &both.in_file}) {
        ASSERT_TRUE(*source);
        EXPECT_EQ((*source)->encoded(0)->size(), 6u);
        EXPECT_EQ((*source)->encoded(1)->size(), 4u);
    }
}

TEST(FrameSource, WithoutADelimiterTheLastFrameIsThere) {
    const Both both(test::encapsulated_image(kTwoFrames, {}, {kFirst.span(), kSecond.span()}), kUncompressed,
                    8);
    both.expect_frames(kBothFrames);
    EXPECT_EQ(both.in_file->warnings().size(), 1u);
}

TEST(FrameSource, ACutFragmentIsAnErrorOfItsFrameOnly) {
    const Both both(test::encapsulated_image(kTwoFrames, {}, {kFirst.span(), kSecond.span()}), kUncompressed,
                    10);
    ASSERT_TRUE(both.in_file);
    EXPECT_TRUE(both.in_file->decode(0));
    EXPECT_EQ(both.in_file->decode(1).error().code, Errc::truncated);
}

TEST(FrameSource, FramesMoreThanFragments) {
    const Both both(test::encapsulated_image(kTwoFrames, {}, {kFirst.span()}), kUncompressed);
    both.expect_frames({{1, 2, 3, 4}});
    both.expect_warnings(1);
    EXPECT_EQ(both.in_file->decode(1).error().code, Errc::truncated);
}

TEST(FrameSource, FragmentsWhereTheSyntaxHasNoneAreReadByWhatTheyHold) {
    const Both both(test::encapsulated_image(kTwoFrames, {}, {kFirst.span(), kSecond.span()}),
                    uids::ExplicitVRLittleEndian);
    both.expect_frames(kBothFrames);
    both.expect_warnings(1);
}

TEST(FrameSource, VideoAndImagesWithoutPixelsAreRefused) {
    Both(test::encapsulated_image(kTwoFrames, {}, {kFirst.span()}), uids::MPEG4HP41)
        .expect_refusal(Errc::unsupported);
    Both(kTwoFrames, uids::ExplicitVRLittleEndian).expect_refusal(Errc::not_found);
    EXPECT_EQ(FrameSource::open_file("/nowhere/at.all").error().code, Errc::not_found);
}

TEST(FrameSource, LimitsAreAskedBeforeAnythingIsRead) {
    PixelLimits limits;
    limits.max_frames = 1;
    const auto set = native_image(kTwoFrames, bytes_of({1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(FrameSource::open(set, dicom::explicit_vr_little_endian(), limits).error().code,
              Errc::limit_exceeded);
}

}  // namespace
}  // namespace sagitta::codec
