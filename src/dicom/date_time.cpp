#include "dicom/date_time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace sagitta::dicom {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
}

/// Of up to six digits.
unsigned number(std::string_view digits) {
    unsigned value = 0;
    for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

/// Which two digits may stand in a place, and where they go.
struct Place {
    unsigned least;
    unsigned most;
    std::uint8_t* value;
};

/// Fills the places in order from pairs of digits, as many as there are. The number of pairs, or
/// nothing when one is malformed.
std::optional<std::size_t> fill(std::span<const Place> places, std::string_view digits) {
    if (digits.size() % 2 != 0 || digits.size() / 2 > places.size() || !all_digits(digits))
        return std::nullopt;
    for (std::size_t n = 0; n < digits.size() / 2; ++n) {
        const unsigned value = number(digits.substr(n * 2, 2));
        if (value < places[n].least || value > places[n].most) return std::nullopt;
        *places[n].value = static_cast<std::uint8_t>(value);
    }
    return digits.size() / 2;
}

/// "YYYY[MM[DD]]"; a 31st of February is let through, since people write it as the end of a range.
std::optional<Date> parse_date_digits(std::string_view digits) {
    if (digits.size() < 4 || digits.size() > 8 || !all_digits(digits)) return std::nullopt;
    Date date;
    date.year = static_cast<std::uint16_t>(number(digits.substr(0, 4)));
    const std::array<Place, 2> places = {{{1, 12, &date.month}, {1, 31, &date.day}}};
    if (!fill(places, digits.substr(4))) return std::nullopt;
    return date;
}

/// "HH[MM[SS[.FFFFFF]]]"; only whole seconds have a fraction.
std::optional<Time> parse_time_digits(std::string_view text) {
    Time time;
    const auto point = text.find('.');
    const std::array<Place, 3> places = {{{0, 23, &time.hour}, {0, 59, &time.minute}, {0, 60, &time.second}}};
    const auto filled = fill(places, text.substr(0, point));
    if (!filled || *filled == 0) return std::nullopt;
    time.precision = static_cast<Precision>(static_cast<unsigned>(Precision::hour) + *filled - 1);
    if (point == std::string_view::npos) return time;
    const auto fraction = text.substr(point + 1);
    if (time.precision != Precision::second || fraction.empty() || fraction.size() > 6 ||
        !all_digits(fraction))
        return std::nullopt;
    time.microsecond = number(fraction);
    for (auto digits = fraction.size(); digits < 6; ++digits) time.microsecond *= 10;
    time.precision = Precision::fraction;
    time.fraction_digits = static_cast<std::uint8_t>(fraction.size());
    return time;
}

/// The last time that `time` covers, in all its parts.
Time at_end(Time time) {
    if (time.precision < Precision::minute) time.minute = 59;
    if (time.precision < Precision::second) time.second = 59;
    std::uint32_t unstated = 1'000'000;
    if (time.precision == Precision::fraction) {
        for (unsigned digits = 0; digits < time.fraction_digits; ++digits) unstated /= 10;
    }
    time.microsecond += unstated - 1;
    return time;
}

/// The last day and time that `value` covers; its offset stays aside.
DateTime at_end(DateTime value) {
    if (value.precision < Precision::month) value.date.month = 12;
    if (value.precision < Precision::day) {
        const std::chrono::year_month_day_last last{
            std::chrono::year{value.date.year},
            std::chrono::month_day_last{std::chrono::month{value.date.month}}};
        value.date.day = static_cast<std::uint8_t>(static_cast<unsigned>(last.day()));
    }
    if (value.precision < Precision::hour) value.time.hour = 23;
    value.time = at_end(value.time);
    return value;
}

microseconds since_midnight(const Time& time) {
    return std::chrono::hours(time.hour) + minutes(time.minute) + std::chrono::seconds(time.second) +
           microseconds(time.microsecond);
}

DateTime::Instant instant(const DateTime& value, minutes offset) {
    return DateTime::Instant(value.date.days()) + since_midnight(value.time) - offset;
}

void append_digits(std::string& out, unsigned value, std::size_t digits) {
    out.append(digits, '0');
    for (auto at = out.size(); value != 0; value /= 10) out[--at] = static_cast<char>('0' + value % 10);
}

/// "HHMMSS.FFFFFF"
void append_time(std::string& out, const Time& time) {
    append_digits(out, time.hour, 2);
    append_digits(out, time.minute, 2);
    append_digits(out, time.second, 2);
    out += '.';
    append_digits(out, time.microsecond, 6);
}

/// In UTC. Beyond the four-digit years it stays at their end.
DateTime in_utc(const DateTime& value) {
    using namespace std::chrono;
    DateTime utc = value;
    const auto at = instant(value, *value.utc_offset);
    const auto midnight = floor<days>(at);
    const year_month_day ymd{midnight};
    const int year = static_cast<int>(ymd.year());
    if (year < 0 || year > 9999) {
        utc.date = year < 0 ? Date{0, 1, 1} : Date{9999, 12, 31};
        const auto fraction = utc.time.microsecond;
        utc.time = year < 0 ? Time{} : Time{23, 59, 59};
        utc.time.microsecond = fraction;
        return utc;
    }
    const hh_mm_ss clock{floor<seconds>(at - midnight)};
    utc.date = {static_cast<std::uint16_t>(year),
                static_cast<std::uint8_t>(static_cast<unsigned>(ymd.month())),
                static_cast<std::uint8_t>(static_cast<unsigned>(ymd.day()))};
    utc.time.hour = static_cast<std::uint8_t>(clock.hours().count());
    utc.time.minute = static_cast<std::uint8_t>(clock.minutes().count());
    utc.time.second = static_cast<std::uint8_t>(clock.seconds().count());
    return utc;
}

/// The `-` that divides the bounds of a DT; npos when there is none.
std::size_t date_time_separator(std::string_view key) {
    const auto hyphen = key.find('-');
    if (hyphen == std::string_view::npos || hyphen == 0) return hyphen;
    if (key.substr(0, hyphen).find('+') != std::string_view::npos) return hyphen;
    const auto offset = key.substr(hyphen, 5);
    const auto behind = trimmed(key.substr(hyphen + offset.size()));
    const bool is_offset = parse_utc_offset(offset).has_value() && (behind.empty() || behind[0] == '-');
    return is_offset ? key.find('-', hyphen + 1) : hyphen;
}

}  // namespace

std::optional<Date> Date::parse(std::string_view text) {
    text = trimmed(text);
    if (text.size() == 10 && text[4] == '.' && text[7] == '.') {  // ACR-NEMA 300
        std::string digits(text);
        std::erase(digits, '.');
        return digits.size() == 8 ? parse_date_digits(digits) : std::nullopt;
    }
    return text.size() == 8 ? parse_date_digits(text) : std::nullopt;
}

bool Date::exists() const noexcept {
    return std::chrono::year_month_day(std::chrono::year{year}, std::chrono::month{month},
                                       std::chrono::day{day})
        .ok();
}

std::chrono::sys_days Date::days() const noexcept {
    const std::chrono::sys_days first_of_month{std::chrono::year{year} / std::chrono::month{month} / 1};
    return first_of_month + std::chrono::days(day - 1);
}

std::string Date::text() const {
    std::string text;
    append_digits(text, year, 4);
    append_digits(text, month, 2);
    append_digits(text, day, 2);
    return text;
}

std::optional<Time> Time::parse(std::string_view text) {
    text = trimmed(text);
    const bool old_form = text.size() >= 5 && text[2] == ':' && (text.size() < 8 || text[5] == ':');
    if (!old_form) return parse_time_digits(text);
    std::string digits(text);
    std::erase(digits, ':');
    return parse_time_digits(digits);
}

microseconds Time::first() const noexcept {
    return since_midnight(*this);
}
microseconds Time::last() const noexcept {
    return since_midnight(at_end(*this));
}

std::optional<DateTime> DateTime::parse(std::string_view text) {
    text = trimmed(text);
    DateTime value;
    if (const auto sign = text.find_first_of("+-"); sign != std::string_view::npos) {
        value.utc_offset = parse_utc_offset(text.substr(sign));
        if (!value.utc_offset) return std::nullopt;
        text = text.substr(0, sign);
    }
    const auto date = parse_date_digits(text.substr(0, 8));
    if (!date) return std::nullopt;
    value.date = *date;
    value.precision = static_cast<Precision>(std::min<std::size_t>(text.size(), 8) / 2 - 2);
    if (text.size() <= 8) return value;
    const auto time = parse_time_digits(text.substr(8));
    if (!time) return std::nullopt;
    value.time = *time;
    value.precision = time->precision;
    return value;
}

DateTime::Instant DateTime::first(minutes data_set_offset) const noexcept {
    return instant(*this, utc_offset.value_or(data_set_offset));
}
DateTime::Instant DateTime::last(minutes data_set_offset) const noexcept {
    return instant(at_end(*this), utc_offset.value_or(data_set_offset));
}

std::optional<minutes> parse_utc_offset(std::string_view text) {
    text = trimmed(text);
    if (text.size() != 5 || (text[0] != '+' && text[0] != '-') || !all_digits(text.substr(1)))
        return std::nullopt;
    const bool west = text[0] == '-';
    const int minute = static_cast<int>(number(text.substr(3, 2)));
    const int total = static_cast<int>(number(text.substr(1, 2))) * 60 + minute;
    if (minute > 59 || total > (west ? 12 : 14) * 60) return std::nullopt;
    return minutes(west ? -total : total);
}

std::string date_bound(std::string_view value) {
    const auto date = Date::parse(value);
    return date ? date->text() : std::string();
}

std::string time_bound(std::string_view value, bool upper) {
    const auto time = Time::parse(value);
    std::string text;
    if (time) append_time(text, upper ? at_end(*time) : *time);
    return text;
}

std::string date_time_bound(std::string_view value, bool upper) {
    const auto parsed = DateTime::parse(value);
    if (!parsed) return {};
    DateTime bound = upper ? at_end(*parsed) : *parsed;
    if (bound.utc_offset && bound.utc_offset->count() != 0) bound = in_utc(bound);
    std::string text = bound.date.text();
    append_time(text, bound.time);
    return text;
}

RangeText split_range(Vr vr, std::string_view key) {
    const auto separator = vr == Vr::DT ? date_time_separator(key) : key.find('-');
    if (separator == std::string_view::npos) return {key, key, false};
    return {trimmed(key.substr(0, separator)), trimmed(key.substr(separator + 1)), true};
}

}  // namespace sagitta::dicom
