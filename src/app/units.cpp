#include "app/units.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "core/log.h"

namespace sagitta::app {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first: the first that divides a number is the one to print it in.
constexpr Unit kSizes[] = {
    {"TiB", 1ull << 40},
    {"TB", 1'000'000'000'000},
    {"GiB", 1ull << 30},
    {"GB", 1'000'000'000},
    {"MiB", 1ull << 20},
    {"MB", 1'000'000},
    {"KiB", 1ull << 10},
    {"KB", 1'000},
    {"B", 1},
};
constexpr Unit kDurations[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr std::string_view kSizeUnits = "B, KiB, MiB, GiB, TiB (by 1024) or KB, MB, GB, TB (by 1000)";
constexpr std::string_view kDurationUnits = "ms, s, m, h or d";

Result<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                     std::string_view known, std::string_view example) {
    const auto refused = [](std::string what) { return Error(Errc::invalid_argument, std::move(what)); };
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data(), end, number);
    if (ec == std::errc::result_out_of_range) return refused("is too large");
    if (ec != std::errc()) {
        return refused(fmt::format("'{}' is no whole number with a unit, for example \"{}\"",
                                   log::escaped(text), example));
    }
    std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    if (unit.empty()) return refused(fmt::format("{} has no unit: add one of {}", number, known));
    const auto found =
        std::find_if(units.begin(), units.end(), [unit](const Unit& u) { return u.name == unit; });
    if (found == units.end()) {
        if (unit.front() == '.')
            return refused(fmt::format("'{}' is not a whole number", log::escaped(text)));
        return refused(fmt::format("'{}' is no unit: use {}", log::escaped(unit), known));
    }
    if (number > UINT64_MAX / found->factor) return refused("is too large");
    return number * found->factor;
}

std::string quantity_text(std::uint64_t number, std::span<const Unit> units) {
    const auto divides = [number](const Unit& u) { return number != 0 && number % u.factor == 0; };
    const auto found = std::find_if(units.begin(), units.end(), divides);
    const Unit& unit = found != units.end() ? *found : units.back();
    return fmt::format("{}{}", number / unit.factor, unit.name);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    return parse_quantity(text, kSizes, kSizeUnits, "16MiB");
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    auto number = parse_quantity(text, kDurations, kDurationUnits, "30s");
    if (!number) return std::move(number).error();
    if (*number > static_cast<std::uint64_t>(std::chrono::milliseconds::max().count())) {
        return Error(Errc::invalid_argument, "is too large");
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string size_text(std::uint64_t bytes) {
    return quantity_text(bytes, kSizes);
}

std::string duration_text(std::chrono::milliseconds duration) {
    if (duration.count() == 0) return "0s";
    return quantity_text(static_cast<std::uint64_t>(duration.count()), kDurations);
}

}  // namespace sagitta::app
