#include "deid/pseudonyms.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "deid/date_shift.h"
#include "dicom/date_time.h"
#include "tests/deid/sample.h"

namespace sagitta::deid {
namespace {

using dicom::Vr;

// PS3.5 section 9.1.
bool is_valid_uid(std::string_view uid) {
    if (uid.empty() || uid.size() > 64) return false;
    for (;;) {
        const auto part = uid.substr(0, uid.find('.'));
        if (part.empty() || part.find_first_not_of("0123456789") != std::string_view::npos) return false;
        if (part.size() > 1 && part.front() == '0') return false;
        if (part.size() == uid.size()) return true;
        uid.remove_prefix(part.size() + 1);
    }
}

TEST(Pseudonyms, UidsAreValidUnderTwoTwentyFive) {
    const auto made = test::pseudonyms();
    EXPECT_TRUE(rc::check("uids", [&](const std::string& original) {
        RC_PRE(!original.empty());
        const auto uid = made.uid("1.2." + original);
        RC_ASSERT(uid.starts_with("2.25."));
        RC_ASSERT(is_valid_uid(uid));
        RC_ASSERT(made.uid("1.2." + original) == uid);
    }));
}

// HMAC-SHA-256 by Python's hmac module over lengths and parts, as project_key.h says; then version 8 and the
// variant of RFC 9562 set, as a decimal number.
TEST(Pseudonyms, UidIsThatOfAnotherImplementation) {
    EXPECT_EQ(test::pseudonyms().uid("1.2.3"), "2.25.124420186297312176355222115924494312802");
}

TEST(Pseudonyms, UidsOfTheStandardStay) {
    const auto made = test::pseudonyms();
    for (const auto* uid : {"1.2.840.10008.1.2", "1.2.840.10008.1.4.1.1", "1.2.840.10008.5.1.4.1.1.2"})
        EXPECT_EQ(made.uid(uid), uid);
    EXPECT_NE(made.uid("1.2.840.100081.1"), "1.2.840.100081.1");
}

TEST(Pseudonyms, DependOnIssuerIdKindAndKey) {
    const auto one = test::pseudonyms(1);
    const auto other = test::pseudonyms(2);
    const PatientIdentity patient{"A", "4711"};
    std::set<std::string> different = {*one.patient(patient),
                                       *one.patient({"B", "4711"}),
                                       *one.patient({"A", "4712"}),
                                       *one.patient({"A4", "711"}),
                                       *other.patient(patient),
                                       *one.identifier(PseudonymKind::accession, patient, "4711"),
                                       *one.identifier(PseudonymKind::study, patient, "4711")};
    EXPECT_EQ(different.size(), 7u);
    for (const auto& pseudonym : different) EXPECT_LE(pseudonym.size(), 16u);
}

TEST(Pseudonyms, ShiftIsOneToThreeThousandSixHundredFiftyDaysBack) {
    std::set<std::int32_t> seen;
    for (int n = 0; n < 20000; ++n) {
        const auto days = test::pseudonyms().shift_days({"", std::to_string(n)});
        ASSERT_LE(days, -1);
        ASSERT_GE(days, -3650);
        seen.insert(days);
    }
    EXPECT_GT(seen.size(), 3600u);
    EXPECT_TRUE(seen.contains(-1) && seen.contains(-3650));
}

TEST(DateShift, IntervalsStayToTheSecond) {
    EXPECT_TRUE(rc::check("intervals", [] {
        const auto days = *rc::gen::inRange(-3650, 0);
        const auto random_date = [] {
            const auto day = std::chrono::sys_days(std::chrono::year(1900) / 1 / 1) +
                             std::chrono::days(*rc::gen::inRange(4000, 70000));
            const std::chrono::year_month_day date(day);
            char text[32];
            std::snprintf(text, sizeof text, "%04d%02u%02u%02d%02d%02d", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                          *rc::gen::inRange(0, 24), *rc::gen::inRange(0, 60), *rc::gen::inRange(0, 60));
            return std::string(text);
        };
        const std::string a = random_date() + "+0230", b = random_date();
        const auto moved_a = shifted(Vr::DT, a, days), moved_b = shifted(Vr::DT, b, days);
        RC_ASSERT(moved_a && moved_b);
        const auto instant = [](const std::string& text) { return dicom::DateTime::parse(text)->first(); };
        RC_ASSERT(instant(a) - instant(b) == instant(*moved_a) - instant(*moved_b));
        RC_ASSERT(shifted(Vr::DA, a.substr(0, 8), days)->substr(0, 8) == moved_a->substr(0, 8));
        RC_ASSERT(*shifted(Vr::DT, *moved_a, -days) == a);
    }));
}

TEST(DateShift, KeepsPrecisionOffsetsAndRanges) {
    EXPECT_EQ(shifted(Vr::DA, "20240301", -1), "20240229");
    EXPECT_EQ(shifted(Vr::DA, "2024.03.01", -1), "20240229");
    EXPECT_EQ(shifted(Vr::DA, "20240101-20240301", -1), "20231231-20240229");
    EXPECT_EQ(shifted(Vr::DA, "20240101-", -1), "20231231-");
    EXPECT_EQ(shifted(Vr::DA, "-20240101", -1), "-20231231");
    EXPECT_EQ(shifted(Vr::DT, "2024", -3650), "2014");
    EXPECT_EQ(shifted(Vr::DT, "202403", -31), "202402");
    EXPECT_EQ(shifted(Vr::DT, "20240301120000.123456-0330", -1), "20240229120000.123456-0330");
    EXPECT_EQ(shifted(Vr::TM, "235959", -1), "235959");
    EXPECT_EQ(shifted_values(Vr::DA, "20240101\\20240102", -1), "20231231\\20240101");
    for (const auto* none : {"", "DOE^JOHN", "20241301", "1234567", "2024-13"})
        EXPECT_FALSE(shifted(Vr::DA, none, -1).has_value()) << none;
}

TEST(DateShift, NobodyIsOlderThanNinety) {
    EXPECT_EQ(capped_age("089Y"), "089Y");
    EXPECT_EQ(capped_age("090Y"), "090Y");
    EXPECT_EQ(capped_age("104Y"), "090Y");
    EXPECT_EQ(capped_age("400D"), "400D");
    EXPECT_FALSE(capped_age("DOE").has_value());
    EXPECT_FALSE(capped_age("JANE").has_value());
}

TEST(PseudonymTable, GivesWhatItWasTold) {
    const auto table = PseudonymTable::parse(
        "kind,original,pseudonym\npatient,4711,SUBJ-001\r\npatient,\"a,\"\"b\",SUBJ-002\n", "t.csv");
    ASSERT_TRUE(table.has_value());
    const std::array<std::uint8_t, 32> secret{};
    const Pseudonyms made(*ProjectKey::from_bytes(secret), *table, true);
    EXPECT_EQ(*made.patient({"", "4711"}), "SUBJ-001");
    EXPECT_EQ(*made.patient({"", "a,\"b"}), "SUBJ-002");
    EXPECT_FALSE(made.patient({"", "4712"}).has_value());
}

TEST(PseudonymTable, SaysTheLineThatIsWrong) {
    for (const auto* wrong :
         {"original,pseudonym\n", "kind,original,pseudonym\npatient,1\n",
          "kind,original,pseudonym\npatient,1,A\npatient,2,A\n", "kind,original,pseudonym\ndog,1,A\n",
          "kind,original,pseudonym\npatient,\"1,A\n"}) {
        const auto table = PseudonymTable::parse(wrong, "t.csv");
        ASSERT_FALSE(table.has_value()) << wrong;
        EXPECT_TRUE(table.error().context.starts_with("t.csv:")) << wrong;
    }
}

class KeyFile : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("sagitta-key-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        path_ = folder_ / "project.key";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_;
    std::filesystem::path path_;
};

TEST_F(KeyFile, IsMadeOnceForItsOwnerAlone) {
    const auto made = ProjectKey::create(path_);
    ASSERT_TRUE(made.has_value());
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const auto loaded = ProjectKey::load(path_);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(loaded->identifier(), made->identifier());
    EXPECT_EQ(loaded->mac("uid", "1.2.3"), made->mac("uid", "1.2.3"));
    const auto again = ProjectKey::create(path_);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, Errc::already_exists);
}

TEST_F(KeyFile, IsRefusedWhenOthersMayReadIt) {
    ASSERT_TRUE(ProjectKey::create(path_).has_value());
    for (const mode_t mode : {0640u, 0604u, 0660u}) {
        ::chmod(path_.c_str(), mode);
        const auto loaded = ProjectKey::load(path_);
        ASSERT_FALSE(loaded.has_value());
        EXPECT_EQ(loaded.error().code, Errc::refused);
    }
}

TEST_F(KeyFile, IsRefusedWhenItIsNoKeyOrChanged) {
    std::ofstream(path_) << "id = 0\nkey = 1\n";
    ::chmod(path_.c_str(), 0600);
    EXPECT_EQ(ProjectKey::load(path_).error().code, Errc::malformed);
    std::filesystem::remove(path_);
    ASSERT_TRUE(ProjectKey::create(path_).has_value());
    std::string text;
    std::getline(std::ifstream(path_), text, '\0');
    text[text.size() - 2] = text[text.size() - 2] == '0' ? '1' : '0';
    std::ofstream(path_) << text;
    EXPECT_EQ(ProjectKey::load(path_).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace sagitta::deid
