#include "codec/colour.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace sagitta::codec {
namespace {

// ITU-R BT.601 over the full range, with 16 bits behind the point.
constexpr std::int64_t kOne = 1 << 16;
constexpr std::int64_t kRedOfCr = 91881;    // 1.402
constexpr std::int64_t kGreenOfCb = 22554;  // 0.344136
constexpr std::int64_t kGreenOfCr = 46802;  // 0.714136
constexpr std::int64_t kBlueOfCb = 116130;  // 1.772

template <class Sample>
void convert(ByteBuffer& bytes, std::uint64_t pixels, std::uint32_t bits) {
    const std::int64_t centre = std::int64_t{1} << (bits - 1);
    const std::int64_t highest = (std::int64_t{1} << bits) - 1;
    const auto rounded = [highest](std::int64_t value) {
        return static_cast<Sample>(std::clamp<std::int64_t>((value + kOne / 2) >> 16, 0, highest));
    };
    std::byte* at = bytes.data();
    for (std::uint64_t n = 0; n < pixels; ++n, at += 3 * sizeof(Sample)) {
        std::array<Sample, 3> pixel;
        std::memcpy(pixel.data(), at, sizeof pixel);
        const std::int64_t y = pixel[0] * kOne;
        const std::int64_t cb = pixel[1] - centre;
        const std::int64_t cr = pixel[2] - centre;
        pixel = {rounded(y + kRedOfCr * cr), rounded(y - kGreenOfCb * cb - kGreenOfCr * cr),
                 rounded(y + kBlueOfCb * cb)};
        std::memcpy(at, pixel.data(), sizeof pixel);
    }
}

}  // namespace

bool is_luminance_chrominance(Photometric photometric) noexcept {
    switch (photometric) {
        case Photometric::ybr_full:
        case Photometric::ybr_full_422:
        case Photometric::ybr_partial_420:
        case Photometric::ybr_ict:
        case Photometric::ybr_rct: return true;
        default: return false;
    }
}

Result<void> to_rgb(Frame& frame) {
    auto& format = frame.format;
    if (!is_luminance_chrominance(format.photometric) || format.samples_per_pixel != 3) return {};
    if (format.photometric == Photometric::ybr_partial_420 || format.photometric == Photometric::ybr_rct)
        return Error(Errc::unsupported, "no conversion of " + std::string(to_string(format.photometric)) +
                                            " outside of its codec");
    if (format.sample != SampleType::integer || format.is_signed || format.bits_stored > 32)
        return Error(Errc::unsupported, "luminance and chrominance that are no unsigned whole numbers");
    switch (format.sample_bytes()) {
        case 1: convert<std::uint8_t>(frame.bytes, format.pixels(), format.bits_stored); break;
        case 2: convert<std::uint16_t>(frame.bytes, format.pixels(), format.bits_stored); break;
        case 4: convert<std::uint32_t>(frame.bytes, format.pixels(), format.bits_stored); break;
        default: return Error(Errc::unsupported, "luminance and chrominance in 64 bits");
    }
    format.photometric = Photometric::rgb;
    return {};
}

}  // namespace sagitta::codec
