#include "terminal.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sagitta::tools {

bool use_colour(ColourMode mode) {
    if (mode != ColourMode::automatic) return mode == ColourMode::always;
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    const bool refused = no_colour != nullptr && *no_colour != '\0';
    return isatty(STDOUT_FILENO) == 1 && !refused && term != nullptr && std::string_view(term) != "dumb";
}

std::size_t terminal_width() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 160;
    return size.ws_col;
}

void complain(std::string_view what) {
    note(fmt::format("sagitta: {}", what));
}

void complain(std::string_view prefix, const Error& error) {
    complain(prefix.empty() ? error.message() : fmt::format("{}: {}", prefix, error.message()));
}

void note(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fputc('\n', stderr);
}

bool print(std::string_view line) {
    return std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
}

std::string readable_bytes(std::uint64_t bytes) {
    constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
    if (bytes < 1000) return fmt::format("{} bytes", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", value, value < 9.95 ? 1 : 0, kUnits[unit]);
}

Progress::Progress() : on_terminal_(isatty(STDERR_FILENO) == 1), last_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
    clear();
}

bool Progress::is_due() {
    return on_terminal_ && std::chrono::steady_clock::now() - last_ >= std::chrono::milliseconds(200);
}

void Progress::show(std::string_view line) {
    if (!on_terminal_) return;
    last_ = std::chrono::steady_clock::now();
    visible_ = true;
    std::fprintf(stderr, "\r\x1b[K%.*s", static_cast<int>(line.size()), line.data());
    std::fflush(stderr);
}

void Progress::clear() {
    if (!visible_) return;
    std::fputs("\r\x1b[K", stderr);
    visible_ = false;
}

}  // namespace sagitta::tools
