// Attributes somebody chose to index: the same answers as without, found by fewer rows.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/log.h"
#include "dicom/dictionary.h"
#include "dicom/matching.h"
#include "storage/attribute_indexer.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "storage/sqlite_database.h"
#include "storage/sqlite_query.h"
#include "storage/sqlite_reader.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

const std::vector<dicom::Tag> kChosen{tags::StationName, tags::AcquisitionDate, tags::OperatorsName,
                                      tags::KVP};

Sample numbered(int n) {
    Sample sample;
    sample.patient_id = fmt::format("P{}", n / 8);
    sample.study_uid = fmt::format("1.2.{}", n / 4);
    sample.series_uid = fmt::format("1.2.{}.{}", n / 4, n / 2 % 2);
    sample.sop_uid = fmt::format("1.2.{}.{}.{}", n / 4, n / 2 % 2, n);
    sample.more[tags::StationName] = {Vr::SH, fmt::format("ROOM{}", n % 5)};
    sample.more[tags::AcquisitionDate] = {Vr::DA, fmt::format("202401{:02}", 1 + n % 20)};
    sample.more[tags::OperatorsName] = {Vr::PN, n % 3 == 0 ? "Doe^Jane\\Roe^Max" : "M\xc3\xbcller^Eva"};
    sample.more[tags::SpecificCharacterSet] = {Vr::CS, "ISO_IR 192"};
    sample.more[tags::KVP] = {Vr::DS, n % 2 == 0 ? "120.0" : "80"};
    return sample;
}

ArchiveOptions choosing(std::vector<dicom::Tag> tags) {
    ArchiveOptions options;
    options.indexed_attributes = std::move(tags);
    return options;
}

std::int64_t number(const std::string& data_dir, const std::string& sql) {
    auto database = Database::open(data_dir + "/index.sqlite", Database::Use::read);
    EXPECT_TRUE(database);
    return database ? (*database)->integer(sql).value_or(-1) : -1;
}

/// Waits until `sql` answers `value`: the indexer works beside the archive.
void wait_until(const std::string& data_dir, const std::string& sql, std::int64_t value) {
    for (int n = 0; n < 3000; ++n) {
        if (number(data_dir, sql) == value) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL() << "never " << value << ": " << sql;
}

void wait_until_covered(const std::string& data_dir) {
    wait_until(data_dir,
               "SELECT count(*) > 0 AND min(covered_to) >= (SELECT coalesce(max(id), 0) FROM instance) FROM "
               "attribute_index",
               1);
}

/// UIDs of instances whose series or whatever `level` has may match; unindexed keys are not judged here.
std::multiset<std::string> found(const InstanceIndex& index, Level level, dicom::Tag tag,
                                 std::string_view value) {
    Query query;
    query.level = level;
    query.keys = {*dicom::parse_match_key(tag, dicom::find_tag(tag)->vr, value)};
    std::multiset<std::string> uids;
    auto done = index.find(query, [&](const Match& match) {
        uids.emplace(level == Level::study    ? match.value(tags::StudyInstanceUID)
                     : level == Level::series ? match.value(tags::SeriesInstanceUID)
                     : level == Level::image  ? match.value(tags::SOPInstanceUID)
                                              : match.value(tags::PatientID));
        return true;
    });
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    return uids;
}

/// What any correct narrowing must hold: the entities with an instance that matches.
std::set<std::string> expected(int count, Level level, dicom::Tag tag, std::string_view value) {
    const auto key = *dicom::parse_match_key(tag, dicom::find_tag(tag)->vr, value);
    std::set<std::string> uids;
    for (int n = 0; n < count; ++n) {
        const auto sample = numbered(n);
        if (!dicom::matches(key, sample.more.at(tag).second)) continue;
        uids.insert(level == Level::study    ? sample.study_uid
                    : level == Level::series ? sample.series_uid
                    : level == Level::image  ? sample.sop_uid
                                             : sample.patient_id);
    }
    return uids;
}

void expect_everything_found(const Archive& archive, int count, bool narrowed) {
    const std::vector<std::pair<dicom::Tag, std::vector<std::string>>> table{
        {tags::AcquisitionDate,
         {"20240103", "20240103-20240105", "-20240102", "20240104\\20240109", "20250101"}},
        {tags::OperatorsName, {"doe^jane", "roe*", "MULLER*", "r?e^*", "nobody"}},
        {tags::KVP, {"120", "80.0", "100"}},
    };
    for (const auto level : {Level::patient, Level::study, Level::series, Level::image}) {
        for (const auto& [tag, values] : table) {
            for (const auto& value : values) {
                SCOPED_TRACE(fmt::format("{} = {} at level {}", dicom::to_string(tag), value,
                                         static_cast<int>(level)));
                const auto answers = found(archive.index(), level, tag, value);
                const auto wanted = expected(count, level, tag, value);
                for (const auto& uid : wanted) EXPECT_EQ(answers.count(uid), 1u) << uid;
                if (wanted.empty() && narrowed) {
                    EXPECT_TRUE(answers.empty());
                }
            }
        }
    }
}

TEST(AttributeIndex, FindsWhatTheMatcherWould) {
    TemporaryDirectory directory;
    constexpr int kCount = 64;
    {
        // What is stored before anybody chose is read afterwards, what comes later too.
        auto archive = open_archive(directory.path());
        for (int n = 0; n < kCount / 2; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    }
    auto archive = open_archive(directory.path(), choosing(kChosen));
    for (int n = kCount / 2; n < kCount; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    expect_everything_found(*archive, kCount, false);
    wait_until_covered(directory.path());
    expect_everything_found(*archive, kCount, true);
    // Far fewer than all, where few have it: one image in five.
    EXPECT_EQ(found(archive->index(), Level::image, tags::AcquisitionDate, "20240103").size(), 8u);
    EXPECT_EQ(
        found(archive->index(), Level::series, tags::StationName, "ROOM0").size(),
        expected(kCount, Level::series, tags::StationName, "ROOM0").size() - [&] {
            std::size_t second = 0;  // the column holds the first instance's
            for (int n = 1; n < kCount; n += 2) second += n % 5 == 0 && (n - 1) % 5 != 0 ? 1u : 0u;
            return second;
        }());
}

TEST(AttributeIndex, FindsWhatIsNotReadYet) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path(), choosing(kChosen));
        for (int n = 0; n < 8; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        wait_until_covered(directory.path());
    }
    // Nobody reads: as while a great archive is being read for the first time.
    auto archive = open_archive(directory.path());
    for (int n = 8; n < 16; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    expect_everything_found(*archive, 16, false);
    EXPECT_EQ(found(archive->index(), Level::study, tags::KVP, "1").size(), 2u) << "all that nobody has read";
}

TEST(AttributeIndex, FollowsTheChoice) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path(), choosing(kChosen));
        for (int n = 0; n < 16; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        wait_until_covered(directory.path());
    }
    {
        auto archive = open_archive(directory.path(), choosing({tags::KVP, tags::ExposureTime}));
        wait_until(directory.path(), "SELECT count(*) FROM attribute_index", 2);
        wait_until_covered(directory.path());
        expect_everything_found(*archive, 16, false);
        EXPECT_TRUE(found(archive->index(), Level::image, tags::ExposureTime, "7").empty());
        wait_until(directory.path(), "SELECT count(DISTINCT attribute) FROM series_key", 1);
    }
    auto archive = open_archive(directory.path(), choosing({}));
    wait_until(directory.path(), "SELECT count(*) FROM attribute_index", 0);
    wait_until(directory.path(), "SELECT count(*) FROM series_key", 0);
}

TEST(AttributeIndex, IsRightAfterDeletionAndReuseOfIds) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path(), choosing(kChosen));
        for (int n = 0; n < 12; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        wait_until_covered(directory.path());
    }
    // Nobody reads now; the last ones go, and others get their ids.
    auto archive = open_archive(directory.path());
    Scope scope;
    for (int n = 6; n < 12; ++n) scope.sop_instance_uids.push_back(numbered(n).sop_uid);
    ASSERT_TRUE(archive->keeper().remove(scope, {}));
    EXPECT_EQ(number(directory.path(), "SELECT min(covered_to) FROM attribute_index"),
              number(directory.path(), "SELECT max(id) FROM instance"));
    EXPECT_EQ(number(directory.path(),
                     "SELECT count(*) FROM series_key WHERE series NOT IN (SELECT id FROM series)"),
              0);
    for (int n = 6; n < 16; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    expect_everything_found(*archive, 16, false);
}

TEST(AttributeIndex, ReadsNoTableWhole) {
    TemporaryDirectory directory;
    { auto archive = open_archive(directory.path()); }
    auto reader = open_reader(directory.path() + "/index.sqlite");
    ASSERT_TRUE(reader);
    for (const auto level : {Level::patient, Level::study, Level::series, Level::image}) {
        for (const char* value : {"ROOM1", "ROOM1\\ROOM2", "ROOM*", "R?OM*"}) {
            Query query;
            query.level = level;
            query.want_instance = true;
            query.keys = {*dicom::parse_match_key(tags::StationName, Vr::SH, value)};
            const auto sql = compile(query, kChosen).sql;
            auto plan = (*reader)->database->cached("EXPLAIN QUERY PLAN " + sql);
            ASSERT_TRUE(plan) << plan.error().message() << sql;
            const ResetAtEnd reset(**plan);
            for (auto row = (*plan)->step(); row && *row; row = (*plan)->step()) {
                const std::string step((*plan)->text(3));
                EXPECT_FALSE(step.starts_with("SCAN") && step.find("VIRTUAL TABLE") == std::string::npos)
                    << step << ": " << sql;
            }
        }
    }
}

TEST(AttributeIndex, TakesShortTextAndNumbersOnly) {
    EXPECT_TRUE(can_be_indexed(tags::StationName));
    EXPECT_TRUE(can_be_indexed(tags::Rows));
    EXPECT_FALSE(can_be_indexed(tags::PixelData));
    EXPECT_FALSE(can_be_indexed(tags::ReferencedStudySequence));
    EXPECT_FALSE(can_be_indexed(tags::ImageComments));
    EXPECT_FALSE(can_be_indexed(tags::SmallestImagePixelValue));
    EXPECT_FALSE(can_be_indexed(dicom::Tag{0x00091001}));
    EXPECT_FALSE(can_be_indexed(tags::TransferSyntaxUID));
}

}  // namespace
}  // namespace sagitta::storage::testing
