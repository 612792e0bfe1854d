// parse-bench-dcmtk header|whole SECONDS FILE…: what parse_bench.cpp does, by DCMTK.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

namespace {

using Clock = std::chrono::steady_clock;

bool once(const std::string& path, bool header) {
    DcmFileFormat file;
    const auto read = header ? file.loadFileUntilTag(path.c_str(), EXS_Unknown, EGL_noChange,
                                                     DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData)
                             : file.loadFile(path.c_str());
    return read.good();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    const bool header = std::string_view(argv[1]) == "header";
    const double seconds = std::stod(argv[2]);
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);  // it would tell every time that it stops before the pixels
    for (int i = 3; i < argc; ++i) {
        double best = 1e18;
        for (int part = 0; part < 10; ++part) {
            const auto begin = Clock::now();
            int times = 0;
            double passed = 0;
            do {
                if (!once(argv[i], header)) return 1;
                ++times;
                passed = std::chrono::duration<double>(Clock::now() - begin).count();
            } while (passed < seconds / 10);
            best = std::min(best, passed / times);
        }
        std::printf("{\"file\":\"%s\",\"ns\":%.0f}\n", argv[i], best * 1e9);
    }
    return 0;
}
