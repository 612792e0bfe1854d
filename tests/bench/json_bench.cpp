// sagitta-json-bench MODE SECONDS FILE: DICOM JSON, as fast as it goes for that long.
//   print  a data set in memory to text (append_json)
//   file   a file on disk, pixel data too, to text: what `sagitta json` does without its process
//   read   that text to a data set (read_json)
// Prints one JSON object: bytes of text and nanoseconds each time, the best of ten parts.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "dicom/json.h"
#include "dicom/json_reader.h"
#include "dicom/part10.h"

namespace {

using namespace sagitta;
using Clock = std::chrono::steady_clock;

constexpr int kParts = 10;

void measure(double seconds, std::size_t bytes, const std::function<bool()>& once) {
    double best = 1e18;
    for (int part = 0; part < kParts; ++part) {
        const auto begin = Clock::now();
        std::size_t times = 0;
        double passed = 0;
        do {
            for (int i = 0; i < 8; ++i) {
                if (!once()) std::abort();
            }
            times += 8;
            passed = std::chrono::duration<double>(Clock::now() - begin).count();
        } while (passed < seconds / kParts);
        best = std::min(best, passed / static_cast<double>(times));
    }
    std::printf("{\"bytes\":%zu,\"ns\":%.0f}\n", bytes, best * 1e9);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: sagitta-json-bench print|file|read SECONDS FILE\n");
        return 2;
    }
    const std::string_view mode = argv[1];
    const double seconds = std::stod(argv[2]);
    const std::string path = argv[3];
    const auto file = dicom::read_file(path);
    if (!file) {
        std::fprintf(stderr, "sagitta-json-bench: %s\n", file.error().message().c_str());
        return 1;
    }
    std::string text;
    dicom::append_json(file->data_set, text);
    const std::size_t size = text.size();
    std::string out;
    if (mode == "print") {
        measure(seconds, size, [&] {
            out.clear();
            dicom::append_json(file->data_set, out);
            return out.size() == size;
        });
    } else if (mode == "file") {
        measure(seconds, size, [&] {
            out.clear();
            const auto again = dicom::read_file(path);
            dicom::append_json(again->data_set, out);
            return out.size() == size;
        });
    } else {
        measure(seconds, size, [&] { return dicom::read_json(text).has_value(); });
    }
    return 0;
}
