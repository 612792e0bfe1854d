// The frames of a file, read in memory and from the file: nothing crashes, and where both find the same
// frames these are equal.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "codec/frame_source.h"
#include "tests/fuzz/pixel_checks.h"

namespace {

using namespace sagitta;

constexpr std::uint32_t kFrames = 4;

Result<codec::FrameSource> opened_in_memory(std::span<const std::byte> bytes) {
    dicom::ParseOptions parse;
    parse.keep_readable_part = true;
    auto file = dicom::parse_file(bytes, parse);
    if (!file) return std::move(file).error();
    return codec::FrameSource::open(std::move(file->data_set), *file->layout.syntax,
                                    test::small_images().limits);
}

Result<codec::FrameSource> opened_as_file(std::span<const std::byte> bytes) {
    const int descriptor = memfd_create("frame_source_fuzz", 0);
    const bool whole = write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    test::require(whole, "memory for the file");
    auto source = codec::FrameSource::open_file("/proc/self/fd/" + std::to_string(descriptor),
                                                test::small_images().limits);
    close(descriptor);
    return source;
}

void check_frames(const codec::FrameSource& source) {
    for (std::uint32_t n = 0; n < std::min(kFrames, source.frame_count()); ++n) {
        const auto frame = source.decode(n, test::small_images());
        if (!frame) continue;
        test::require(frame->bytes.size() == frame->format.frame_bytes(),
                      "a frame has the bytes its format says");
    }
    test::require(!source.encoded(source.frame_count()).has_value(), "behind the last frame there is none");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto in_memory = opened_in_memory(bytes);
    if (in_memory) check_frames(*in_memory);
    const auto as_file = opened_as_file(bytes);
    if (as_file) check_frames(*as_file);
    if (!in_memory || !as_file || !in_memory->warnings().empty() || !as_file->warnings().empty()) return 0;
    if (in_memory->frame_count() != as_file->frame_count() || !(in_memory->format() == as_file->format()))
        return 0;
    for (std::uint32_t n = 0; n < std::min(kFrames, in_memory->frame_count()); ++n) {
        const auto a = in_memory->encoded(n);
        const auto b = as_file->encoded(n);
        test::require(a.has_value() == b.has_value(), "a frame is there, wherever it is read from");
        if (a)
            test::require(a->size() == b->size() && std::memcmp(a->data(), b->data(), a->size()) == 0,
                          "and the same");
    }
    return 0;
}
