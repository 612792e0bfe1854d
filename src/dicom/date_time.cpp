#include "dicom/date_time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace sagitta::dicom {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
}

/// Of two or four digits.
int number(std::string_view digits) {
    int value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    return value;
}

/// Which two digits may stand in a place: months, days, hours, minutes, seconds (60 in a leap
/// second). A 31st of February is let through: as the end of a range people write it.
struct Places {
    int least;
    int most;
};
constexpr auto kPlaces = std::to_array<Places>({{1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 60}});

/// Pairs of digits in order, beginning with `first_place`.
bool are_places(std::string_view digits, std::size_t first_place) {
    if (digits.size() % 2 != 0 || digits.size() / 2 > kPlaces.size() - first_place) return false;
    for (std::size_t i = 0; i * 2 < digits.size(); ++i) {
        const int value = number(digits.substr(i * 2, 2));
        const Places& place = kPlaces[first_place + i];
        if (value < place.least || value > place.most) return false;
    }
    return true;
}

/// What stands before and behind the decimal point; only whole seconds have one.
struct Digits {
    std::string whole;
    std::string fraction;
};

std::optional<Digits> split_fraction(std::string_view text, std::size_t whole_when_fraction) {
    const auto point = text.find('.');
    Digits digits{std::string(text.substr(0, point)), {}};
    if (point != std::string_view::npos) {
        digits.fraction = text.substr(point + 1);
        if (digits.fraction.empty() || digits.fraction.size() > 6 ||
            digits.whole.size() != whole_when_fraction) {
            return std::nullopt;
        }
    }
    if (!all_digits(digits.whole) || !all_digits(digits.fraction)) return std::nullopt;
    return digits;
}

void fill_fraction(std::string& fraction, bool upper) {
    fraction.resize(6, upper ? '9' : '0');
}

int days_in_month(int year, int month) {
    const std::chrono::year_month_day_last last{
        std::chrono::year{year},
        std::chrono::month_day_last{std::chrono::month{static_cast<unsigned>(month)}}};
    return static_cast<int>(static_cast<unsigned>(last.day()));
}

std::string two_digits(int value) {
    return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

/// "YYYYMMDDHHMMSS" less an offset. Beyond the four-digit years it stays at their end.
std::string shifted(const std::string& whole, std::chrono::minutes offset) {
    using namespace std::chrono;
    const auto part = [&](std::size_t at, std::size_t size) {
        return number(std::string_view(whole).substr(at, size));
    };
    // Days beyond the month's end roll over, as sys_days of an unnormalised date does.
    const sys_days first_of_month{year{part(0, 4)} / month{static_cast<unsigned>(part(4, 2))} / day{1}};
    const sys_seconds instant = sys_seconds{first_of_month} + days{part(6, 2) - 1} + hours{part(8, 2)} +
                                minutes{part(10, 2)} + seconds{part(12, 2)} - offset;
    const auto date = floor<days>(instant);
    const year_month_day ymd{date};
    const hh_mm_ss time{instant - date};
    const int y = static_cast<int>(ymd.year());
    if (y < 0) return "00000101000000";
    if (y > 9999) return "99991231235959";
    return two_digits(y / 100) + two_digits(y % 100) +
           two_digits(static_cast<int>(static_cast<unsigned>(ymd.month()))) +
           two_digits(static_cast<int>(static_cast<unsigned>(ymd.day()))) +
           two_digits(static_cast<int>(time.hours().count())) +
           two_digits(static_cast<int>(time.minutes().count())) +
           two_digits(static_cast<int>(time.seconds().count()));
}

/// "+ZZXX" or "-ZZXX" between -1200 and +1400.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
    if (text.size() != 5 || (text[0] != '+' && text[0] != '-') || !all_digits(text.substr(1)))
        return std::nullopt;
    const int hours = number(text.substr(1, 2));
    const int minutes = number(text.substr(3, 2));
    const int total = hours * 60 + minutes;
    if (minutes > 59 || total > (text[0] == '-' ? 12 : 14) * 60) return std::nullopt;
    return std::chrono::minutes(text[0] == '-' ? -total : total);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

/// The `-` that divides the bounds of a DT; npos when there is none.
std::size_t date_time_separator(std::string_view key) {
    const auto hyphen = key.find('-');
    if (hyphen == std::string_view::npos || hyphen == 0) return hyphen;
    if (key.substr(0, hyphen).find('+') != std::string_view::npos) return hyphen;
    const auto offset = key.substr(hyphen, 5);
    const auto behind = trimmed(key.substr(hyphen + offset.size()));
    const bool is_offset = parse_offset(offset).has_value() && (behind.empty() || behind[0] == '-');
    return is_offset ? key.find('-', hyphen + 1) : hyphen;
}

}  // namespace

std::string date_bound(std::string_view value) {
    std::string digits(trimmed(value));
    if (digits.size() == 10 && digits[4] == '.' && digits[7] == '.') {  // ACR-NEMA 300
        digits.erase(7, 1);
        digits.erase(4, 1);
    }
    if (digits.size() != 8 || !all_digits(digits) || !are_places(std::string_view(digits).substr(4), 0))
        return {};
    return digits;
}

std::string time_bound(std::string_view value, bool upper) {
    std::string text(trimmed(value));
    const bool old_form = text.size() >= 5 && text[2] == ':' && (text.size() < 8 || text[5] == ':');
    if (old_form) std::erase(text, ':');
    auto digits = split_fraction(text, 6);
    if (!digits || digits->whole.empty() || !are_places(digits->whole, 2)) return {};
    constexpr std::string_view kLast = "235959";
    constexpr std::string_view kFirst = "000000";
    digits->whole += (upper ? kLast : kFirst).substr(digits->whole.size());
    fill_fraction(digits->fraction, upper);
    return digits->whole + '.' + digits->fraction;
}

std::string date_time_bound(std::string_view value, bool upper) {
    std::string_view text = trimmed(value);
    std::optional<std::chrono::minutes> offset;
    if (const auto sign = text.find_first_of("+-"); sign != std::string_view::npos) {
        offset = parse_offset(text.substr(sign));
        if (!offset) return {};
        text = text.substr(0, sign);
    }
    auto digits = split_fraction(text, 14);
    if (!digits || digits->whole.size() < 4 || !are_places(std::string_view(digits->whole).substr(4), 0))
        return {};
    std::string& whole = digits->whole;
    if (whole.size() < 6) whole += upper ? "12" : "01";
    if (whole.size() < 8) {
        const std::string_view w = whole;
        whole += upper ? two_digits(days_in_month(number(w.substr(0, 4)), number(w.substr(4, 2)))) : "01";
    }
    whole += std::string_view(upper ? "235959" : "000000").substr(whole.size() - 8);
    if (offset && offset->count() != 0) whole = shifted(whole, *offset);
    fill_fraction(digits->fraction, upper);
    return whole + '.' + digits->fraction;
}

RangeText split_range(Vr vr, std::string_view key) {
    const auto separator = vr == Vr::DT ? date_time_separator(key) : key.find('-');
    if (separator == std::string_view::npos) return {key, key, false};
    return {trimmed(key.substr(0, separator)), trimmed(key.substr(separator + 1)), true};
}

}  // namespace sagitta::dicom
