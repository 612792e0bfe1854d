// What a rebuild does in another way than storing does comes to the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/log.h"
#include "storage/digest.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "storage/sqlite_database.h"
#include "storage/volume_scanner.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

/// Tables, indices and triggers, but for what the statistics of a rebuild are kept in.
std::vector<std::string> schema_of(const std::string& data_dir) {
    auto database = Database::open(data_dir + "/index.sqlite", Database::Use::read);
    EXPECT_TRUE(database);
    auto select = (*database)->cached(
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE "
        "'sqlite_stat%' ORDER BY 1");
    EXPECT_TRUE(select);
    const ResetAtEnd reset(**select);
    std::vector<std::string> all;
    for (auto row = (*select)->step(); row && *row; row = (*select)->step())
        all.emplace_back((*select)->text(0));
    auto check = (*database)->text("PRAGMA integrity_check");
    EXPECT_TRUE(check);
    EXPECT_EQ(*check, "ok");
    return all;
}

Sample numbered(int n, const std::string& content = "pixels") {
    Sample sample;
    sample.patient_id = fmt::format("P{}", n / 8);
    sample.study_uid = fmt::format("1.2.{}", n / 8);
    sample.series_uid = fmt::format("1.2.{}.{}", n / 8, n / 4);
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = content;
    return sample;
}

class Rebuild : public ::testing::Test {
protected:
    void SetUp() override {
        log::set_level(log::Level::off);
        ArchiveOptions options;
        options.on_conflict = OnConflict::replace;
        archive_ = open_archive(directory_.path(), options);
        for (int n = 0; n < 40; ++n) ASSERT_TRUE(put(*archive_, numbered(n)));
    }
    void TearDown() override { log::set_level(log::Level::info); }

    void expect_same_when_rebuilt() {
        const auto lines = everything(archive_->index());
        archive_.reset();
        const auto schema = schema_of(directory_.path());
        EXPECT_NE(
            std::find_if(schema.begin(), schema.end(),
                         [](const auto& line) { return line.starts_with("index instance_place CREATE"); }),
            schema.end())
            << "or the comparison proves nothing";
        ASSERT_TRUE(reindex(directory_.path(), {}));
        EXPECT_EQ(schema_of(directory_.path()), schema);
        EXPECT_EQ(everything(open_archive(directory_.path())->index()), lines);
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Archive> archive_;
};

TEST_F(Rebuild, GivesAllIndices) {
    expect_same_when_rebuilt();
}

TEST_F(Rebuild, GivesAllIndicesWhenOneIsNeededOnTheWay) {
    for (int n = 0; n < 40; n += 3) ASSERT_TRUE(put(*archive_, numbered(n, "another")));
    for (int n = 40; n < 60; ++n) ASSERT_TRUE(put(*archive_, numbered(n)));
    expect_same_when_rebuilt();
}

TEST_F(Rebuild, GivesAllIndicesWhereSomethingWasDeleted) {
    Scope scope;
    scope.study_instance_uids.push_back(numbered(9).study_uid);
    ASSERT_TRUE(archive_->keeper().remove(scope, {}));
    for (int n = 8; n < 60; ++n) ASSERT_TRUE(put(*archive_, numbered(n)));
    expect_same_when_rebuilt();
}

/// Members around the sizes at which reading changes, in several orders, and what each begins with.
TEST(VolumeScanner, GivesMembersOfAllSizesInAnyOrder) {
    TemporaryDirectory directory;
    const std::string path = directory.path() + "/volume";
    std::vector<std::string> contents;
    for (const std::size_t size :
         std::initializer_list<std::size_t>{0, 1, 511, 512, 513, 10'000, 65'024, 65'535, 65'536, 65'537,
                                            262'143, 262'144, 1'048'575, 1'048'576, 1'048'577, 2'500'000}) {
        for (const std::size_t next : {std::size_t{700}, size, std::size_t{70'000}}) {
            for (const auto length : {size, next}) {
                std::string content(length, '\0');
                for (std::size_t at = 0; at < length; ++at)
                    content[at] = static_cast<char>((at * 131 + contents.size() * 17) >> (at % 5));
                contents.push_back(std::move(content));
            }
        }
    }
    {
        std::ofstream file(path, std::ios::binary);
        for (std::size_t n = 0; n < contents.size(); ++n) {
            TarMember member;
            member.directory = "1.2.3/1.2.3.4";
            member.name = fmt::format("1.2.3.4.{}.dcm", n);
            member.size = contents[n].size();
            member.checksum = member_checksum({as_bytes(contents[n])});
            const auto header = make_tar_header(member);
            file.write(reinterpret_cast<const char*>(header.data()), kTarBlock);
            file << contents[n] << std::string(tar_padding(contents[n].size()), '\0');
        }
    }
    auto file = real_file_system().open(path, OpenMode::read);
    ASSERT_TRUE(file);
    const auto length = (*file)->size();
    ASSERT_TRUE(length);
    for (const std::size_t piece :
         {std::size_t{1000}, std::size_t{100'000}, VolumeScanner::Options{}.piece_bytes}) {
        VolumeScanner::Options options;
        options.piece_bytes = piece;
        VolumeScanner scanner(**file, 0, *length, options);
        for (const auto& content : contents) {
            auto found = scanner.next();
            ASSERT_TRUE(found && *found);
            ASSERT_EQ((*found)->kind, ScannedMember::Kind::instance) << (*found)->reason << content.size();
            ASSERT_EQ((*found)->member.size, content.size());
            ASSERT_EQ(as_text(scanner.head()), std::string_view(content).substr(0, piece));
        }
        auto end = scanner.next();
        ASSERT_TRUE(end);
        EXPECT_FALSE(*end);
    }
}

}  // namespace
}  // namespace sagitta::storage::testing
