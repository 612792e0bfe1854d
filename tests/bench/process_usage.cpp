#include "tests/bench/process_usage.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace sagitta::bench {
namespace {

struct Stat {
    int parent = 0;
    double own_ticks = 0;
    double reaped_ticks = 0;
};

bool read_stat(int pid, Stat& stat) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return false;
    std::istringstream rest(text.substr(name_end + 2));
    std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    if (fields.size() < 15) return false;
    stat.parent = std::atoi(fields[1].c_str());
    stat.own_ticks = std::atof(fields[11].c_str()) + std::atof(fields[12].c_str());
    stat.reaped_ticks = std::atof(fields[13].c_str()) + std::atof(fields[14].c_str());
    return true;
}

std::uint64_t status_kib(int pid, const std::string& key) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
    return 0;
}

}  // namespace

ProcessUsage usage_of(int pid) {
    std::map<int, Stat> all;
    DIR* proc = ::opendir("/proc");
    if (proc == nullptr) return {};
    while (const dirent* entry = ::readdir(proc)) {
        const int number = std::atoi(entry->d_name);
        Stat stat;
        if (number > 0 && read_stat(number, stat)) all[number] = stat;
    }
    ::closedir(proc);
    if (!all.contains(pid)) return {};

    ProcessUsage usage;
    double ticks = 0;
    for (const auto& [number, stat] : all) {
        int ancestor = number;
        while (ancestor != pid && all.contains(ancestor) && ancestor > 1) ancestor = all[ancestor].parent;
        if (ancestor != pid) continue;
        ticks += stat.own_ticks + stat.reaped_ticks;
        usage.resident_bytes += status_kib(number, "VmRSS:") * 1024;
    }
    usage.peak_resident_bytes = status_kib(pid, "VmHWM:") * 1024;
    usage.cpu_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return usage;
}

}  // namespace sagitta::bench
