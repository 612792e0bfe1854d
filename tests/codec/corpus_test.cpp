// Every image of the corpus against what independent decoders made of it (expected/*.json, `pixels`).
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "codec/native_pixels.h"
#include "dicom/part10.h"
#include "tests/support/oracle.h"
#include "tests/support/shared_data.h"

namespace sagitta::codec {
namespace {

std::string relative_name(const std::filesystem::path& path) {
    return std::filesystem::relative(path, test::shared_data()).generic_string();
}

// Bits Allocated 0: nothing is an image of it, one oracle notwithstanding.
const std::set<std::string> kRefused{"malformed/synth_geom_bits0.dcm"};
// Its oracle took the item tags of fragments for pixels; took two's complement for large numbers; made
// nearly equal pixels of a ramp. The last two: library_codecs_corpus_test.cpp.
const std::set<std::string> kOracleIsWrong{"malformed/synth_enc_native_ts.dcm", "codecs/693_J2KR.dcm",
                                           "codecs/htj2k_lossless_parity.dcm"};
// RLE that ends early: an error here, while DCMTK fills up with zeros.
const std::set<std::string> kFramesRefused{"malformed/synth_rle_short.dcm"};

// The oracle keeps native YBR_FULL_422 as stored, and overlays in the bits above High Bit.
Result<ByteBuffer> canonical_bytes(const FrameSource& source, std::uint32_t frame, const std::string& name) {
    const bool native = !source.syntax().encapsulated;
    const bool as_stored =
        source.format().photometric == Photometric::ybr_full_422 || name == "codecs/ovly_p01.dcm";
    if (native && as_stored) return source.encoded(frame);
    auto decoded = source.decode(frame);
    if (!decoded) return std::move(decoded).error();
    return std::move(decoded->bytes);
}

struct Tally {
    int compared = 0;
    std::map<std::string, int> by_syntax;
};

void compare_lossless(const FrameSource& source, const nlohmann::json& pixels, const std::string& name,
                      Tally& tally) {
    const auto& hashes = pixels["frame_sha256"];
    ByteBuffer all;
    for (std::uint32_t n = 0; n < source.frame_count(); ++n) {
        auto bytes = canonical_bytes(source, n, name);
        ASSERT_TRUE(bytes) << name << ": " << bytes.error().message();
        if (hashes.size() == source.frame_count()) {
            EXPECT_EQ(test::sha256(bytes->span()), hashes[n].get<std::string>()) << name << " frame " << n;
        }
        all.append(bytes->span());
    }
    EXPECT_EQ(test::sha256(all.span()), pixels["all_frames_sha256"].get<std::string>()) << name;
    ++tally.compared;
    ++tally.by_syntax[std::string(source.syntax().uid)];
}

bool decodable(const FrameSource& source) {
    return !source.syntax().encapsulated || find_decoder(source.syntax().uid) != nullptr;
}

TEST(PixelCorpus, FramesAreThoseOfIndependentDecoders) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    Tally tally;
    for (const auto& path : files) {
        const auto name = relative_name(path);
        const auto oracle = test::oracle_of(name);
        if (oracle.is_null() || !oracle.contains("pixels") || kOracleIsWrong.contains(name)) continue;
        const auto& pixels = oracle["pixels"];
        if (!pixels.value("lossless", false) || !pixels.contains("all_frames_sha256")) continue;
        auto source = FrameSource::open_file(path.string());
        if (kRefused.contains(name)) {
            EXPECT_FALSE(source) << name;
            continue;
        }
        if (!source) {
            ADD_FAILURE() << name << ": " << source.error().message();
            continue;
        }
        if (kFramesRefused.contains(name)) {
            EXPECT_FALSE(source->decode(0)) << name;
            continue;
        }
        if (decodable(*source)) compare_lossless(*source, pixels, name, tally);
    }
    for (const auto& [syntax, count] : tally.by_syntax)
        std::printf("%-28s %d files\n", syntax.c_str(), count);
    EXPECT_GT(tally.compared, 150);
}

}  // namespace
}  // namespace sagitta::codec
