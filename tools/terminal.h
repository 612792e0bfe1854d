// What the other end of standard output and standard error can show, and lines to either.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace sagitta::tools {

enum class ColourMode { automatic, always, never };

/// On a terminal, unless NO_COLOR is set or TERM is "dumb".
[[nodiscard]] bool use_colour(ColourMode mode);
/// Columns of the terminal behind standard output; 160 when it is none.
[[nodiscard]] std::size_t terminal_width();

/// "sagitta: what" on standard error.
void complain(std::string_view what);
void complain(std::string_view prefix, const Error& error);
/// A line on standard error, as it is.
void note(std::string_view line);
/// A line on standard output. False when nobody reads it any more.
bool print(std::string_view line);

/// "12.3 MB", "640 kB".
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);

/// One line on standard error that overwrites itself, at most five times a second; nothing at all
/// when standard error is no terminal. Gone when destroyed.
class Progress {
public:
    Progress();
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// True when a line would be shown now.
    [[nodiscard]] bool is_due();
    void show(std::string_view line);
    /// Removes the line, so that another can be printed.
    void clear();

private:
    bool on_terminal_;
    bool visible_ = false;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace sagitta::tools
