// What purging gives back where no holes can be made.
#include "storage/compaction.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <limits>

#include "core/log.h"
#include "storage/change_feed.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "tests/storage/faulty_file_system.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using Fault = FaultyFileSystem::Fault;
constexpr auto kAll = std::numeric_limits<std::int64_t>::max();

Sample numbered(int n) {
    Sample sample;
    sample.study_uid = fmt::format("1.2.{}", n / 4);
    sample.series_uid = fmt::format("1.2.{}.1", n / 4);
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = std::string(100'000, static_cast<char>('a' + n % 26));
    return sample;
}

Scope study(int n) {
    Scope scope;
    scope.study_instance_uids.push_back(fmt::format("1.2.{}", n));
    return scope;
}

class Compaction : public ::testing::Test {
protected:
    void SetUp() override {
        log::set_level(log::Level::off);
        files_.punches(false);
        open();
        for (int n = 0; n < 24; ++n) ASSERT_TRUE(put(*archive_, numbered(n)));
        ASSERT_TRUE(are_sealed(directory_.path(), 2));
    }
    void TearDown() override { log::set_level(log::Level::info); }

    void open() {
        archive_.reset();
        ArchiveOptions options;
        options.volume_size = 850'000;  // two studies: two full volumes and the open one
        options.file_system = &files_;
        archive_ = open_archive(directory_.path(), options);
    }
    std::string volume(int number) const {
        return fmt::format("{}/volumes/{:08}.tar", directory_.path(), number);
    }
    std::uint64_t room(int number) const {
        struct stat status {};
        EXPECT_EQ(::stat(volume(number).c_str(), &status), 0);
        return static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    std::string bytes(int number) const {
        std::ifstream file(volume(number), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void expect_served(int first, int last) {
        for (int n = first; n < last; ++n)
            EXPECT_EQ(served(*archive_, numbered(n).sop_uid), file_bytes(numbered(n))) << n;
    }

    TemporaryDirectory directory_;
    FaultyFileSystem files_{Fault::none, 0};
    std::unique_ptr<Archive> archive_;
};

TEST_F(Compaction, GivesBackWhatPurgingOverwrote) {
    const auto length = bytes(1).size();
    const auto before = room(1);
    const auto events = archive_->index().events(0, 1000)->size();
    ASSERT_TRUE(archive_->keeper().remove(study(0), {}));
    const auto report = archive_->keeper().purge(kAll);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->members, 4u);
    EXPECT_GT(report->not_given_back, 400'000u);
    EXPECT_GT(report->compacted, 385'000u);
    EXPECT_LT(room(1), before - 380'000);
    EXPECT_EQ(bytes(1).size(), length) << "places stay";
    EXPECT_EQ(bytes(1).find("bbbbbbbb"), std::string::npos);
    expect_served(4, 24);
    EXPECT_EQ(archive_->index().events(0, 1000)->size(), events);
    EXPECT_EQ(archive_->keeper().purge(kAll)->compacted, 0u);
    archive_.reset();
    const auto sound = verify(directory_.path(), [](std::string_view line) { ADD_FAILURE() << line; });
    EXPECT_TRUE(sound && sound->problems == 0);
    open();
    expect_served(4, 24);
}

TEST_F(Compaction, WaitsUntilItIsWorthACopy) {
    Scope one;
    one.sop_instance_uids.push_back(numbered(0).sop_uid);
    ASSERT_TRUE(archive_->keeper().remove(one, {}));
    EXPECT_EQ(archive_->keeper().purge(kAll)->compacted, 0u) << "an eighth";
    open();
    one.sop_instance_uids = {numbered(2).sop_uid, numbered(3).sop_uid};
    ASSERT_TRUE(archive_->keeper().remove(one, {}));
    EXPECT_GT(archive_->keeper().purge(kAll)->compacted, 280'000u) << "all three";
    expect_served(4, 24);
}

TEST_F(Compaction, LeavesReadersWhatTheyRead) {
    const auto location = **archive_->index().find_instance(*dicom::Uid::parse(numbered(5).sop_uid));
    const auto deleted = **archive_->index().find_instance(*dicom::Uid::parse(numbered(0).sop_uid));
    expect_served(5, 6);
    ASSERT_TRUE(archive_->keeper().remove(study(0), {}));
    ASSERT_GT(archive_->keeper().purge(kAll)->compacted, 0u);
    EXPECT_EQ(archive_->store().read(deleted, 0, deleted.length).error().code, Errc::not_found);
    ASSERT_TRUE(archive_->keeper().remove(study(1), {}));
    ASSERT_GT(archive_->keeper().purge(kAll)->members, 0u);
    EXPECT_EQ(archive_->store().read(location, 0, location.length).error().code, Errc::not_found)
        << "not from the file that was opened before";
    expect_served(8, 24);
}

TEST_F(Compaction, SparesTheOpenVolume) {
    ASSERT_TRUE(archive_->keeper().remove(study(5), {}));
    ASSERT_TRUE(put(*archive_, numbered(24)));
    const auto report = archive_->keeper().purge(kAll);
    ASSERT_TRUE(report);
    ASSERT_TRUE(put(*archive_, numbered(25)));
    expect_served(24, 26);
    expect_served(0, 20);
}

}  // namespace
}  // namespace sagitta::storage::testing
