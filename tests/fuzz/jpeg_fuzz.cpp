// JPEG streams of every process: lossless, extended of 12 bits, and what libjpeg-turbo reads. The first
// byte chooses what the data set declares, and whether less resolution or RGB is asked for.
#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/codecs.h"
#include "tests/fuzz/pixel_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sagitta;
    if (size < 1) return 0;
    const auto declared = test::format_by(data[0], 8, 8);
    auto options = test::small_images();
    options.reduce = data[0] >> 6;
    options.to_rgb = (data[0] & 32) != 0;
    const auto encoded = std::as_bytes(std::span(data + 1, size - 1));
    const auto frame = codec::jpeg_codec().decode(encoded, declared, options);
    if (frame) test::check_frame(*frame, codec::jpeg_codec(), "1.2.840.10008.1.2.4.70");
    return 0;
}
