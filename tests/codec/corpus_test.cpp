// Every image of the corpus against what independent decoders made of it (expected/*.json, `pixels`).
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
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

// Declared RGB, which the oracles believed; a JFIF stream with halved chrominance.
const std::set<std::string> kDeclaredRgbIsYbr{"codecs/GH195.dcm"};

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

// YBR_FULL to RGB (PS3.3 C.7.6.3.1.2), as the oracles did it.
void to_rgb(Frame& frame) {
    auto* at = reinterpret_cast<unsigned char*>(frame.bytes.data());
    const auto rounded = [](double value) {
        return static_cast<unsigned char>(std::clamp(std::lround(value), 0l, 255l));
    };
    for (std::uint64_t n = 0; n < frame.format.pixels(); ++n, at += 3) {
        const double y = at[0];
        const double blue = at[1] - 128.0;
        const double red = at[2] - 128.0;
        at[0] = rounded(y + 1.402 * red);
        at[1] = rounded(y - 0.344136 * blue - 0.714136 * red);
        at[2] = rounded(y + 1.772 * blue);
    }
}

double sample_at(const Frame& frame, std::uint64_t row, std::uint64_t column, std::uint64_t sample) {
    const PixelFormat& format = frame.format;
    const std::uint64_t n = (row * format.columns + column) * format.samples_per_pixel + sample;
    const std::byte* at = frame.bytes.data() + n * format.sample_bytes();
    if (format.sample_bytes() == 1) return std::to_integer<unsigned>(*at);
    const auto value = load_le<std::uint16_t>(at);
    return format.is_signed ? static_cast<std::int16_t>(value) : static_cast<double>(value);
}

void compare_lossy(const FrameSource& source, const nlohmann::json& pixels, const std::string& name,
                   Tally& tally) {
    auto frame = source.decode(0);
    ASSERT_TRUE(frame) << name << ": " << frame.error().message();
    const auto oracle_colours = pixels.value("decoded_photometric", "");
    const bool is_ybr = frame->format.photometric == Photometric::ybr_full;
    EXPECT_TRUE(is_ybr || !kDeclaredRgbIsYbr.contains(name));
    if (is_ybr && oracle_colours == "RGB" && !kDeclaredRgbIsYbr.contains(name)) to_rgb(*frame);
    const double allowed = pixels["suggested_max_abs_error"].get<double>();
    double largest = 0;
    for (const auto& sample : pixels["samples_frame0(row,col,values)"]) {
        for (std::size_t n = 0; n < frame->format.samples_per_pixel; ++n) {
            const double ours = sample_at(*frame, sample[0], sample[1], n);
            largest = std::max(largest, std::abs(ours - sample[2][n].get<double>()));
        }
    }
    std::printf("%-60s %s to %s: %g of %g\n", name.c_str(),
                std::string(to_string(frame->format.photometric)).c_str(), oracle_colours.c_str(), largest,
                allowed);
    EXPECT_LE(largest, allowed) << name;
    ++tally.compared;
}

TEST(PixelCorpus, LossyFramesAreCloseToThoseOfIndependentDecoders) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    Tally tally;
    for (const auto& path : files) {
        const auto name = relative_name(path);
        const auto oracle = test::oracle_of(name);
        if (oracle.is_null() || !oracle.contains("pixels")) continue;
        const auto& pixels = oracle["pixels"];
        if (!pixels.contains("suggested_max_abs_error")) continue;
        auto source = FrameSource::open_file(path.string());
        ASSERT_TRUE(source) << name << ": " << source.error().message();
        if (decodable(*source)) compare_lossy(*source, pixels, name, tally);
    }
    EXPECT_GT(tally.compared, 15);
}

}  // namespace
}  // namespace sagitta::codec
