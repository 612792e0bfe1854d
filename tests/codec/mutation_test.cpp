// Damaged frames of every compression end in an error or a frame: without a crash, in bounded memory.
#include <random>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "tests/support/shared_data.h"

namespace sagitta::codec {
namespace {

constexpr int kMutations = 2000;
constexpr rlim_t kMemoryBytes = 1ull << 30;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimited = false;  // their shadows are larger than any limit
#else
constexpr bool kLimited = true;
#endif

struct Sample {
    PixelFormat format;
    const FrameCodec* codec = nullptr;
    ByteBuffer encoded;
};

std::vector<Sample> samples_of_the_corpus() {
    std::vector<Sample> samples;
    for (const auto& path : test::shared_objects()) {
        auto source = FrameSource::open_file(path.string());
        if (!source || !source->syntax().encapsulated || source->frame_count() == 0) continue;
        const auto* codec = find_decoder(source->syntax().uid);
        auto encoded = source->encoded(0);
        if (codec != nullptr && encoded && encoded->size() > 16 && encoded->size() < 300'000)
            samples.push_back({source->format(), codec, std::move(*encoded)});
    }
    return samples;
}

void damage(ByteBuffer& bytes, std::mt19937& random) {
    const unsigned kind = random() % 4;
    if (kind == 0) bytes.truncate(random() % bytes.size());
    const std::size_t reach = kind == 1 ? std::min<std::size_t>(bytes.size(), 200) : bytes.size();
    for (unsigned n = 0; n < 1 + random() % 12 && reach > 0; ++n)
        bytes.data()[random() % reach] = static_cast<std::byte>(random() % 3 == 0 ? 0xff : random());
}

// 0 when every damaged frame was answered.
int decode_damaged(const std::vector<Sample>& samples) {
    if (kLimited) {
        const rlimit limit{kMemoryBytes, kMemoryBytes};
        if (setrlimit(RLIMIT_AS, &limit) != 0) return 2;
    }
    std::mt19937 random(20260101);
    int frames = 0;
    int errors = 0;
    for (int n = 0; n < kMutations; ++n) {
        const Sample& sample = samples[random() % samples.size()];
        ByteBuffer bytes(sample.encoded.span());
        damage(bytes, random);
        const auto frame = sample.codec->decode(std::as_const(bytes).span(), sample.format, {});
        if (frame && frame->bytes.size() != frame->format.frame_bytes()) return 3;
        if (!frame && frame.error().context.empty()) return 4;
        ++(frame ? frames : errors);
    }
    std::printf("%d frames, %d errors\n", frames, errors);
    std::fflush(stdout);
    return 0;
}

TEST(DamagedFrames, EndInAnErrorOrAFrame) {
    const auto samples = samples_of_the_corpus();
    if (samples.empty()) GTEST_SKIP() << "../shared/data is not there";
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(decode_damaged(samples));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace sagitta::codec
