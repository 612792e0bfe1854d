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
/// nor the one row of "SCAN CONSTANT ROW".
std::vector<std::string> scans(Reader& reader, const std::string& sql) {
    std::vector<std::string> found;
    auto plan = reader.database->cached("EXPLAIN QUERY PLAN " + sql);
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().message()) << sql;
    if (!plan) return found;
    const ResetAtEnd reset(**plan);
    std::size_t steps = 0;
    for (auto row = (*plan)->step(); row && *row; row = (*plan)->step(), ++steps) {
        const std::string step((*plan)->text(3));
        if (step.starts_with("SCAN") && step.find("VIRTUAL TABLE") == std::string::npos)
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
