// json-bench-dcmtk SECONDS FILE: what dcm2json does with a file, without its process: loadFile,
// convertToUTF8, writeJson.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcjson.h>
#include <dcmtk/dcmdata/dctk.h>

namespace {

using Clock = std::chrono::steady_clock;

bool once(const std::string& path, std::string& text) {
    DcmFileFormat file;
    if (file.loadFile(path.c_str()).bad()) return false;
    if (file.convertToUTF8().bad()) return false;
    std::ostringstream out;
    DcmJsonFormatCompact format(OFFalse);
    if (file.writeJson(out, format).bad()) return false;
    text = out.str();
    return !text.empty();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const double seconds = std::stod(argv[1]);
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    std::string text;
    double best = 1e18;
    for (int part = 0; part < 10; ++part) {
        const auto begin = Clock::now();
        int times = 0;
        double passed = 0;
        do {
            if (!once(argv[2], text)) return 1;
            ++times;
            passed = std::chrono::duration<double>(Clock::now() - begin).count();
        } while (passed < seconds / 10);
        best = std::min(best, passed / times);
    }
    std::printf("{\"bytes\":%zu,\"ns\":%.0f}\n", text.size(), best * 1e9);
    return 0;
}
