// How the database would go about the main questions: through indexes, whatever it knows of the data.
#include <gtest/gtest.h>

#include "dicom/matching.h"
#include "storage/index_writer.h"
#include "storage/sqlite_query.h"
#include "storage/sqlite_reader.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

dicom::MatchKey key(dicom::Tag tag, Vr vr, std::string_view value) {
    auto parsed = dicom::parse_match_key(tag, vr, value);
    EXPECT_TRUE(parsed) << value;
    return parsed ? *parsed : dicom::MatchKey{tag, vr, dicom::MatchKind::universal, {}};
}

/// Steps of the plan that read every row of a table: "SCAN t" but not "SCAN json_each VIRTUAL TABLE",
/// nor the one row of "SCAN CONSTANT ROW", nor the rows another step has found.
std::vector<std::string> scans(Reader& reader, const std::string& sql) {
    std::vector<std::string> found;
    auto plan = reader.database->cached("EXPLAIN QUERY PLAN " + sql);
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().message()) << sql;
    if (!plan) return found;
    const ResetAtEnd reset(**plan);
    std::size_t steps = 0;
    for (auto row = (*plan)->step(); row && *row; row = (*plan)->step(), ++steps) {
        const std::string step((*plan)->text(3));
        if (step.starts_with("SCAN") && step.find("VIRTUAL TABLE") == std::string::npos &&
            !step.starts_with("SCAN (subquery"))
            found.push_back(step);
    }
    EXPECT_GT(steps, 0u);
    return found;
}

struct Question {
    std::string name;
    Level level;
    std::vector<dicom::MatchKey> keys;
};

std::vector<Question> questions() {
    const auto id = key(tags::PatientID, Vr::LO, "P1");
    const auto day = key(tags::StudyDate, Vr::DA, "20240301");
    const auto days = key(tags::StudyDate, Vr::DA, "20240301-20240307");
    const auto study = key(tags::StudyInstanceUID, Vr::UI, "1.2.3");
    const auto series = key(tags::SeriesInstanceUID, Vr::UI, "1.2.3.4");
    const auto modality = key(tags::ModalitiesInStudy, Vr::CS, "CT");
    return {
        {"Patient ID", Level::patient, {id}},
        {"studies of a patient", Level::study, {id}},
        {"Patient IDs", Level::study, {key(tags::PatientID, Vr::LO, "P1\\P2")}},
        {"Patient ID prefix", Level::study, {key(tags::PatientID, Vr::LO, "P1*")}},
        {"name", Level::study, {key(tags::PatientName, Vr::PN, "doe^jane")}},
        {"name prefix", Level::study, {key(tags::PatientName, Vr::PN, "doe*")}},
        {"name prefix and more", Level::study, {key(tags::PatientName, Vr::PN, "doe^*j?n*")}},
        {"name prefixes", Level::study, {key(tags::PatientName, Vr::PN, "doe*\\roe^*")}},
        {"part of a name", Level::study, {key(tags::PatientName, Vr::PN, "*jane")}},
        {"parts of a name", Level::study, {key(tags::PatientName, Vr::PN, "*jane*\\d*oer*")}},
        {"part of an accession", Level::study, {key(tags::AccessionNumber, Vr::SH, "*123*")}},
        {"birth date", Level::patient, {key(tags::PatientBirthDate, Vr::DA, "19700101")}},
        {"study date", Level::study, {day}},
        {"study dates", Level::study, {days}},
        {"study dates from", Level::study, {key(tags::StudyDate, Vr::DA, "20240301-")}},
        {"study dates to", Level::study, {key(tags::StudyDate, Vr::DA, "-20240301")}},
        {"study dates, modality", Level::study, {days, modality}},
        {"study dates, time, name",
         Level::study,
         {days, key(tags::StudyTime, Vr::TM, "10-12"), key(tags::PatientName, Vr::PN, "*jane")}},
        {"Patient ID, study dates", Level::study, {days, id}},
        {"accession", Level::study, {key(tags::AccessionNumber, Vr::SH, "A1")}},
        {"accession prefix", Level::study, {key(tags::AccessionNumber, Vr::SH, "A1*")}},
        {"study ID", Level::study, {key(tags::StudyID, Vr::SH, "1")}},
        {"study UID", Level::study, {study}},
        {"study UIDs", Level::study, {key(tags::StudyInstanceUID, Vr::UI, "1.2.3\\1.2.4")}},
        {"series of a study", Level::series, {study}},
        {"CT series of a study", Level::series, {study, key(tags::Modality, Vr::CS, "CT")}},
        {"series of a patient's study", Level::series, {id, study}},
        {"series UID", Level::series, {series}},
        {"instances of a series", Level::image, {series}},
        {"instances, whole hierarchy", Level::image, {id, study, series}},
        {"SOP instance UIDs", Level::image, {key(tags::SOPInstanceUID, Vr::UI, "1.2.3.4.5\\1.2.3.4.6")}},
    };
}

std::vector<Scope> scopes() {
    std::vector<Scope> all(5);
    all[0].patient_ids = {"P1"};
    all[1].study_instance_uids = {"1.2.3"};
    all[2].series_instance_uids = {"1.2.3.4", "1.2.3.5"};
    all[3].sop_instance_uids = {"1.2.3.4.5"};
    all[4].patient_ids = {"P1"};
    all[4].study_instance_uids = {"1.2.3", "1.2.4"};
    return all;
}

void expect_no_scans(const std::string& index) {
    auto reader = open_reader(index);
    ASSERT_TRUE(reader) << reader.error().message();
    for (auto& [name, level, keys] : questions()) {
        for (const bool want_instance : {false, true}) {
            Query query;
            query.level = level;
            query.keys = keys;
            query.want_instance = want_instance;
            const auto sql = compile(query).sql;
            EXPECT_EQ(scans(**reader, sql), std::vector<std::string>()) << name << ": " << sql;
            const auto count = [&](const CompiledQuery& rows) {
                EXPECT_EQ(scans(**reader, rows.sql), std::vector<std::string>()) << name << ": " << rows.sql;
                return std::optional<std::int64_t>(1000);
            };
            const auto counted = compile(query, {}, count).sql;
            EXPECT_EQ(scans(**reader, counted), std::vector<std::string>()) << name << ": " << counted;
        }
    }
    for (const auto& scope : scopes()) {
        const auto sql = compile(scope).sql;
        EXPECT_EQ(scans(**reader, sql), std::vector<std::string>()) << sql;
    }
}

TEST(Plans, ScanNoTable) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path());
        for (int n = 0; n < 300; ++n) {
            Sample sample;
            sample.patient_id = fmt::format("P{}", n / 3);
            sample.study_uid = fmt::format("1.2.{}", n / 2);
            sample.series_uid = fmt::format("1.2.{}.1", n / 2);
            sample.sop_uid = fmt::format("1.2.{}.1.{}", n / 2, n);
            ASSERT_TRUE(put(*archive, sample));
        }
    }
    const auto index = directory.path() + "/index.sqlite";
    expect_no_scans(index);
    // A rebuilt index has statistics.
    auto writer = IndexWriter::open(index, IndexWriter::Purpose::serve);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->optimize());
    expect_no_scans(index);
}

/// Which of two keys a search begins with is seen by whose table it looks into.
TEST(Plans, BeginWithTheKeyThatFindsLess) {
    const auto name = key(tags::PatientName, Vr::PN, "smith*");
    const auto days = key(tags::StudyDate, Vr::DA, "20240301-20240307");
    const auto day = key(tags::StudyDate, Vr::DA, "20240301");
    struct Case {
        dicom::MatchKey date;
        std::optional<std::int64_t> by_name, by_date;  // rows; nothing: counting failed
        std::string_view begins_with;
    };
    const std::vector<Case> cases{
        {days, 5, 900, "patient_key"},
        {days, 900, 5, "study_key"},
        {day, 5, 900, "patient_key"},
        {day, 900, 5, "study_key"},
        {days, 10'000, 10'000, "patient_key"},  // by their kind: neither is less than the most that is
                                                // counted
        {day, 10'000, 10'000, "study_key"},
        {days, {}, 900, "study_key"},
        {days, 900, {}, "patient_key"},
        {days, {}, {}, "patient_key"},
    };
    for (const auto& [date, by_name, by_date, begins_with] : cases) {
        Query query;
        query.level = Level::study;
        query.keys = {name, date};
        const auto count = [&](const CompiledQuery& rows) {
            return rows.sql.find("patient_key") != std::string::npos ? by_name : by_date;
        };
        const auto sql = compile(query, {}, count).sql;
        EXPECT_NE(sql.find(begins_with), std::string::npos) << sql;
        EXPECT_EQ(sql.find(begins_with == "study_key" ? "patient_key" : "study_key"), std::string::npos)
            << sql;
    }
}

TEST(Plans, LookUpTrigramsThatCoverAPattern) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"*ABC*", R"(("ABC"))"},
        {"*ABCD*", R"(("ABC" AND "BCD"))"},
        {"*ABCDEF*", R"(("ABC" AND "DEF"))"},
        {"*ABCDEFG", R"(("ABC" AND "DEF" AND "EFG"))"},
        {"*ABC?DEFGH*IJ", R"(("ABC" AND "DEF" AND "FGH"))"},
        {"*\u00c4\u00d6\u00dcX*", "(\"\u00c4\u00d6\u00dc\" AND \"\u00d6\u00dcX\")"},
        {"?A\"CD", R"x(("A""C" AND """CD"))x"},
    };
    for (const auto& [pattern, expected] : cases) {
        Query query;
        query.level = Level::study;
        query.keys = {key(tags::AccessionNumber, Vr::SH, pattern)};
        EXPECT_EQ(compile(query).values, std::vector{expected}) << pattern;
    }
}

/// Rows of names that begin so, not of those a pattern means; and no more than are asked for.
TEST(Plans, CountRowsOfAKey) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path());
        for (int n = 0; n < 120; ++n) {
            Sample sample;
            sample.patient_id = fmt::format("P{}", n);
            sample.patient_name = fmt::format("{}^Name{}", n < 100 ? "Smith" : "Rare", n);
            sample.study_uid = fmt::format("1.2.{}", n);
            sample.series_uid = fmt::format("1.2.{}.1", n);
            sample.sop_uid = fmt::format("1.2.{}.1.1", n);
            sample.study_date = n < 60 ? "20240301" : "20240401";
            ASSERT_TRUE(put(*archive, sample));
        }
    }
    auto reader = open_reader(directory.path() + "/index.sqlite");
    ASSERT_TRUE(reader);
    const auto counted = [&](const dicom::MatchKey& first, const dicom::MatchKey& second) {
        Query query;
        query.level = Level::study;
        query.keys = {first, second};
        std::vector<std::int64_t> all;
        (void)compile(query, {}, [&](const CompiledQuery& rows) {
            auto select = (*reader)->database->cached(rows.sql);
            EXPECT_TRUE(select) << rows.sql;
            const ResetAtEnd reset(**select);
            for (std::size_t i = 0; i < rows.values.size(); ++i)
                (*select)->bind(static_cast<int>(i) + 1, std::string_view(rows.values[i]));
            EXPECT_TRUE((*select)->step().value_or(false)) << rows.sql;
            all.push_back((*select)->integer(0));
            return std::optional(all.back());
        });
        return all;
    };
    using Counts = std::vector<std::int64_t>;
    const auto march = key(tags::StudyDate, Vr::DA, "20240301-20240331");
    const auto april = key(tags::StudyDate, Vr::DA, "20240401");
    EXPECT_EQ(counted(key(tags::PatientName, Vr::PN, "smith*"), march), (Counts{100, 60}));
    EXPECT_EQ(counted(key(tags::PatientName, Vr::PN, "smith^n*7"), march), (Counts{100, 60}));
    EXPECT_EQ(counted(key(tags::PatientName, Vr::PN, "rare*"), march), (Counts{20})) << "few enough";
    EXPECT_EQ(counted(key(tags::PatientName, Vr::PN, "smith*"), april), (Counts{60, 60}))
        << "no more than 60";
    EXPECT_EQ(counted(key(tags::PatientName, Vr::PN, "*mith*"), march), (Counts{100, 60}));
    EXPECT_EQ(counted(key(tags::PatientName, Vr::PN, "smith*\\rare*"), march), (Counts{120, 60}));
}

TEST(Plans, ScanWhenNoKeyHelps) {
    TemporaryDirectory directory;
    { auto archive = open_archive(directory.path()); }
    auto reader = open_reader(directory.path() + "/index.sqlite");
    ASSERT_TRUE(reader);
    Query query;
    query.keys = {key(tags::PatientName, Vr::PN, "*ja?e")};
    EXPECT_FALSE(scans(**reader, compile(query).sql).empty()) << "or the other test proves nothing";
}

}  // namespace
}  // namespace sagitta::storage::testing
