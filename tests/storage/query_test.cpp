// The index answers as dicom::matches would, key by key, and counts right.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <tuple>

#include "dicom/matching.h"
#include "storage/instance_index.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

std::vector<Sample> people() {
    std::vector<Sample> all;
    const std::vector<std::array<std::string, 6>> rows{
        // patient id, name, study date, accession, modality, study description
        {"P1", "Doe^Jane", "20240301", "A1", "CT", "CHEST 1"},
        {"P1", "Doe^Jane", "20240302", "A2", "MR", "Head*"},
        {"P2", "DOERING^Max", "20231231", "A3", "CT", "chest"},
        {"P3", "Yamada^Tarou=\xe5\xb1\xb1\xe7\x94\xb0^\xe5\xa4\xaa\xe9\x83\x8e", "", "", "US", ""},
        {"p3", "M\xc3\xbcller^J\xc3\xbcrgen", "2024.03.05", "A[1]", "PT", "ABDOMEN%_"},
        {"", "Nobody", "20240301", "A1", "CT", "CHEST 2"},
        {"P%", "O'Neil^\"X\"", "20240615", "a1", "CT", "CHEST\xc3\xa4"},
    };
    int n = 0;
    for (const auto& [id, name, date, accession, modality, description] : rows) {
        ++n;
        Sample sample;
        sample.patient_id = id;
        sample.patient_name = name;
        sample.study_date = date;
        sample.accession = accession;
        sample.modality = modality;
        sample.study_uid = fmt::format("1.2.{}", n);
        sample.series_uid = fmt::format("1.2.{}.1", n);
        sample.sop_uid = fmt::format("1.2.{}.1.1", n);
        sample.more[tags::StudyDescription] = {Vr::LO, description};
        sample.more[tags::SpecificCharacterSet] = {Vr::CS, "ISO_IR 192"};
        sample.more[tags::StudyTime] = {Vr::TM, fmt::format("1{}30", n)};
        sample.more[tags::InstanceNumber] = {Vr::IS, fmt::format("{:02}", n)};
        all.push_back(sample);
    }
    return all;
}

dicom::MatchKey key(dicom::Tag tag, Vr vr, std::string_view value) {
    auto parsed = dicom::parse_match_key(tag, vr, value);
    EXPECT_TRUE(parsed) << value;
    return parsed ? *parsed : dicom::MatchKey{tag, vr, dicom::MatchKind::universal, {}};
}

std::set<std::string> studies(const InstanceIndex& index, std::vector<dicom::MatchKey> keys,
                              Level level = Level::study) {
    Query query;
    query.level = level;
    query.keys = std::move(keys);
    std::set<std::string> uids;
    auto done = index.find(query, [&](const Match& match) {
        uids.emplace(match.value(tags::StudyInstanceUID));
        return true;
    });
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    return uids;
}

class Queries : public ::testing::Test {
protected:
    void SetUp() override {
        archive_ = open_archive(directory_.path());
        for (const auto& sample : people()) ASSERT_TRUE(put(*archive_, sample));
    }
    const InstanceIndex& index() const { return archive_->index(); }

    TemporaryDirectory directory_;
    std::unique_ptr<Archive> archive_;
};

TEST_F(Queries, AgreeWithTheMatcherKeyByKey) {
    const std::vector<std::tuple<dicom::Tag, Vr, std::vector<std::string>>> table{
        {tags::PatientID, Vr::LO, {"P1", "p1", "P*", "P?", "*", "", "P%", "?3", "P1\\P2", "*1", "nothing"}},
        {tags::PatientName, Vr::PN, {"doe^jane",       "DOE*",
                                     "Doe^*",          "doe",
                                     "D?E*",           "*jane",
                                     "muller*",        "M\xc3\xbcLLER^*",
                                     "yamada^tarou",   "\xe5\xb1\xb1\xe7\x94\xb0*",
                                     "*\xe5\xa4\xaa*", "O'NEIL*",
                                     "o'neil^\"x\"",   "nobody\\doe^jane",
                                     "?oe*",           "z*",
                                     "*oe^j*",         "*ERING*\\*jan*",
                                     "*\xc3\xbcrg*",   "*urgen",
                                     "*'n?il*",        "d*x\"*",
                                     "*\"x\"",         "*\xe5\xb1\xb1\xe7\x94\xb0^\xe5\xa4\xaa*",
                                     "*tarou",         "*nob*^*"}},
        {tags::StudyDate,
         Vr::DA,
         {"20240301", "20240301-20240310", "-20231231", "20240101-", "20240305", "20240301\\20231231"}},
        {tags::StudyTime, Vr::TM, {"1130", "11", "1130-1330", "-12", "14-"}},
        {tags::AccessionNumber, Vr::SH, {"A1", "a1", "A*", "A[1]", "A?", "*1*", "A1\\A3"}},
        {tags::StudyDescription, Vr::LO, {"CHEST*", "*chest*", "Head*", "*%_", "CHEST ?", "CHEST?", "*"}},
        {tags::StudyInstanceUID, Vr::UI, {"1.2.3", "1.2.3\\1.2.5\\9.9", "9.9"}},
        {tags::Modality, Vr::CS, {"CT", "C*", "CT\\MR", "ct", "??"}},
        {tags::InstanceNumber, Vr::IS, {"1", "01", "7", "99"}},
        {tags::SOPInstanceUID, Vr::UI, {"1.2.3.1.1", "1.2.3.1.1\\1.2.1.1.1"}},
    };
    for (const auto& [tag, vr, values] : table) {
        for (const auto& value : values) {
            SCOPED_TRACE(fmt::format("{} = {}", dicom::to_string(tag), value));
            const auto asked = key(tag, vr, value);
            std::set<std::string> expected;
            for (const auto& sample : people()) {
                const auto record = incoming(sample).record;
                if (dicom::matches(asked, record.value(tag))) expected.insert(sample.study_uid);
            }
            EXPECT_EQ(studies(index(), {asked}, Level::image), expected);
            Query query;
            query.level = Level::image;
            query.keys = {asked};
            EXPECT_TRUE(index().unindexed(query).empty());
        }
    }
}

TEST_F(Queries, CombineKeysAndStopAtTheLimit) {
    EXPECT_EQ(
        studies(index(), {key(tags::PatientID, Vr::LO, "P1"), key(tags::StudyDate, Vr::DA, "20240302-")}),
        std::set<std::string>{"1.2.2"});
    EXPECT_EQ(studies(index(), {key(tags::ModalitiesInStudy, Vr::CS, "PT\\US")}),
              (std::set<std::string>{"1.2.4", "1.2.5"}));
    Query query;
    query.limit = 2;
    auto summary = index().find(query, [](const Match&) { return true; });
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->matches, 2u);
    EXPECT_TRUE(summary->limit_reached);
}

TEST_F(Queries, LeaveWhatIsNoColumnToTheCaller) {
    Query query;
    query.level = Level::study;
    query.keys = {key(tags::PatientID, Vr::LO, "P1"), key(tags::Modality, Vr::CS, "CT"),
                  key(tags::OperatorsName, Vr::PN, "X*"), key(tags::PatientComments, Vr::LT, "")};
    const auto left = index().unindexed(query);
    ASSERT_EQ(left.size(), 2u);
    EXPECT_EQ(left[0].tag, tags::Modality) << "belongs to a level below";
    EXPECT_EQ(left[1].tag, tags::OperatorsName);
}

TEST_F(Queries, CountSeriesAndInstances) {
    Sample more = people()[0];
    for (int n = 0; n < 3; ++n) {
        more.series_uid = fmt::format("1.2.1.{}", 2 + n / 2);
        more.sop_uid = fmt::format("1.2.1.9.{}", n);
        more.modality = n < 2 ? "SR" : "CT";
        more.sop_class = "1.2.840.10008.5.1.4.1.1.88.11";
        ASSERT_TRUE(put(*archive_, more));
    }
    Query query;
    query.keys = {key(tags::StudyInstanceUID, Vr::UI, "1.2.1")};
    query.want_instance = true;
    int seen = 0;
    auto done = index().find(query, [&](const Match& match) {
        ++seen;
        EXPECT_EQ(match.value(tags::NumberOfStudyRelatedSeries), "3");
        EXPECT_EQ(match.value(tags::NumberOfStudyRelatedInstances), "4");
        EXPECT_EQ(match.value(tags::NumberOfPatientRelatedStudies), "2");
        EXPECT_EQ(match.value(tags::NumberOfPatientRelatedSeries), "4");
        EXPECT_EQ(match.value(tags::NumberOfPatientRelatedInstances), "5");
        EXPECT_EQ(match.value(tags::ModalitiesInStudy), "CT\\SR");
        EXPECT_EQ(match.value(tags::SOPClassesInStudy),
                  "1.2.840.10008.5.1.4.1.1.2\\1.2.840.10008.5.1.4.1.1.88.11");
        EXPECT_NE(match.instance, nullptr);
        return true;
    });
    ASSERT_TRUE(done);
    EXPECT_EQ(seen, 1);
}

TEST_F(Queries, LocateWhatIsToBeRetrieved) {
    Scope scope;
    EXPECT_TRUE(index().locate(scope)->empty());
    scope.patient_ids = {"P1"};
    EXPECT_EQ(index().locate(scope)->size(), 2u);
    scope.study_instance_uids = {"1.2.2", "1.2.3"};
    const auto found = index().locate(scope);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ((*found)[0].sop_instance_uid.view(), "1.2.2.1.1");
    EXPECT_EQ((*found)[0].transfer_syntax_uid, "1.2.840.10008.1.2.1");
}

TEST(Record, NamesTheTagThatIsMissing) {
    Sample sample;
    auto data_set = data_set_of(sample);
    data_set.erase(tags::StudyInstanceUID);
    auto record = extract_record(data_set, {"1.2.840.10008.1.2.1", 0, {}});
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code, Errc::malformed);
    EXPECT_NE(record.error().context.find("(0020,000d)"), std::string::npos);
}

}  // namespace
}  // namespace sagitta::storage::testing
