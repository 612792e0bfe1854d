// Dates and times (PS3.5 6.2: DA, TM, DT) as values that know how precise they are, and the range keys
// made of them (PS3.4 C.2.2.2.5). Knows text, not data sets.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dicom/vr.h"

namespace sagitta::dicom {

/// The smallest part that is stated.
enum class Precision : std::uint8_t { year, month, day, hour, minute, second, fraction };

/// A DA value.
struct Date {
    std::uint16_t year = 0;
    std::uint8_t month = 1;
    std::uint8_t day = 1;

    /// "YYYYMMDD", or "YYYY.MM.DD" of old; padding is ignored. A day that its month does not have is
    /// let through: see exists().
    [[nodiscard]] static std::optional<Date> parse(std::string_view text);
    /// False for a 30th of February.
    [[nodiscard]] bool exists() const noexcept;
    /// Days beyond the end of a month run into the next one.
    [[nodiscard]] std::chrono::sys_days days() const noexcept;
    [[nodiscard]] std::string text() const;  ///< "YYYYMMDD"
    auto operator<=>(const Date&) const = default;
};

/// A TM value. Parts that are not stated are 0.
struct Time {
    std::uint8_t hour = 0;
    std::uint8_t minute = 0;
    std::uint8_t second = 0;  ///< 60 in a leap second
    std::uint32_t microsecond = 0;
    Precision precision = Precision::hour;  ///< hour to fraction
    std::uint8_t fraction_digits = 0;       ///< 1 to 6 when `precision` is fraction

    /// "HH[MM[SS[.FFFFFF]]]", or "HH:MM[:SS[.FFFFFF]]" of old; padding is ignored.
    [[nodiscard]] static std::optional<Time> parse(std::string_view text);
    /// The first and last time it covers, since midnight: "10" is 10:00:00 to 10:59:59.999999.
    [[nodiscard]] std::chrono::microseconds first() const noexcept;
    [[nodiscard]] std::chrono::microseconds last() const noexcept;
    bool operator==(const Time&) const = default;
};

/// A DT value. Parts that are not stated are the first of their kind.
struct DateTime {
    using Instant = std::chrono::sys_time<std::chrono::microseconds>;

    Date date;
    Time time;
    Precision precision = Precision::year;
    std::optional<std::chrono::minutes> utc_offset;

    /// "YYYY[MM[DD[HH[MM[SS[.FFFFFF]]]]]][+ZZXX]", the offset from -1200 to +1400.
    [[nodiscard]] static std::optional<DateTime> parse(std::string_view text);
    /// The first and last instant it covers, in UTC. Without an offset of its own it has that of its
    /// data set: Timezone Offset From UTC (0008,0201).
    [[nodiscard]] Instant first(std::chrono::minutes data_set_offset = {}) const noexcept;
    [[nodiscard]] Instant last(std::chrono::minutes data_set_offset = {}) const noexcept;
    bool operator==(const DateTime&) const = default;
};

/// "+ZZXX" or "-ZZXX" between -1200 and +1400, as in DT values and (0008,0201).
[[nodiscard]] std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text);

/// The first or last instant, as documented for range_bound in matching.h. Empty when malformed.
[[nodiscard]] std::string date_bound(std::string_view value);
[[nodiscard]] std::string time_bound(std::string_view value, bool upper);
[[nodiscard]] std::string date_time_bound(std::string_view value, bool upper);

/// The two texts around the `-` of a range key, or the same text twice when it is no range. Of a DT
/// a `-` and four digits up to 1200 behind a date are its offset from UTC.
struct RangeText {
    std::string_view from;
    std::string_view to;
    bool is_range;
};
[[nodiscard]] RangeText split_range(Vr vr, std::string_view key);

}  // namespace sagitta::dicom
