// Objects from one transfer syntax to another: the pixels stay, the data set says what became of them.
// Other people's readers of the results: peers_test.cpp.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "codec/frame_source.h"
#include "codec/transcode.h"
#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "tests/codec/pixels.h"
#include "tests/support/shared_data.h"

namespace sagitta::codec {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
namespace uids = dicom::uids;
using dicom::Vr;

constexpr std::array kLossless{uids::ExplicitVRLittleEndian,
                               uids::ImplicitVRLittleEndian,
                               uids::ExplicitVRBigEndian,
                               uids::DeflatedExplicitVRLittleEndian,
                               uids::RLELossless,
                               uids::JPEGLosslessSV1,
                               uids::JPEGLSLossless,
                               uids::JPEG2000Lossless,
                               uids::HTJ2KLossless,
                               uids::HTJ2KLosslessRPCL,
                               uids::DeflatedImageFrameCompression,
                               uids::EncapsulatedUncompressedExplicitVRLittleEndian};

class TranscodeTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "sagitta-transcode-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    fs::path folder_;
};

std::string bytes_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// An image whose frames are native, of this format.
dicom::DataSet image(const PixelFormat& format, std::uint32_t frames,
                     test::Texture texture = test::Texture::structure) {
    dicom::DataSet data_set;
    data_set.set_text(tags::SOPClassUID, Vr::UI, uids::MultiFrameGrayscaleWordSecondaryCaptureImageStorage);
    data_set.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4");
    data_set.set_text(tags::ImageType, Vr::CS, "ORIGINAL\\PRIMARY");
    data_set.set_text(tags::PatientName, Vr::PN, "Doe^Jane");
    data_set.set_text(tags::PhotometricInterpretation, Vr::CS, to_string(format.photometric));
    data_set.set_uint16(tags::SamplesPerPixel, format.samples_per_pixel);
    if (format.samples_per_pixel > 1) data_set.set_uint16(tags::PlanarConfiguration, 0);
    data_set.set_text(tags::NumberOfFrames, Vr::IS, std::to_string(frames));
    data_set.set_uint16(tags::Rows, static_cast<std::uint16_t>(format.rows));
    data_set.set_uint16(tags::Columns, static_cast<std::uint16_t>(format.columns));
    data_set.set_uint16(tags::BitsAllocated, format.bits_allocated);
    data_set.set_uint16(tags::BitsStored, format.bits_stored);
    data_set.set_uint16(tags::HighBit, format.high_bit);
    data_set.set_uint16(tags::PixelRepresentation, format.is_signed ? 1 : 0);
    ByteBuffer pixels;
    for (std::uint32_t n = 0; n < frames; ++n)
        pixels.append(test::frame_of(format, texture, n + 1).bytes.span());
    data_set.set(tags::PixelData, format.bits_allocated > 8 ? Vr::OW : Vr::OB, pixels.span());
    return data_set;
}

void write_object(const std::string& path, const dicom::DataSet& data_set, std::string_view syntax_uid) {
    const auto meta = dicom::file_meta_of(data_set, std::string(syntax_uid));
    ASSERT_TRUE(meta);
    const ByteBuffer header = dicom::make_file_header(*meta);
    ByteBuffer body;
    ASSERT_TRUE(dicom::write_data_set(data_set, *dicom::find_transfer_syntax(syntax_uid), body));
    std::ofstream file(path, std::ios::binary);
    file << as_text(header.span()) << as_text(std::as_const(body).span());
}

std::vector<Frame> frames_of(const Result<FrameSource>& source, bool to_rgb) {
    std::vector<Frame> frames;
    if (!source) {
        ADD_FAILURE() << source.error().message();
        return frames;
    }
    DecodeOptions options;
    options.to_rgb = to_rgb;
    for (std::uint32_t n = 0; n < source->frame_count(); ++n) {
        auto frame = source->decode(n, options);
        if (!frame) {
            ADD_FAILURE() << frame.error().message();
            return frames;
        }
        frames.push_back(std::move(*frame));
    }
    return frames;
}

std::vector<Frame> frames_of(const std::string& path, bool to_rgb = false) {
    return frames_of(FrameSource::open_file(path), to_rgb);
}

void expect_same_frames(const std::vector<Frame>& one, const std::vector<Frame>& other) {
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t n = 0; n < one.size(); ++n) {
        EXPECT_TRUE(test::same_bytes(one[n].bytes.span(), other[n].bytes.span())) << "frame " << n;
        EXPECT_EQ(one[n].format.photometric, other[n].format.photometric);
        EXPECT_EQ(one[n].format.is_signed, other[n].format.is_signed);
        EXPECT_EQ(one[n].format.bits_stored, other[n].format.bits_stored);
    }
}

bool is_lossy_jpeg(std::string_view uid) {
    return uid == uids::JPEGBaseline8Bit || uid == uids::JPEGExtended12Bit;
}

struct Original {
    std::string path;
    std::string syntax;
    std::vector<Frame> frames;
    bool to_rgb = false;
};

// The decodable images of the corpus with at most so many pixels.
std::vector<Original> originals(std::uint64_t max_pixels) {
    std::vector<Original> found;
    for (const auto& file : test::shared_objects()) {
        const auto source = FrameSource::open_file(file.string());
        if (!source || file.string().find("malformed") != std::string::npos) continue;
        const bool small = source->format().pixels() * source->frame_count() <= max_pixels;
        if (source->frame_count() == 0 || !small || !source->decode(0)) continue;
        Original original{file.string(), std::string(source->syntax().uid), {}, false};
        original.to_rgb = is_lossy_jpeg(original.syntax);
        original.frames = frames_of(original.path, original.to_rgb);
        found.push_back(std::move(original));
    }
    return found;
}

// Every image of the corpus in every syntax that keeps it.
TEST_F(TranscodeTest, CorpusKeepsItsPixelsInEveryLosslessSyntax) {
    if (test::shared_objects().empty()) GTEST_SKIP() << "../shared/data is not there";
    std::map<std::string_view, int> done;
    std::map<std::string_view, int> refused;
    for (const auto& original : originals(100'000)) {
        SCOPED_TRACE(original.path);
        const auto file = dicom::read_file(original.path);
        ASSERT_TRUE(file) << file.error().message();
        for (const auto target : kLossless) {
            SCOPED_TRACE(target);
            const auto result = transcode(file->data_set, original.syntax, target);
            if (!result) {
                EXPECT_EQ(result.error().code, Errc::unsupported) << result.error().message();
                ++refused[target];
                continue;
            }
            EXPECT_FALSE(result->report.newly_lossy);
            ByteBuffer encoded;
            ASSERT_TRUE(dicom::write_data_set(result->data_set, *result->syntax, encoded));
            auto parsed = dicom::parse_data_set(std::as_const(encoded).span(), *result->syntax);
            ASSERT_TRUE(parsed) << parsed.error().message();
            expect_same_frames(
                frames_of(FrameSource::open(std::move(parsed->data_set), *result->syntax), original.to_rgb),
                original.frames);
            ++done[target];
        }
    }
    for (const auto target : kLossless)
        std::printf("%-24s %3d files, %d refused\n", std::string(target).c_str(), done[target],
                    refused[target]);
    EXPECT_GE(done[uids::ExplicitVRLittleEndian], 150);
    EXPECT_GE(done[uids::JPEG2000Lossless], 150);
}

// A third of the files (each waits for the disk twice) in one of the syntaxes, and native again.
TEST_F(TranscodeTest, FilesKeepTheirPixelsThereAndBack) {
    if (test::shared_objects().empty()) GTEST_SKIP() << "../shared/data is not there";
    int done = 0;
    std::size_t turn = 0;
    for (const auto& original : originals(2'000'000)) {
        if (++turn % 3 != 0) continue;
        const auto target = kLossless[turn / 3 % kLossless.size()];
        SCOPED_TRACE(original.path + " " + std::string(target));
        const auto there =
            transcode_file(original.path, path("there.dcm"), target, {}, dicom::IfFileExists::replace);
        if (!there) {
            // GH364.dcm: fragments where no element of pixel data is. And files without their SOP UIDs.
            const auto header = dicom::read_file_header(original.path);
            const bool broken = original.path.ends_with("GH364.dcm") ||
                                !dicom::file_meta_of(header->data_set, {}, header->layout.meta);
            EXPECT_EQ(there.error().code, broken ? Errc::malformed : Errc::unsupported)
                << there.error().message();
            continue;
        }
        EXPECT_EQ(there->transfer_syntax_uid, target);
        expect_same_frames(frames_of(path("there.dcm"), original.to_rgb), original.frames);
        const auto back = transcode_file(path("there.dcm"), path("back.dcm"), uids::ExplicitVRLittleEndian,
                                         {}, dicom::IfFileExists::replace);
        ASSERT_TRUE(back) << back.error().message();
        expect_same_frames(frames_of(path("back.dcm"), original.to_rgb), original.frames);
        ++done;
    }
    EXPECT_GE(done, 60);
}

TEST_F(TranscodeTest, SameSyntaxCopiesEveryByteOfTheDataSet) {
    write_object(path("in.dcm"), image(test::format_of(7, 5, 8, 8), 3), uids::ExplicitVRLittleEndian);
    const auto report = transcode_file(path("in.dcm"), path("out.dcm"), uids::ExplicitVRLittleEndian);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->pixels_copied);
    EXPECT_EQ(bytes_of_file(path("out.dcm")), bytes_of_file(path("in.dcm")));
}

TEST_F(TranscodeTest, InputIsNeverWritten) {
    write_object(path("in.dcm"), image(test::format_of(7, 5, 8, 8), 1), uids::ExplicitVRLittleEndian);
    const auto before = bytes_of_file(path("in.dcm"));
    fs::create_hard_link(path("in.dcm"), path("other.dcm"));
    for (const auto* out : {"in.dcm", "other.dcm"}) {
        const auto report =
            transcode_file(path("in.dcm"), path(out), uids::RLELossless, {}, dicom::IfFileExists::replace);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, Errc::already_exists);
    }
    EXPECT_EQ(bytes_of_file(path("in.dcm")), before);
}

TEST_F(TranscodeTest, ThreadsChangeNothing) {
    write_object(path("in.dcm"), image(test::format_of(40, 30, 16, 12), 57), uids::ExplicitVRLittleEndian);
    for (const auto target : {uids::JPEG2000Lossless, uids::RLELossless}) {
        TranscodeOptions options;
        ASSERT_TRUE(
            transcode_file(path("in.dcm"), path("one.dcm"), target, options, dicom::IfFileExists::replace));
        options.threads = 3;
        ASSERT_TRUE(
            transcode_file(path("in.dcm"), path("three.dcm"), target, options, dicom::IfFileExists::replace));
        EXPECT_TRUE(bytes_of_file(path("one.dcm")) == bytes_of_file(path("three.dcm")));
        expect_same_frames(frames_of(path("three.dcm")), frames_of(path("in.dcm")));
    }
}

TEST_F(TranscodeTest, BasicOffsetTableFindsEveryFrame) {
    write_object(path("in.dcm"), image(test::format_of(9, 9, 8, 8), 4), uids::ExplicitVRLittleEndian);
    ASSERT_TRUE(transcode_file(path("in.dcm"), path("out.dcm"), uids::JPEGLSLossless));
    const auto file = dicom::read_file(path("out.dcm"));
    ASSERT_TRUE(file);
    const auto fragments = file->data_set.find(tags::PixelData)->children();
    auto fragment = fragments.begin();
    const auto table = (*fragment).value();
    ASSERT_EQ(table.size(), 16u);
    std::uint32_t offset = 0;
    for (std::size_t n = 0; n < 4; ++n) {
        EXPECT_EQ(load_le<std::uint32_t>(table.data() + 4 * n), offset);
        offset += static_cast<std::uint32_t>(8 + (*++fragment).length());
    }
}

TEST_F(TranscodeTest, OneBitFramesFollowEachOtherByBits) {
    // 35 bits a frame: no frame but the first begins at a byte.
    dicom::DataSet data_set = image(test::format_of(7, 5, 1, 1), 1);
    data_set.set_text(tags::NumberOfFrames, Vr::IS, "3");
    const auto packed =
        test::bytes_of({0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x01});
    data_set.set(tags::PixelData, Vr::OB, packed.span());
    write_object(path("in.dcm"), data_set, uids::ExplicitVRLittleEndian);
    ASSERT_TRUE(transcode_file(path("in.dcm"), path("there.dcm"), uids::JPEG2000Lossless));
    ASSERT_TRUE(transcode_file(path("there.dcm"), path("back.dcm"), uids::ExplicitVRLittleEndian));
    const auto back = dicom::read_file(path("back.dcm"));
    ASSERT_TRUE(back);
    EXPECT_EQ(test::values_of(back->data_set.find(tags::PixelData)->value()), test::values_of(packed.span()));
    const auto in_memory = transcode(dicom::read_file(path("there.dcm"))->data_set, uids::JPEG2000Lossless,
                                     uids::ImplicitVRLittleEndian);
    ASSERT_TRUE(in_memory) << in_memory.error().message();
    EXPECT_EQ(test::values_of(in_memory->data_set.find(tags::PixelData)->value()),
              test::values_of(packed.span()));
}

TEST_F(TranscodeTest, LossIsSaidAndTheInstanceIsANewOne) {
    const std::map<std::string_view, std::string> methods{{uids::JPEGBaseline8Bit, "ISO_10918_1"},
                                                          {uids::JPEGLSNearLossless, "ISO_14495_1"},
                                                          {uids::JPEG2000, "ISO_15444_1"}};
    dicom::DataSet original = image(test::format_of(64, 64, 8, 8, false, 3), 2);
    original.set_text(tags::LossyImageCompression, Vr::CS, "01");
    original.set_text(tags::LossyImageCompressionRatio, Vr::DS, "4");
    original.set_text(tags::LossyImageCompressionMethod, Vr::CS, "ISO_10918_1");
    write_object(path("in.dcm"), original, uids::ExplicitVRLittleEndian);
    for (const auto& [target, method] : methods) {
        SCOPED_TRACE(target);
        const auto report =
            transcode_file(path("in.dcm"), path("out.dcm"), target, {}, dicom::IfFileExists::replace);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_TRUE(report->newly_lossy);
        const auto file = dicom::read_file(path("out.dcm"));
        ASSERT_TRUE(file);
        const auto& data_set = file->data_set;
        EXPECT_EQ(data_set.text(tags::LossyImageCompression), "01");
        EXPECT_EQ(data_set.text(tags::LossyImageCompressionMethod), "ISO_10918_1\\" + method);
        const auto ratio = std::string(data_set.find(tags::LossyImageCompressionRatio)->text(1));
        const auto encoded = fs::file_size(path("out.dcm"));
        EXPECT_NEAR(std::stod(ratio), 64.0 * 64 * 3 * 2 / static_cast<double>(encoded), std::stod(ratio) / 2);
        EXPECT_EQ(data_set.text(tags::ImageType), "DERIVED\\PRIMARY");
        const auto uid = data_set.uid(tags::SOPInstanceUID);
        ASSERT_TRUE(uid);
        EXPECT_NE(uid->view(), "1.2.3.4");
        EXPECT_EQ(file->layout.meta.uid(tags::MediaStorageSOPInstanceUID), uid);
        const auto source = *data_set.find(tags::SourceImageSequence)->children().begin();
        EXPECT_EQ(source.children().text(tags::ReferencedSOPInstanceUID), "1.2.3.4");
        const auto derivation = *data_set.find(tags::DerivationCodeSequence)->children().begin();
        EXPECT_EQ(derivation.children().text(tags::CodeValue), "113040");
    }
}

TEST_F(TranscodeTest, LossStaysSaidInNativePixels) {
    write_object(path("in.dcm"), image(test::format_of(16, 16, 8, 8), 1), uids::ExplicitVRLittleEndian);
    ASSERT_TRUE(transcode_file(path("in.dcm"), path("lossy.dcm"), uids::JPEG2000));
    ASSERT_TRUE(transcode_file(path("lossy.dcm"), path("native.dcm"), uids::ExplicitVRLittleEndian));
    const auto lossy = dicom::read_file(path("lossy.dcm"));
    const auto native = dicom::read_file(path("native.dcm"));
    ASSERT_TRUE(lossy && native);
    for (const auto tag :
         {tags::LossyImageCompression, tags::LossyImageCompressionRatio, tags::SOPInstanceUID})
        EXPECT_EQ(native->data_set.text(tag), lossy->data_set.text(tag));
}

TEST_F(TranscodeTest, LaterFrameThatNeedsMoreBitsWidensAll) {
    // JPEG-LS of 12 bits where the data set says 8 stored of 16: only the second frame has larger numbers.
    const auto narrow = test::format_of(16, 16, 16, 12);
    Frame dark = test::frame_of(narrow, test::Texture::structure);
    Frame bright = test::frame_of(narrow, test::Texture::noise);
    for (std::size_t at = 1; at < dark.bytes.size(); at += 2) dark.bytes.data()[at] = std::byte{0};
    dicom::DataSet header = image(test::format_of(16, 16, 16, 8), 2);
    header.erase(tags::PixelData);
    dicom::DataSetBuilder builder(header);
    for (const auto element : header.elements()) builder.keep(element);
    builder.begin_fragments(tags::PixelData, Vr::OB);
    builder.add(dicom::kItem, Vr::none, {});
    for (const Frame* frame : {&dark, &bright}) {
        PixelFormat written;
        const auto encoded =
            find_encoder(uids::JPEGLSLossless)->encode(*frame, uids::JPEGLSLossless, {}, written);
        ASSERT_TRUE(encoded);
        builder.add(dicom::kItem, Vr::none, encoded->span());
    }
    builder.end();
    write_object(path("in.dcm"), builder.finish(), uids::JPEGLSLossless);
    for (const unsigned threads : {1u, 2u}) {
        TranscodeOptions options;
        options.threads = threads;
        const auto report = transcode_file(path("in.dcm"), path("out.dcm"), uids::ExplicitVRLittleEndian,
                                           options, dicom::IfFileExists::replace);
        ASSERT_TRUE(report) << report.error().message();
        const auto frames = frames_of(path("out.dcm"));
        ASSERT_EQ(frames.size(), 2u);
        EXPECT_EQ(frames[0].format.bits_stored, 12);
        EXPECT_TRUE(test::same_bytes(frames[0].bytes.span(), dark.bytes.span()));
        EXPECT_TRUE(test::same_bytes(frames[1].bytes.span(), bright.bytes.span()));
    }
}

TEST_F(TranscodeTest, WhatFollowsThePixelsIsKept) {
    dicom::DataSet data_set = image(test::format_of(8, 8, 16, 12), 1);
    data_set.set_text(dicom::Tag{0x7FE10010}, Vr::LO, "ACME 1.0");
    data_set.set_uint16(dicom::Tag{0x7FE11001}, 4711);
    write_object(path("in.dcm"), data_set, uids::ExplicitVRLittleEndian);
    std::string before = path("in.dcm");
    for (const auto target :
         {uids::ExplicitVRBigEndian, uids::RLELossless, uids::JPEGLSLossless, uids::ExplicitVRLittleEndian}) {
        const std::string after = path(std::string(target));
        const auto report = transcode_file(before, after, target);
        ASSERT_TRUE(report) << report.error().message();
        const auto file = dicom::read_file(after);
        ASSERT_TRUE(file);
        EXPECT_EQ(file->data_set.integer(dicom::Tag{0x7FE11001}), 4711) << target;
        before = after;
    }
}

TEST_F(TranscodeTest, MissingFramesAndHiddenOverlaysAreErrors) {
    dicom::DataSet short_of = image(test::format_of(8, 8, 8, 8), 2);
    short_of.set_text(tags::NumberOfFrames, Vr::IS, "5");
    const auto missing = transcode(short_of, uids::ExplicitVRLittleEndian, uids::RLELossless);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::truncated);
    dicom::DataSet overlay = image(test::format_of(8, 8, 16, 12), 1);
    overlay.set_uint16(dicom::Tag{0x60000102}, 12);
    const auto lost = transcode(overlay, uids::ExplicitVRLittleEndian, uids::RLELossless);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::unsupported);
    EXPECT_TRUE(transcode(overlay, uids::ExplicitVRLittleEndian, uids::ImplicitVRLittleEndian));
}

TEST_F(TranscodeTest, InMemoryIsLikeInAFile) {
    const auto data_set = image(test::format_of(20, 30, 16, 16, true), 5);
    write_object(path("in.dcm"), data_set, uids::ExplicitVRLittleEndian);
    for (const auto target : kLossless) {
        SCOPED_TRACE(target);
        const auto done = transcode(data_set, uids::ExplicitVRLittleEndian, target);
        ASSERT_TRUE(done) << done.error().message();
        const auto source = FrameSource::open(done->data_set, *done->syntax);
        ASSERT_TRUE(source) << source.error().message();
        const auto before = frames_of(path("in.dcm"));
        for (std::uint32_t n = 0; n < 5; ++n) {
            const auto frame = source->decode(n);
            ASSERT_TRUE(frame) << frame.error().message();
            EXPECT_TRUE(test::same_bytes(frame->bytes.span(), before[n].bytes.span()));
        }
    }
}

TEST(ChooseTransferSyntax, TakesTheCheapestThatLosesNothing) {
    const auto word = test::format_of(8, 8, 16, 12);
    using Accepted = std::vector<std::string_view>;
    const auto choose = [&](std::string_view source, const Accepted& accepted) {
        return choose_transfer_syntax(source, word, accepted).value_or("none");
    };
    EXPECT_EQ(choose(uids::JPEG2000, {uids::ExplicitVRLittleEndian, uids::JPEG2000}), uids::JPEG2000);
    EXPECT_EQ(choose(uids::JPEG2000, {uids::ImplicitVRLittleEndian, uids::JPEGLSLossless}),
              uids::ImplicitVRLittleEndian);
    EXPECT_EQ(choose(uids::ExplicitVRLittleEndian, {uids::JPEG2000Lossless, uids::RLELossless}),
              uids::RLELossless);
    EXPECT_EQ(choose(uids::ExplicitVRLittleEndian, {uids::JPEGBaseline8Bit, uids::JPEG2000}), "none");
    EXPECT_EQ(choose(uids::MPEG2MPML, {uids::ExplicitVRLittleEndian}), "none");
    EXPECT_EQ(choose_transfer_syntax(uids::ExplicitVRLittleEndian, test::format_of(8, 8, 32, 32),
                                     Accepted{uids::JPEGLSLossless}),
              std::nullopt);
    EXPECT_EQ(choose_transfer_syntax(uids::ExplicitVRLittleEndian, std::nullopt,
                                     Accepted{uids::ImplicitVRLittleEndian}),
              uids::ImplicitVRLittleEndian);
}

}  // namespace
}  // namespace sagitta::codec
