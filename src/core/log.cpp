#include "core/log.h"

#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace sagitta::log {
namespace {

spdlog::level::level_enum native(Level level) noexcept {
    switch (level) {
        case Level::trace: return spdlog::level::trace;
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
        case Level::off: return spdlog::level::off;
    }
    return spdlog::level::info;
}

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = spdlog::stderr_color_mt("sagitta");
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
        return made;
    }();
    return *instance;
}

}  // namespace

void set_level(Level level) {
    logger().set_level(native(level));
}

bool enabled(Level level) noexcept {
    return logger().should_log(native(level));
}

void write(Level level, std::string_view line) {
    logger().log(native(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code >= 0x7f) {
            out += fmt::format("\\x{:02x}", code);
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace sagitta::log
