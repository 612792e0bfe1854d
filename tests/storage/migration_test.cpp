// An index of each earlier version becomes one of this version, and says the same.
#include <gtest/gtest.h>

#include "core/log.h"
#include "dicom/matching.h"
#include "storage/change_feed.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "storage/sqlite_database.h"
#include "storage/sqlite_schema.h"
#include "tests/storage/sample.h"
#include "tests/storage/schema_2.h"

namespace sagitta::storage::testing {
namespace {

Sample numbered(int n, std::string_view content = "pixels") {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.series_uid = fmt::format("1.2.3.{}", n % 3);
    sample.content = content;
    return sample;
}

/// An archive with superseded members, closed.
void fill(const std::string& path) {
    ArchiveOptions options;
    options.on_conflict = OnConflict::replace;
    auto archive = open_archive(path, options);
    for (int n = 0; n < 12; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    ASSERT_TRUE(put(*archive, numbered(3, "other")));
    ASSERT_TRUE(put(*archive, numbered(3, "a third")));
}

/// Puts an index of an earlier schema version with the same rows in the place of the present one.
void make_version(const std::string& data_dir, int version) {
    const auto path = data_dir + "/index.sqlite";
    const auto old = data_dir + "/old.sqlite";
    {
        auto database = Database::open(old, Database::Use::bulk_load);
        ASSERT_TRUE(database);
        auto& db = **database;
        ASSERT_TRUE(db.execute(std::string(kSchema2)));
        ASSERT_TRUE(version < 3 || db.execute(std::string(kFrom2To3)));
        ASSERT_TRUE(version < 4 || db.execute(std::string(kFrom3To4)));
        ASSERT_TRUE(db.execute(fmt::format("ATTACH '{}' AS now", path)));
        for (const char* table :
             {"volume", "patient", "patient_key", "study", "study_key", "series", "instance", "superseded"}) {
            auto columns =
                db.text(fmt::format("SELECT group_concat(name) FROM main.pragma_table_info('{}')", table));
            ASSERT_TRUE(columns);
            auto copied = db.execute(
                fmt::format("INSERT INTO main.{0} ({1}) SELECT {1} FROM now.{0}", table, *columns));
            ASSERT_TRUE(copied) << table << ": " << copied.error().message();
        }
        ASSERT_TRUE(db.execute(fmt::format("DETACH now; PRAGMA user_version={}", version)));
    }
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    std::filesystem::rename(old, path);
}

std::string version_of(const std::string& data_dir) {
    auto database = Database::open(data_dir + "/index.sqlite", Database::Use::read);
    EXPECT_TRUE(database);
    return database ? (*database)->text("PRAGMA user_version").value_or("") : std::string();
}

std::uint64_t found_by(const InstanceIndex& index, dicom::Tag tag, Vr vr, std::string_view pattern) {
    Query query;
    query.level = Level::image;
    query.keys = {*dicom::parse_match_key(tag, vr, pattern)};
    auto summary = index.find(query, [](const Match&) { return true; });
    EXPECT_TRUE(summary) << summary.error().message();
    return summary ? summary->matches : 0;
}

class MigrationFrom : public ::testing::TestWithParam<int> {};

TEST_P(MigrationFrom, KeepsTheIndex) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    fill(directory.path());
    std::vector<std::string> before;
    {
        auto archive = open_archive(directory.path());
        before = everything(archive->index());
    }
    make_version(directory.path(), GetParam());
    ASSERT_EQ(version_of(directory.path()), fmt::format("{}", GetParam()));
    {
        auto archive = open_archive(directory.path());
        EXPECT_FALSE(archive->recovery().index_rebuilt);
        EXPECT_EQ(archive->recovery().instances_indexed, 0u);
        EXPECT_EQ(everything(archive->index()), before);
        EXPECT_EQ(found_by(archive->index(), tags::PatientName, Vr::PN, "*e^ja*"), 12u);
        EXPECT_EQ(found_by(archive->index(), tags::PatientName, Vr::PN, "*e^jo*"), 0u);
        auto events = archive->index().events(0, 100);
        ASSERT_TRUE(events);
        EXPECT_EQ(events->size(), 14u);
        ASSERT_TRUE(put(*archive, numbered(50)));
        Scope scope;
        scope.sop_instance_uids.push_back(numbered(3).sop_uid);
        EXPECT_EQ(archive->keeper().remove(scope, {})->bytes, [] {
            return file_bytes(numbered(3)).size() + file_bytes(numbered(3, "other")).size() +
                   file_bytes(numbered(3, "a third")).size();
        }());
    }
    EXPECT_EQ(version_of(directory.path()), fmt::format("{}", schema_version()));
    auto report = verify(directory.path(), [](std::string_view line) { ADD_FAILURE() << line; });
    EXPECT_TRUE(report);
    log::set_level(log::Level::info);
}

INSTANTIATE_TEST_SUITE_P(Versions, MigrationFrom, ::testing::Values(2, 3, 4));

TEST(Migration, MakesTheSchemaOfANewIndex) {
    TemporaryDirectory directory;
    auto tables_of = [&](const std::string& name, bool from_2) {
        auto database = Database::open(directory.path() + "/" + name, Database::Use::write);
        EXPECT_TRUE(database);
        if (from_2) {
            EXPECT_TRUE((*database)->execute(std::string(kSchema2) + "PRAGMA user_version=2"));
        }
        EXPECT_TRUE(migrate(**database));
        return (*database)
            ->text(
                "SELECT group_concat(name || ' ' || coalesce(sql, ''), ';') FROM (SELECT * FROM "
                "sqlite_schema "
                "ORDER BY name)")
            .value_or("");
    };
    const auto fresh = tables_of("fresh", false);
    EXPECT_NE(fresh, "");
    EXPECT_EQ(tables_of("migrated", true), fresh);
}

TEST(Migration, ThatFailsLeavesTheOldVersion) {
    TemporaryDirectory directory;
    auto database = Database::open(directory.path() + "/index", Database::Use::write);
    ASSERT_TRUE(database);
    // Something is in the way of the new index.
    ASSERT_TRUE((*database)->execute(std::string(kSchema2) +
                                     "CREATE TABLE instance_place (x); PRAGMA user_version=2"));
    EXPECT_FALSE(migrate(**database));
    EXPECT_EQ((*database)->text("PRAGMA user_version").value_or(""), "2");
    EXPECT_EQ((*database)->integer("SELECT count(*) FROM pragma_table_info('superseded')").value_or(0), 5);
    ASSERT_TRUE((*database)->execute("DROP TABLE instance_place"));
    EXPECT_TRUE(migrate(**database));
}

}  // namespace
}  // namespace sagitta::storage::testing
