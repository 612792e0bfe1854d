// The index answers every key of the shared table as dicom::matches does, in every column.
#include "tests/dicom/matching_cases.h"

#include <gtest/gtest.h>

#include <set>

#include "dicom/matching.h"
#include "storage/instance_index.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using test::Expect;
using test::kMatchCases;

/// As a data set holds it.
std::string encoded(Vr vr, std::string_view value) {
    if (vr != Vr::US) return std::string(value);
    const auto number = std::stoi(std::string(value));
    return {static_cast<char>(number & 0xff), static_cast<char>(number >> 8)};
}

/// One column with all values of its VR in the table: the n-th in an instance, a series, a study
/// and a patient of its own, so that it is found alone at each level.
class Column {
public:
    explicit Column(const IndexColumn& column) : column_(column), archive_(open_archive(directory_.path())) {}

    void store(std::string_view value) {
        if (stored_.contains(std::string(value)) || (column_.vr == Vr::UI && !is_plain_uid(value))) return;
        const auto n = stored_.size();
        Sample sample;
        sample.patient_id = fmt::format("P{}", n);
        sample.study_uid = fmt::format("2.1.{}", n);
        sample.series_uid = fmt::format("2.2.{}", n);
        sample.sop_uid = fmt::format("2.3.{}", n);
        sample.more[tags::IssuerOfPatientID] = {Vr::LO, fmt::format("I{}", n)};
        sample.more[tags::SpecificCharacterSet] = {Vr::CS, "ISO_IR 192"};
        if (column_.tag == tags::StudyInstanceUID) sample.study_uid = value;
        if (column_.tag == tags::SeriesInstanceUID) sample.series_uid = value;
        if (column_.tag == tags::SOPInstanceUID) sample.sop_uid = value;
        if (column_.tag == tags::SOPClassUID) sample.sop_class = value;
        if (column_.vr != Vr::UI) sample.more[column_.tag] = {column_.vr, encoded(column_.vr, value)};
        ASSERT_TRUE(archive_->submit(incoming(sample), answers_.expect(n)));
        stored_.emplace(value, sample.sop_uid);
    }

    void wait() {
        for (const auto& [n, outcome] : answers_.wait()) {
            ASSERT_TRUE(outcome) << outcome.error().message();
            ASSERT_EQ(*outcome, IngestOutcome::stored);
        }
    }

    std::set<std::string> found(const dicom::MatchKey& key, Level level) const {
        Query query;
        query.level = level;
        query.keys = {key};
        query.want_instance = true;
        EXPECT_TRUE(archive_->index().unindexed(query).empty());
        std::set<std::string> uids;
        auto done = archive_->index().find(query, [&](const Match& match) {
            uids.insert(match.instance->sop_instance_uid.str());
            return true;
        });
        EXPECT_TRUE(done) << (done ? "" : done.error().message());
        return uids;
    }

    const std::map<std::string, std::string>& stored() const { return stored_; }  ///< value to SOP UID

private:
    /// One UID, spelled plainly: others make no instance of their own.
    static bool is_plain_uid(std::string_view value) {
        const auto uid = dicom::Uid::parse(value);
        return uid && !uid->empty() && uid->view() == value;
    }

    const IndexColumn& column_;
    TemporaryDirectory directory_;
    Answers answers_;
    std::unique_ptr<Archive> archive_;
    std::map<std::string, std::string> stored_;
};

class EveryColumn : public ::testing::TestWithParam<std::size_t> {
protected:
    static void answers(std::span<const test::MatchCase> table, const dicom::MatchOptions& options);
};

void EveryColumn::answers(std::span<const test::MatchCase> table, const dicom::MatchOptions& options) {
    const auto& column = index_columns()[GetParam()];
    Column index(column);
    for (const auto& row : table) {
        if (row.vr == column.vr) index.store(row.stored);
    }
    index.wait();
    for (const auto& row : table) {
        if (row.vr != column.vr) continue;
        SCOPED_TRACE(
            fmt::format("{} {} = [{}] of [{}]", column.name, dicom::to_string(row.vr), row.key, row.stored));
        const auto key = dicom::parse_match_key(column.tag, column.vr, row.key, options);
        ASSERT_EQ(key.has_value(), row.expect != Expect::invalid);
        if (!key) continue;
        std::set<std::string> expected;
        for (const auto& [value, uid] : index.stored()) {
            if (dicom::matches(*key, value)) expected.insert(uid);
        }
        for (auto level = column.level; level <= Level::image;
             level = static_cast<Level>(static_cast<int>(level) + 1)) {
            EXPECT_EQ(index.found(*key, level), expected) << "at level " << static_cast<int>(level);
        }
        const auto own = index.stored().find(std::string(row.stored));
        if (own != index.stored().end()) {
            EXPECT_EQ(expected.contains(own->second), row.expect == Expect::match);
        } else {
            EXPECT_EQ(column.vr, Vr::UI) << "not stored";
        }
    }
}

TEST_P(EveryColumn, AnswersTheSharedTable) {
    answers(kMatchCases, {});
}

TEST_P(EveryColumn, AnswersTheTableOfExtensions) {
    answers(test::kExtendedCases, {false, true, true});
}

INSTANTIATE_TEST_SUITE_P(Of, EveryColumn, ::testing::Range(std::size_t{0}, index_columns().size()),
                         [](const auto& instance) {
                             const auto& column = index_columns()[instance.param];
                             return fmt::format("{}_{}", column.name, static_cast<int>(column.level));
                         });

/// The row's values, each by an instance of one study: what ModalitiesInStudy (CS) and
/// SOPClassesInStudy (UI) are made of.
bool found_in_study(const test::MatchCase& row, const dicom::MatchKey& key) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    std::string_view rest = row.stored;
    for (int n = 0; !rest.empty(); ++n) {
        Sample sample;
        sample.series_uid = fmt::format("2.2.{}", n);
        sample.sop_uid = fmt::format("2.3.{}", n);
        std::string value(rest.substr(0, rest.find('\\')));
        rest.remove_prefix(std::min(value.size() + 1, rest.size()));
        if (row.vr == Vr::UI) sample.sop_class = dicom::Uid::parse(value)->str();
        if (row.vr == Vr::CS) sample.modality = value;
        EXPECT_TRUE(put(*archive, sample));
    }
    Query query;
    query.keys = {key};
    std::uint64_t matches = 0;
    auto done = archive->index().find(query, [&](const Match&) { return ++matches != 0; });
    EXPECT_TRUE(done);
    return matches == 1;
}

TEST(StudyColumns, OfSeveralValuesAnswerTheSharedTable) {
    for (const auto& row : kMatchCases) {
        if ((row.vr != Vr::UI && row.vr != Vr::CS) || row.expect == Expect::invalid || row.stored.empty()) {
            continue;
        }
        SCOPED_TRACE(fmt::format("{} = [{}] of [{}]", dicom::to_string(row.vr), row.key, row.stored));
        const auto tag = row.vr == Vr::UI ? tags::SOPClassesInStudy : tags::ModalitiesInStudy;
        const auto key = dicom::parse_match_key(tag, row.vr, row.key);
        ASSERT_TRUE(key);
        EXPECT_EQ(found_in_study(row, *key), row.expect == Expect::match);
    }
}

TEST(DatesWithTimes, AnswerTheSharedTable) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    std::size_t n = 0;
    for (const auto& row : test::kDateTimeCases) {
        Sample sample;
        sample.study_uid = fmt::format("2.1.{}", n);
        sample.series_uid = fmt::format("2.2.{}", n);
        sample.sop_uid = fmt::format("2.3.{}", n++);
        sample.study_date = row.date;
        sample.more[tags::StudyTime] = {Vr::TM, std::string(row.time)};
        sample.more[tags::SeriesDate] = {Vr::DA, std::string(row.date)};
        sample.more[tags::SeriesTime] = {Vr::TM, std::string(row.time)};
        ASSERT_TRUE(put(*archive, sample));
    }
    for (const auto& asked : test::kDateTimeCases) {
        for (const auto& [date, time] :
             {std::pair(tags::StudyDate, tags::StudyTime), std::pair(tags::SeriesDate, tags::SeriesTime)}) {
            SCOPED_TRACE(fmt::format("{} {}", asked.date_key, asked.time_key));
            Query query;
            query.level = Level::image;
            query.date_times.push_back(
                *dicom::combine(*dicom::parse_match_key(date, Vr::DA, asked.date_key),
                                *dicom::parse_match_key(time, Vr::TM, asked.time_key)));
            std::set<std::string> uids;
            ASSERT_TRUE(archive->index().find(query, [&](const Match& match) {
                uids.emplace(match.value(tags::SOPInstanceUID));
                return true;
            }));
            std::set<std::string> expected;
            n = 0;
            for (const auto& row : test::kDateTimeCases) {
                const auto uid = fmt::format("2.3.{}", n++);
                if (query.date_times[0].matches(row.date, row.time)) expected.insert(uid);
                if (&row == &asked) {
                    EXPECT_EQ(uids.contains(uid), row.matches);
                }
            }
            EXPECT_EQ(uids, expected);
        }
    }
}

class Patients : public ::testing::Test {
protected:
    std::string add(std::string patient_id, std::string name, std::string characters = "") {
        Sample sample;
        sample.more[tags::SpecificCharacterSet] = {Vr::CS, std::move(characters)};
        sample.patient_id = std::move(patient_id);
        sample.patient_name = std::move(name);
        sample.study_uid = fmt::format("1.2.{}", ++count_);
        sample.series_uid = sample.study_uid + ".1";
        sample.sop_uid = sample.series_uid + ".1";
        EXPECT_TRUE(put(*archive_, sample));
        return sample.sop_uid;
    }
    std::set<std::string> find(dicom::Tag tag, Vr vr, std::string_view value) {
        Query query;
        query.level = Level::image;
        query.keys = {*dicom::parse_match_key(tag, vr, value)};
        std::set<std::string> uids;
        EXPECT_TRUE(archive_->index().find(query, [&](const Match& match) {
            uids.emplace(match.value(tags::SOPInstanceUID));
            return true;
        }));
        return uids;
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Archive> archive_ = open_archive(directory_.path());
    int count_ = 0;
};

TEST_F(Patients, AreFoundByWholeValuesHoweverLong) {
    const auto a = add(std::string(1500, 'x') + "a", "A");
    const auto b = add(std::string(1500, 'x') + "b", "B");
    const auto cut = add(std::string(1024, 'x'), "C");
    const auto huge = add(std::string(40'000, '\xfc'), "D", "ISO_IR 100");  // twice as long in UTF-8
    using Set = std::set<std::string>;
    EXPECT_EQ(find(tags::PatientID, Vr::LO, std::string(1500, 'x') + "a"), Set{a});
    EXPECT_EQ(find(tags::PatientID, Vr::LO, std::string(1024, 'x')), Set{cut});
    EXPECT_EQ(find(tags::PatientID, Vr::LO, "xx*b"), Set{b});
    EXPECT_EQ(find(tags::PatientID, Vr::LO, "x*x"), Set{cut});
    EXPECT_EQ(find(tags::PatientID, Vr::LO, "*\xc3\xbc*"), Set{}) << "beyond 64 KiB: as if absent";
    EXPECT_EQ(find(tags::PatientID, Vr::LO, ""), (Set{a, b, cut, huge}));
}

TEST_F(Patients, AreFoundByListsAndManyPatterns) {
    const auto a = add("A1", "Doe^John");
    const auto b = add("B1", "Roe^Jane");
    const auto z = add("Z1", "Zed");
    using Set = std::set<std::string>;
    EXPECT_EQ(find(tags::PatientID, Vr::LO, "A*\\?1"), (Set{a, b, z}));
    EXPECT_EQ(find(tags::PatientID, Vr::LO, "A*\\Z1"), (Set{a, z}));
    EXPECT_EQ(find(tags::PatientName, Vr::PN, "doe^*\\zed*"), (Set{a, z}));
    std::string many = "A?";
    for (int n = 0; n < 40; ++n) many += fmt::format("\\C{}*", n);
    EXPECT_EQ(find(tags::PatientID, Vr::LO, many + "\\Z*"), (Set{a, z}));
    std::string list = "B1";
    for (int n = 0; n < 5000; ++n) list += fmt::format("\\X{}", n);
    EXPECT_EQ(find(tags::PatientID, Vr::LO, list), Set{b});
    EXPECT_EQ(find(tags::PatientID, Vr::LO, std::string_view("A1\0x\\Z1", 7)), Set{z})
        << "a NUL ends nothing";
}

TEST_F(Patients, AreJudgedByTheVrOfTheKey) {
    const auto doe = add("A1", "Doe^John");
    EXPECT_EQ(find(tags::PatientName, Vr::LO, "doe^john"), std::set<std::string>{});
    EXPECT_EQ(find(tags::PatientName, Vr::LO, "Doe^John"), std::set<std::string>{doe});
}

}  // namespace
}  // namespace sagitta::storage::testing
