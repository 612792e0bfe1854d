// JPEG-LS streams. The first three bytes choose the format, rows and columns.
#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/codecs.h"
#include "tests/fuzz/pixel_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sagitta;
    if (size < 3) return 0;
    const auto declared = test::format_by(data[0], data[1] + 1u, data[2] + 1u);
    const auto encoded = std::as_bytes(std::span(data + 3, size - 3));
    const auto frame = codec::jpeg_ls_codec().decode(encoded, declared, test::small_images());
    if (frame) test::check_frame(*frame, codec::jpeg_ls_codec(), "1.2.840.10008.1.2.4.80");
    return 0;
}
