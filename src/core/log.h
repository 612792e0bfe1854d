// Log lines: one event a line, `key=value` context, no patient data, control characters escaped.
// Hides the library behind it.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace sagitta::log {

enum class Level { trace, debug, info, warning, error, off };

/// Lines go to standard error. Thread-safe.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level) noexcept;
void write(Level level, std::string_view line);

/// Text from outside made fit for a log line or a terminal: control characters and bytes beyond
/// ASCII become \xNN.
[[nodiscard]] std::string escaped(std::string_view text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::warning)) write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sagitta::log
