// What we encode, read by DCMTK and GDCM; what DCMTK encodes, read by us.
#include <fstream>

#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/generated/uids.h"
#include "tests/codec/jpeg_writer.h"
#include "tests/codec/part10_image.h"
#include "tests/codec/pixels.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::codec {
namespace {

namespace uids = dicom::uids;
using test::format_of;
using test::frame_of;
using test::Texture;

/// What a program makes of a file: the one frame of its output, or why there is none.
Result<Frame> decoded_by(const std::string& program, const dicom::DataSet& set, std::string_view uid) {
    const test::TemporaryFolder folder;
    test::write_bytes((folder.path() / "in.dcm").string(), test::part10(set, uid).span());
    if (test::run_quietly(program + " " + (folder.path() / "in.dcm").string() + " " +
                          (folder.path() / "out.dcm").string()) != 0)
        return Error(Errc::refused, program + " failed");
    auto source = FrameSource::open_file((folder.path() / "out.dcm").string());
    if (!source) return std::move(source).error();
    if (source->syntax().encapsulated) return Error(Errc::mismatch, program + " left it compressed");
    return source->decode(0);
}

void expect_same(const std::string& program, const Frame& frame, const ByteBuffer& encoded,
                 std::string_view uid) {
    SCOPED_TRACE(testing::Message() << program << ": " << frame.format.bits_allocated << " "
                                    << frame.format.bits_stored << " " << frame.format.is_signed << " "
                                    << frame.format.samples_per_pixel);
    const auto header = test::image_header(frame.format);
    const auto theirs = decoded_by(program, test::encapsulated_image(header, {}, {encoded.span()}), uid);
    ASSERT_TRUE(theirs) << theirs.error().message();
    EXPECT_TRUE(test::same_bytes(theirs->bytes.span(), frame.bytes.span()));
}

struct Kind {
    int allocated;
    int stored;
    bool is_signed;
    int samples;
};

class LosslessPeers : public testing::TestWithParam<Kind> {
protected:
    void compare(const FrameCodec& codec, std::string_view uid, const std::string& program) {
        const auto& kind = GetParam();
        for (const auto texture : {Texture::noise, Texture::structure}) {
            const auto frame = frame_of(
                format_of(37, 44, kind.allocated, kind.stored, kind.is_signed, kind.samples), texture);
            PixelFormat written;
            const auto encoded = codec.encode(frame, uid, {}, written);
            ASSERT_TRUE(encoded) << encoded.error().message();
            expect_same(program, frame, *encoded, uid);
        }
    }
};

TEST_P(LosslessPeers, DcmtkReadsOurRle) {
    if (!test::has_program("dcmdrle")) GTEST_SKIP() << "dcmdrle is not here";
    compare(rle_codec(), uids::RLELossless, "dcmdrle");
}

TEST_P(LosslessPeers, GdcmReadsOurRle) {
    if (!test::has_program("gdcmconv")) GTEST_SKIP() << "gdcmconv is not here";
    compare(rle_codec(), uids::RLELossless, "gdcmconv --raw");
}

TEST_P(LosslessPeers, DcmtkReadsOurJpegLossless) {
    if (!test::has_program("dcmdjpeg")) GTEST_SKIP() << "dcmdjpeg is not here";
    if (GetParam().allocated > 16) GTEST_SKIP() << "JPEG has at most 16 bits";
    compare(jpeg_codec(), uids::JPEGLosslessSV1, "dcmdjpeg");
}

TEST_P(LosslessPeers, GdcmReadsOurJpegLossless) {
    if (!test::has_program("gdcmconv")) GTEST_SKIP() << "gdcmconv is not here";
    if (GetParam().allocated > 16) GTEST_SKIP() << "JPEG has at most 16 bits";
    compare(jpeg_codec(), uids::JPEGLosslessSV1, "gdcmconv --raw");
}

TEST_P(LosslessPeers, DcmtkReadsOurJpegLs) {
    if (!test::has_program("dcmdjpls")) GTEST_SKIP() << "dcmdjpls is not here";
    compare(jpeg_ls_codec(), uids::JPEGLSLossless, "dcmdjpls");
}

TEST_P(LosslessPeers, GdcmReadsOurJpegLs) {
    if (!test::has_program("gdcmconv")) GTEST_SKIP() << "gdcmconv is not here";
    compare(jpeg_ls_codec(), uids::JPEGLSLossless, "gdcmconv --raw");
}

TEST_P(LosslessPeers, GdcmReadsOurJpeg2000) {
    if (!test::has_program("gdcmconv")) GTEST_SKIP() << "gdcmconv is not here";
    compare(jpeg_2000_codec(), uids::JPEG2000Lossless, "gdcmconv --raw");
}

/// The samples of a PGM or PPM file, as `frame` would have them; nothing when it is none of that size.
ByteBuffer netpbm_samples(const std::string& path, const PixelFormat& format) {
    std::ifstream file(path, std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::size_t size = format.frame_bytes();
    ByteBuffer samples;
    if (all.size() < size) return samples;
    samples.append(as_bytes(std::string_view(all).substr(all.size() - size)));
    if (format.bits_allocated == 16) {
        for (std::size_t at = 0; at < size; at += 2) std::swap(samples.data()[at], samples.data()[at + 1]);
    }
    return samples;
}

void expect_same_codestream(const FrameCodec& codec, std::string_view uid, const std::string& program,
                            const Kind& kind) {
    const test::TemporaryFolder folder;
    const auto frame = frame_of(format_of(37, 44, kind.allocated, kind.stored, kind.is_signed, kind.samples),
                                Texture::noise);
    PixelFormat written;
    const auto encoded = codec.encode(frame, uid, {}, written);
    ASSERT_TRUE(encoded) << encoded.error().message();
    const std::string in = (folder.path() / "in.j2c").string();
    const std::string out = (folder.path() / (kind.samples == 3 ? "out.ppm" : "out.pgm")).string();
    test::write_bytes(in, encoded->span());
    ASSERT_EQ(test::run_quietly(program + " -i " + in + " -o " + out), 0);
    const auto theirs = netpbm_samples(out, frame.format);
    EXPECT_TRUE(test::same_bytes(theirs.span(), frame.bytes.span()));
}

TEST_P(LosslessPeers, OpenJphReadsOurHtj2k) {
    if (!test::has_program("ojph_expand")) GTEST_SKIP() << "ojph_expand is not here";
    if (GetParam().is_signed) GTEST_SKIP() << "PGM has no sign";
    for (const auto uid : {uids::HTJ2KLossless, uids::HTJ2KLosslessRPCL})
        expect_same_codestream(htj2k_codec(), uid, "ojph_expand", GetParam());
}

TEST_P(LosslessPeers, OpjDecompressReadsOurCodestreams) {
    if (!test::has_program("opj_decompress")) GTEST_SKIP() << "opj_decompress is not here";
    if (GetParam().is_signed) GTEST_SKIP() << "PGM has no sign";
    expect_same_codestream(jpeg_2000_codec(), uids::JPEG2000Lossless, "opj_decompress", GetParam());
    expect_same_codestream(htj2k_codec(), uids::HTJ2KLossless, "opj_decompress", GetParam());
}

INSTANTIATE_TEST_SUITE_P(Formats, LosslessPeers,
                         testing::Values(Kind{8, 8, false, 1}, Kind{8, 8, false, 3}, Kind{16, 16, false, 1},
                                         Kind{16, 16, true, 1}, Kind{16, 12, false, 1}, Kind{16, 12, true, 1},
                                         Kind{16, 10, false, 1}),
                         [](const auto& of) {
                             const Kind& kind = of.param;
                             return std::to_string(kind.stored) + (kind.is_signed ? "s" : "u") + "In" +
                                    std::to_string(kind.allocated) + "Times" + std::to_string(kind.samples);
                         });

TEST(JpegPeers, DcmtkReadsTheStreamsWeAreTestedWith) {
    if (!test::has_program("dcmdjpeg")) GTEST_SKIP() << "dcmdjpeg is not here";
    for (unsigned predictor = 1; predictor <= 7; ++predictor) {
        for (const unsigned restart_rows : {0u, 3u}) {
            for (const unsigned precision : {8u, 12u, 16u}) {
                test::LosslessStream stream;
                stream.rows = 10;
                stream.columns = 13;
                stream.predictor = predictor;
                stream.restart_rows = restart_rows;
                stream.precision = precision;
                stream.value = [precision](unsigned row, unsigned column, unsigned) {
                    return (row * 77 + column * column * 1031 + row * column * 3) & ((1u << precision) - 1);
                };
                const auto format = format_of(10, 13, precision == 8 ? 8 : 16, static_cast<int>(precision));
                const auto bytes = stream.bytes();
                const auto ours = jpeg_codec().decode(bytes.span(), format, {});
                ASSERT_TRUE(ours) << ours.error().message();
                SCOPED_TRACE(testing::Message() << "predictor " << predictor << ", restart " << restart_rows);
                expect_same("dcmdjpeg", *ours, bytes, uids::JPEGLossless);
            }
        }
    }
}

/// A native image compressed by a program of DCMTK, decoded by us and by dcmdjpeg: the largest difference.
Result<int> difference_from_dcmtk(const Frame& frame, const std::string& compress,
                                  const std::string& decompress) {
    const test::TemporaryFolder folder;
    auto set = test::image_header(frame.format);
    set.set(dicom::tags::PixelData, frame.format.bits_allocated > 8 ? dicom::Vr::OW : dicom::Vr::OB,
            frame.bytes.span());
    test::write_bytes((folder.path() / "in.dcm").string(),
                      test::part10(set, uids::ExplicitVRLittleEndian).span());
    if (test::run_quietly(compress + " " + (folder.path() / "in.dcm").string() + " " +
                          (folder.path() / "small.dcm").string()) != 0 ||
        test::run_quietly(decompress + " " + (folder.path() / "small.dcm").string() + " " +
                          (folder.path() / "out.dcm").string()) != 0)
        return Error(Errc::refused, compress + " or " + decompress + " failed");
    auto small = FrameSource::open_file((folder.path() / "small.dcm").string());
    auto theirs = FrameSource::open_file((folder.path() / "out.dcm").string());
    if (!small || !theirs) return Error(Errc::refused, "not to be opened");
    const auto a = small->decode(0);
    if (!a) return a.error();
    const auto b = theirs->decode(0);
    if (!b) return b.error();
    if (a->bytes.size() != b->bytes.size()) return Error(Errc::mismatch, "frames of different sizes");
    int largest = 0;
    const std::size_t size = frame.format.sample_bytes();
    for (std::size_t at = 0; at < a->bytes.size(); at += size) {
        const auto value = [&](const Frame& of) {
            return size == 1 ? std::to_integer<int>(of.bytes.data()[at])
                             : int{load_le<std::uint16_t>(of.bytes.data() + at)};
        };
        largest = std::max(largest, std::abs(value(*a) - value(*b)));
    }
    return largest;
}

TEST(JpegPeers, WeReadEveryPredictorAndPointTransformOfDcmtk) {
    if (!test::has_program("dcmcjpeg")) GTEST_SKIP() << "dcmcjpeg is not here";
    for (const int stored : {8, 12, 16}) {
        const auto frame = frame_of(format_of(41, 50, stored > 8 ? 16 : 8, stored), Texture::structure);
        for (int predictor = 1; predictor <= 7; ++predictor) {
            const auto command =
                "dcmcjpeg +el +sv " + std::to_string(predictor) + " +pt " + std::to_string(predictor % 3);
            const auto difference = difference_from_dcmtk(frame, command, "dcmdjpeg");
            ASSERT_TRUE(difference) << difference.error().message() << ": " << command;
            EXPECT_EQ(*difference, 0) << command << ", " << stored << " bits";
        }
    }
}

TEST(JpegPeers, WeReadTheExtendedProcessOfDcmtk) {
    if (!test::has_program("dcmcjpeg")) GTEST_SKIP() << "dcmcjpeg is not here";
    for (const auto texture : {Texture::structure, Texture::noise}) {
        const auto frame = frame_of(format_of(43, 53, 16, 12), texture);
        const auto difference = difference_from_dcmtk(frame, "dcmcjpeg +ee", "dcmdjpeg");
        ASSERT_TRUE(difference) << difference.error().message();
        EXPECT_LE(*difference, 1);
    }
}

TEST(JpegPeers, WeReadSubsampledColourOf12BitsOfDcmtk) {
    if (!test::has_program("dcmcjpeg")) GTEST_SKIP() << "dcmcjpeg is not here";
    Frame frame;
    frame.format = format_of(43, 53, 16, 12, false, 3);
    for (unsigned n = 0; n < 43 * 53;
         ++n) {  // equal in both directions: how chrominance is spread does not matter
        for (const unsigned value : {1000u, 2000u, 3000u})
            append_le(frame.bytes, static_cast<std::uint16_t>(value));
    }
    for (const auto* sampling : {"+s4", "+s2"}) {
        const auto difference =
            difference_from_dcmtk(frame, std::string("dcmcjpeg +ee +cy ") + sampling, "dcmdjpeg +cn");
        ASSERT_TRUE(difference) << difference.error().message();
        EXPECT_LE(*difference, 1) << sampling;
    }
}

TEST(JpegPeers, DcmtkReadsOurBaselineAsWeDo) {
    if (!test::has_program("dcmdjpeg")) GTEST_SKIP() << "dcmdjpeg is not here";
    for (const int samples : {1, 3}) {
        const auto frame = frame_of(format_of(40, 48, 8, 8, false, samples), Texture::structure);
        PixelFormat written;
        const auto encoded = jpeg_codec().encode(frame, uids::JPEGBaseline8Bit, {}, written);
        ASSERT_TRUE(encoded);
        DecodeOptions options;
        options.to_rgb = true;
        const auto ours = jpeg_codec().decode(encoded->span(), written, options);
        ASSERT_TRUE(ours);
        const auto set = test::encapsulated_image(test::image_header(written), {}, {encoded->span()});
        const auto theirs = decoded_by("dcmdjpeg", set, uids::JPEGBaseline8Bit);
        ASSERT_TRUE(theirs) << theirs.error().message();
        ASSERT_EQ(theirs->bytes.size(), ours->bytes.size());
        int largest = 0;
        for (std::size_t n = 0; n < ours->bytes.size(); ++n)
            largest = std::max(largest, std::abs(std::to_integer<int>(ours->bytes.data()[n]) -
                                                 std::to_integer<int>(theirs->bytes.data()[n])));
        EXPECT_LE(largest, 2);
    }
}

}  // namespace
}  // namespace sagitta::codec
