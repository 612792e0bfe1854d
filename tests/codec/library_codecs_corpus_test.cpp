// Real files against the frames they were made of, and those where independent decoders are wrong
// (expected/*.json). What they agree on: corpus_test.cpp.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "core/bytes.h"
#include "tests/support/oracle.h"

namespace sagitta::codec {
namespace {

using nlohmann::json;

double sample(const Frame& frame, std::size_t index) {
    const auto bytes = frame.format.sample_bytes();
    const std::byte* at = frame.bytes.data() + index * bytes;
    if (bytes == 1) return frame.format.is_signed ? double(int8_t(*at)) : double(uint8_t(*at));
    const auto value = load_le<std::uint16_t>(at);
    return frame.format.is_signed ? double(static_cast<std::int16_t>(value)) : double(value);
}

TEST(PixelCorpus, FramesAreThoseTheFilesWereMadeOf) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& path : files) {
        const auto name = std::filesystem::relative(path, test::shared_data()).generic_string();
        const auto oracle = test::oracle_of(name);
        if (oracle.is_null() || !oracle.contains("truth") || !oracle["truth"].contains("pixels")) continue;
        const auto hashes = oracle["truth"]["pixels"].value("frames_sha256", std::vector<std::string>());
        const auto source = FrameSource::open_file(path.string());
        if (hashes.empty() || !source ||
            (source->syntax().encapsulated && find_decoder(source->syntax().uid) == nullptr))
            continue;
        SCOPED_TRACE(name);
        std::vector<std::string> ours;
        for (std::uint32_t n = 0; n < source->frame_count(); ++n) {
            const auto frame = source->decode(n);
            ASSERT_TRUE(frame) << frame.error().message();
            ours.push_back(test::sha256(frame->bytes.span()));
        }
        EXPECT_EQ(ours, hashes);
        ++compared;
    }
    EXPECT_GE(compared, 45);
}

Result<Frame> first_frame(const std::string& name) {
    const auto source = FrameSource::open_file((test::shared_data() / name).string());
    if (!source) return source.error();
    return source->decode(0);
}

TEST(PixelCorpus, TwosComplementInAnUnsignedStreamIsNegative) {
    const std::string name = "codecs/693_J2KR.dcm";
    if (!std::filesystem::exists(test::shared_data() / name)) GTEST_SKIP() << "../shared/data is not there";
    const auto frame = first_frame(name);
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(sample(*frame, 0), -2000);  // outside the patient; 14384 for who does not know the sign
    EXPECT_TRUE(frame->format.is_signed);
    const auto pixels = test::oracle_of(name)["pixels"];
    EXPECT_EQ(test::sha256(frame->bytes.span()), pixels["per_decoder_all_frames_sha256"]["gdcmconv --raw"]);
}

TEST(PixelCorpus, HighThroughputRampIsRead) {
    const std::string name = "codecs/htj2k_lossless_parity.dcm";
    if (!std::filesystem::exists(test::shared_data() / name)) GTEST_SKIP() << "../shared/data is not there";
    const auto frame = first_frame(name);
    ASSERT_TRUE(frame) << frame.error().message();
    for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(sample(*frame, i), 2.0 * static_cast<double>(i));
}

}  // namespace
}  // namespace sagitta::codec
