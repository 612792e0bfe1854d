// PS3.5 Table 6.2-1 and 6.4, value by value.
#include "dicom/value_check.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sagitta::dicom {
namespace {

struct Values {
    Vr vr;
    std::vector<std::string> accepted;
    std::vector<std::string> refused;
};

std::string times(int count, std::string_view text) {
    std::string repeated;
    for (int i = 0; i < count; ++i) repeated += text;
    return repeated;
}

TEST(ValueCheck, TakesWhatTheStandardAllowsAndNothingElse) {
    const std::vector<Values> table = {
        {Vr::AE,
         {"", "PACS", "A B", "ABCDEFGHIJKLMNOP"},
         {"ABCDEFGHIJKLMNOPQ", "   ", "A\nB", "M\u00fcller"}},
        {Vr::AS, {"045Y", "001D", "012W", "006M"}, {"45Y", "045", "045y", "0450Y", "-45Y"}},
        {Vr::CS,
         {"DERIVED\\PRIMARY", "A_B 1", "A\\\\B", "ABCDEFGHIJKLMNOP"},
         {"derived", "A-B", "A\tB", "ABCDEFGHIJKLMNOPQ", "A\\b"}},
        {Vr::DA,
         {"20240229", "19000101"},
         {"20230229", "2024022", "2024.02.29", "20241301", "20240100", "20240101-", "today", " 20240101"}},
        {Vr::DS,
         {"1", "-1.5", "+.5", "1.", "1E5", "1e-05", " 1.5 ", "1\\2\\3", "0.12345678901234"},
         {".", "1,5", "1E", "0x10", "1.5 2", "nan", "0.123456789012345", "--1"}},
        {Vr::DT,
         {"2024", "202402", "20240229", "2024022923", "20240229235960", "20240229235959.123456+0100",
          "2024-0500", "20240229235959.1"},
         {"202", "20240230", "2024022924", "20240229235959.1234567", "20240229+1500", "20240229-1300",
          "2024-0000", "20240229T10", "2024022910.5", "20240229+01"}},
        {Vr::IS,
         {"0", "-2147483648", "2147483647", "+5", " 7 ", "1\\2"},
         {"2147483648", "-2147483649", "1.0", "1 2", "+-5", "0000000000001"}},
        {Vr::LO, {times(64, "\u00e9"), "a\\b", "under 64"}, {times(65, "a"), "a\nb", "a\x7f", "a\x80"}},
        {Vr::LT,
         {times(10240, "\u65e5"), "a\r\nb\tc\fd", "a\\b"},
         {times(10241, "a"), std::string("a\0b", 3)}},
        {Vr::PN,
         {"Doe^John", "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060", "a^b^c^d^e",
          times(64, "\u00e9"), times(64, "a") + "=" + times(64, "b"), "A^B\\C^D"},
         {"a=b=c=d", "a^b^c^d^e^f", times(65, "a"), "a\tb"}},
        {Vr::SH, {"sixteen letters.", "a\\b"}, {"seventeen letters", "a\nb"}},
        {Vr::ST, {times(1024, "a"), "line\r\nline"}, {times(1025, "a"), "a\x01"}},
        {Vr::TM,
         {"10", "1030", "103059", "235960", "103059.1", "103059.123456"},
         {"1", "24", "1060", "103061", "103059.", "103059.1234567", "10.5", "10:30:59", "1030-"}},
        {Vr::UC, {times(70000, "a"), "a\\b"}, {"a\nb"}},
        {Vr::UI,
         {"1.2.840.10008.1.1", "0.1", "2.25.0", "1.2\\1.3"},
         {"1.2.", ".1", "1..2", "1.02", "1.2.a", "1." + times(63, "1"), "1.2 "}},
        {Vr::UR, {"https://example.org/a?b=c%20d#e", "a,b"}, {"has space", " a", "a\\b", "\u00e9"}},
        {Vr::UT, {times(70000, "a"), "a\\b\r\n"}, {"a\x02"}},
    };
    for (const auto& [vr, accepted, refused] : table) {
        for (const auto& value : accepted) {
            const auto checked = check_text(vr, value);
            EXPECT_TRUE(checked) << to_string(vr) << " '" << value.substr(0, 80)
                                 << "': " << (checked ? "" : checked.error().message());
        }
        for (const auto& value : refused) {
            const auto checked = check_text(vr, value);
            ASSERT_FALSE(checked) << to_string(vr) << " '" << value.substr(0, 80) << "'";
            EXPECT_EQ(checked.error().code, Errc::invalid_argument);
            if (value.size() > 3) {
                EXPECT_EQ(checked.error().message().find(value), std::string::npos);
            }
        }
    }
}

TEST(ValueCheck, SaysWhichValueAndWhy) {
    EXPECT_EQ(check_text(Vr::CS, "A\\b").error().message(),
              "value 2 has other characters than A-Z, 0-9, space and underscore");
    EXPECT_EQ(check_text(Vr::SH, "seventeen letters").error().message(), "is longer than 16 characters");
    EXPECT_EQ(check_text(Vr::UI, "1.2\\1.3", "1").error().message(), "has 2 values, not 1");
    EXPECT_EQ(check_text(Vr::LO,
                         "a\xff"
                         "b")
                  .error()
                  .message(),
              "is not UTF-8");
}

TEST(ValueCheck, BinaryValuesAreWholeNumbers) {
    struct Case {
        Vr vr;
        std::size_t unit;
    };
    for (const auto& [vr, unit] : {Case{Vr::US, 2},
                                   {Vr::SS, 2},
                                   {Vr::OW, 2},
                                   {Vr::AT, 4},
                                   {Vr::FL, 4},
                                   {Vr::OF, 4},
                                   {Vr::OL, 4},
                                   {Vr::SL, 4},
                                   {Vr::UL, 4},
                                   {Vr::FD, 8},
                                   {Vr::OD, 8},
                                   {Vr::OV, 8},
                                   {Vr::SV, 8},
                                   {Vr::UV, 8}}) {
        const std::vector<std::byte> bytes(3 * unit + 1);
        EXPECT_TRUE(check_bytes(vr, std::span(bytes).first(3 * unit))) << to_string(vr);
        EXPECT_FALSE(check_bytes(vr, bytes)) << to_string(vr);
        EXPECT_FALSE(check_bytes(vr, std::span(bytes).first(unit / 2))) << to_string(vr);
    }
    const std::vector<std::byte> bytes(8);
    EXPECT_FALSE(check_bytes(Vr::US, bytes, "3"));
    EXPECT_TRUE(check_bytes(Vr::US, bytes, "4"));
    EXPECT_TRUE(check_bytes(Vr::OW, bytes, "1"));
    EXPECT_TRUE(check_bytes(Vr::OB, std::span(bytes).first(3), "1"));
    EXPECT_TRUE(check_bytes(Vr::UN, std::span(bytes).first(3), "1"));
}

TEST(ValueCheck, VmIsReadAsTheDictionaryWritesIt) {
    struct Case {
        std::string_view vm;
        std::vector<std::uint64_t> allowed, not_allowed;
    };
    for (const auto& [vm, allowed, not_allowed] : std::vector<Case>{
             {"1", {0, 1}, {2}},
             {"3", {0, 3}, {1, 2, 4, 6}},
             {"1-3", {1, 2, 3}, {4}},
             {"1-n", {1, 2, 1000000}, {}},
             {"2-n", {2, 3}, {1}},
             {"2-2n", {2, 4, 6}, {1, 3}},
             {"3-3n", {3, 6}, {1, 4, 5}},
             {"6-n", {6, 7}, {5}},
             {"1-99", {1, 99}, {100}},
             {"1-n or 1", {1, 2}, {}},
             {"2 or 4", {2, 4}, {1, 3, 5}},
             {"", {0, 1, 2}, {}},
         }) {
        for (const auto count : allowed) EXPECT_TRUE(vm_allows(vm, count)) << vm << " " << count;
        for (const auto count : not_allowed) EXPECT_FALSE(vm_allows(vm, count)) << vm << " " << count;
    }
}

}  // namespace
}  // namespace sagitta::dicom
