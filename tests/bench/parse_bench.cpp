// sagitta-parse-bench MODE SECONDS FILE…: the parser alone, as fast as it goes for that long.
//   memory  header of a file held in memory (parse_data_set, pixel data not looked at)
//   header  header of a file on disk (read_file_header)
//   whole   a file on disk (read_file)
// Prints one JSON object a file: elements at all depths and nanoseconds each time, the best of ten parts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include "dicom/part10.h"

namespace {

using namespace sagitta;
using Clock = std::chrono::steady_clock;

constexpr int kParts = 10;

/// Runs `once`, which says how many elements it saw, for a tenth of `seconds` ten times.
void measure(const std::string& path, double seconds, const std::function<std::size_t()>& once) {
    const std::size_t elements = once();
    double best = 1e18;
    for (int part = 0; part < kParts; ++part) {
        const auto begin = Clock::now();
        std::size_t times = 0;
        double passed = 0;
        do {
            for (int i = 0; i < 8; ++i) {
                if (once() != elements) std::abort();
            }
            times += 8;
            passed = std::chrono::duration<double>(Clock::now() - begin).count();
        } while (passed < seconds / kParts);
        best = std::min(best, passed / static_cast<double>(times));
    }
    std::printf("{\"file\":\"%s\",\"elements\":%zu,\"ns\":%.0f}\n", path.c_str(), elements, best * 1e9);
}

int refuse(const Error& error) {
    std::fprintf(stderr, "sagitta-parse-bench: %s\n", error.message().c_str());
    return 1;
}

int run(std::string_view mode, double seconds, const std::string& path) {
    auto file = dicom::read_file_header(path);
    if (!file) return refuse(file.error());
    if (mode == "header") {
        measure(path, seconds, [&] { return dicom::read_file_header(path)->data_set.nodes().size(); });
        return 0;
    }
    if (mode == "whole") {
        measure(path, seconds, [&] { return dicom::read_file(path)->data_set.nodes().size(); });
        return 0;
    }
    std::FILE* input = std::fopen(path.c_str(), "rb");
    if (input == nullptr) return refuse(Error(Errc::io_failure, "cannot open the file"));
    ByteBuffer bytes;
    const auto room = bytes.prepare(file->file_bytes);
    bytes.commit(std::fread(room.data(), 1, room.size(), input));
    std::fclose(input);
    dicom::ParseOptions options;
    options.stop_before_pixel_data = true;
    const auto data_set = bytes.span().subspan(file->layout.data_set_offset);
    measure(path, seconds, [&] {
        return dicom::parse_data_set(data_set, *file->layout.syntax, options)->data_set.nodes().size();
    });
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: sagitta-parse-bench memory|header|whole SECONDS FILE…\n");
        return 2;
    }
    for (int i = 3; i < argc; ++i) {
        if (const int status = run(argv[1], std::stod(argv[2]), argv[i]); status != 0) return status;
    }
    return 0;
}
