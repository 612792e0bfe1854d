#include "dicom/date_time.h"

#include <gtest/gtest.h>

namespace sagitta::dicom {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

TEST(Dates, AreReadInBothForms) {
    for (const auto* text : {"20210408", "2021.04.08", " 20210408 "}) {
        SCOPED_TRACE(text);
        const auto date = Date::parse(text);
        ASSERT_TRUE(date.has_value());
        EXPECT_EQ(*date, (Date{2021, 4, 8}));
        EXPECT_EQ(date->text(), "20210408");
        EXPECT_EQ(date->days(), sys_days(year{2021} / 4 / 8));
    }
    EXPECT_EQ(Date::parse("00010101")->text(), "00010101");
    for (const auto* text : {"", "2021", "202104", "2021048", "20211301", "20210132", "20210400",
                             "2021-04-08", "2021.4.008", "20210408x", "2021 408", "+2021040"}) {
        EXPECT_FALSE(Date::parse(text).has_value()) << text;
    }
}

TEST(Dates, KnowWhichDaysExist) {
    EXPECT_TRUE(Date::parse("20200229")->exists());
    EXPECT_FALSE(Date::parse("20210229")->exists());
    EXPECT_EQ(Date::parse("20210229")->days(), sys_days(year{2021} / 3 / 1));
    EXPECT_LT(*Date::parse("20191231"), *Date::parse("20200101"));
}

TEST(Times, CoverWhatTheyDoNotSay) {
    struct Row {
        const char* text;
        Precision precision;
        std::chrono::microseconds first;
        std::chrono::microseconds last;
    };
    for (const Row& row :
         {Row{"10", Precision::hour, 10h, 11h - 1us},
          Row{"1030", Precision::minute, 10h + 30min, 10h + 31min - 1us},
          Row{"10:30", Precision::minute, 10h + 30min, 10h + 31min - 1us},
          Row{"103015", Precision::second, 10h + 30min + 15s, 10h + 30min + 16s - 1us},
          Row{"10:30:15.5", Precision::fraction, 10h + 30min + 15s + 500ms, 10h + 30min + 15s + 600ms - 1us},
          Row{"103015.000001 ", Precision::fraction, 10h + 30min + 15s + 1us, 10h + 30min + 15s + 1us},
          Row{"235960", Precision::second, 24h, 24h + 1s - 1us}}) {
        SCOPED_TRACE(row.text);
        const auto time = Time::parse(row.text);
        ASSERT_TRUE(time.has_value());
        EXPECT_EQ(time->precision, row.precision);
        EXPECT_EQ(time->first(), row.first);
        EXPECT_EQ(time->last(), row.last);
    }
    EXPECT_EQ(Time::parse("235960")->second, 60);
    EXPECT_EQ(Time::parse("103015.250")->fraction_digits, 3);
    EXPECT_EQ(Time::parse("103015.250")->microsecond, 250000u);
    for (const auto* text : {"", "1", "24", "1060", "103061", "10.5", "1030.5", "103015.", "103015.1234567",
                             "103015.1x", "noon", "10-12", "10:3", "1030150"}) {
        EXPECT_FALSE(Time::parse(text).has_value()) << text;
    }
}

TEST(DateTimes, CoverWhatTheyDoNotSay) {
    struct Row {
        const char* text;
        Precision precision;
        DateTime::Instant first;
        DateTime::Instant last;
    };
    const auto at = [](int y, unsigned m, unsigned d) {
        return DateTime::Instant(sys_days(year{y} / static_cast<int>(m) / static_cast<int>(d)));
    };
    for (const Row& row :
         {Row{"2020", Precision::year, at(2020, 1, 1), at(2021, 1, 1) - 1us},
          Row{"202002", Precision::month, at(2020, 2, 1), at(2020, 3, 1) - 1us},
          Row{"20200229", Precision::day, at(2020, 2, 29), at(2020, 3, 1) - 1us},
          Row{"2020022910", Precision::hour, at(2020, 2, 29) + 10h, at(2020, 2, 29) + 11h - 1us},
          Row{"202002291030", Precision::minute, at(2020, 2, 29) + 630min, at(2020, 2, 29) + 631min - 1us},
          Row{"20200229103015.5", Precision::fraction, at(2020, 2, 29) + 630min + 15s + 500ms,
              at(2020, 2, 29) + 630min + 15s + 600ms - 1us},
          Row{"20200301003000+0100", Precision::second, at(2020, 2, 29) + 23h + 30min,
              at(2020, 2, 29) + 23h + 30min + 1s - 1us},
          Row{"2020-0500", Precision::year, at(2020, 1, 1) + 5h, at(2021, 1, 1) + 5h - 1us}}) {
        SCOPED_TRACE(row.text);
        const auto value = DateTime::parse(row.text);
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(value->precision, row.precision);
        EXPECT_EQ(value->first(), row.first);
        EXPECT_EQ(value->last(), row.last);
    }
    for (const auto* text :
         {"", "202", "20201", "20201301", "2020010124", "2020.5", "20200101.5", "2020+1401", "2020-1201",
          "2020+01", "2020+0160", "20200101+", "20200101103015.1234567"}) {
        EXPECT_FALSE(DateTime::parse(text).has_value()) << text;
    }
}

TEST(DateTimes, HaveTheOffsetOfTheirDataSetWhenTheyStateNone) {
    const auto plain = *DateTime::parse("20210408120000");
    const auto stated = *DateTime::parse("20210408120000+0000");
    EXPECT_EQ(plain.first(2h), plain.first() - 2h);
    EXPECT_EQ(plain.last(2h), plain.last() - 2h);
    EXPECT_EQ(stated.first(2h), plain.first());
    EXPECT_FALSE(plain.utc_offset.has_value());
    EXPECT_EQ(parse_utc_offset("-0330"), -210min);
    EXPECT_EQ(parse_utc_offset("+1400 "), 840min);
    EXPECT_FALSE(parse_utc_offset("0330").has_value());
}

}  // namespace
}  // namespace sagitta::dicom
