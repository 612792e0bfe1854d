#include "deid/date_shift.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "dicom/date_time.h"

namespace sagitta::deid {
namespace {

using dicom::Vr;
namespace chrono = std::chrono;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

std::optional<chrono::year_month_day> moved(dicom::Date date, std::int32_t days) {
    const chrono::year_month_day day{date.days() + chrono::days(days)};
    const int year = static_cast<int>(day.year());
    if (year < 1 || year > 9999) return std::nullopt;
    return day;
}

std::optional<std::string> shifted_date(std::string_view value, std::int32_t days) {
    const auto date = dicom::Date::parse(value);
    if (!date) return std::nullopt;
    const auto day = moved(*date, days);
    if (!day) return std::nullopt;
    return fmt::format("{:04}{:02}{:02}", static_cast<int>(day->year()), static_cast<unsigned>(day->month()),
                       static_cast<unsigned>(day->day()));
}

std::optional<std::string> shifted_date_time(std::string_view value, std::int32_t days) {
    const auto parsed = dicom::DateTime::parse(value);
    if (!parsed) return std::nullopt;
    dicom::Date date = parsed->date;
    if (parsed->precision == dicom::Precision::year) {
        date.month = 7;
        date.day = 2;
    } else if (parsed->precision == dicom::Precision::month) {
        date.day = 15;
    }
    const auto day = moved(date, days);
    if (!day) return std::nullopt;
    const auto digits =
        static_cast<std::size_t>(std::find_if_not(value.begin(), value.end(), is_digit) - value.begin());
    const std::size_t date_digits = std::min<std::size_t>(digits, 8);
    const std::string text =
        fmt::format("{:04}{:02}{:02}", static_cast<int>(day->year()), static_cast<unsigned>(day->month()),
                    static_cast<unsigned>(day->day()));
    return text.substr(0, date_digits).append(value.substr(date_digits));
}

std::optional<std::string> shifted_one(Vr vr, std::string_view value, std::int32_t days) {
    if (vr == Vr::TM) {
        if (!dicom::Time::parse(value)) return std::nullopt;
        return std::string(value);
    }
    return vr == Vr::DA ? shifted_date(value, days) : shifted_date_time(value, days);
}

}  // namespace

std::optional<std::string> shifted(Vr vr, std::string_view value, std::int32_t days) {
    value = trimmed(value);
    if (value.empty()) return std::nullopt;
    if (auto one = shifted_one(vr, value, days)) return one;
    const auto range = dicom::split_range(vr, value);
    if (!range.is_range) return std::nullopt;
    std::string text[2];
    for (int bound = 0; bound < 2; ++bound) {
        const auto side = bound == 0 ? range.from : range.to;
        if (side.empty()) continue;
        auto one = shifted_one(vr, side, days);
        if (!one) return std::nullopt;
        text[bound] = std::move(*one);
    }
    return text[0] + '-' + text[1];
}

std::string shifted_values(Vr vr, std::string_view values, std::int32_t days) {
    std::string text;
    for (;;) {
        const auto slash = values.find('\\');
        text += shifted(vr, values.substr(0, slash), days).value_or("");
        if (slash == std::string_view::npos) break;
        text += '\\';
        values.remove_prefix(slash + 1);
    }
    return text;
}

std::optional<std::string> capped_age(std::string_view value) {
    value = trimmed(value);
    const bool age = value.size() == 4 && std::all_of(value.begin(), value.begin() + 3, is_digit) &&
                     std::string_view("DWMY").find(value[3]) != std::string_view::npos;
    if (!age) return std::nullopt;
    return value[3] == 'Y' && value.substr(0, 3) > "089" ? "090Y" : std::string(value);
}

}  // namespace sagitta::deid
