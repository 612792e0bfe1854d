// Instances that are written as they come: the same archive, the same answers as from memory.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/log.h"
#include "storage/change_feed.h"
#include "storage/long_data_set.h"
#include "storage/maintenance.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

Sample numbered(int n, std::size_t bytes = 3000) {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = std::string(bytes, static_cast<char>('a' + n % 26));
    return sample;
}

Result<IngestOutcome> put_spooled(Archive& archive, const Sample& sample) {
    auto instance = spooled(archive, sample);
    if (!instance) return std::move(instance).error();
    Answers answers;
    if (auto submitted = archive.submit(std::move(*instance), answers.expect(0)); !submitted) {
        return std::move(submitted).error();
    }
    return answers.wait().at(0);
}

std::size_t files_in(const std::string& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        count += entry.is_regular_file();
    }
    return count;
}

class Spooled : public ::testing::TestWithParam<StorageLayout> {
protected:
    ArchiveOptions options() const {
        ArchiveOptions options;
        options.layout = GetParam();
        options.volume_size = 20'000;
        return options;
    }
};

TEST_P(Spooled, AreServedAsTheyCameBetweenOthers) {
    TemporaryDirectory directory;
    std::vector<std::string> lines;
    {
        auto archive = open_archive(directory.path(), options());
        for (int n = 0; n < 12; ++n) {
            const auto sample = numbered(n, n % 4 == 2 ? 50'000 : 3000);
            const auto outcome = n % 2 == 0 ? put_spooled(*archive, sample) : put(*archive, sample);
            ASSERT_TRUE(outcome) << outcome.error().message();
            EXPECT_EQ(*outcome, IngestOutcome::stored);
        }
        for (int n = 0; n < 12; ++n) {
            const auto sample = numbered(n, n % 4 == 2 ? 50'000 : 3000);
            EXPECT_EQ(served(*archive, sample.sop_uid), file_bytes(sample)) << n;
        }
        lines = everything(archive->index());
        EXPECT_EQ(files_in(directory.path() + "/incoming"), 0u);
    }
    auto report = verify(directory.path(), [](std::string_view line) { ADD_FAILURE() << line; });
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->instances, 12u);
    ASSERT_TRUE(reindex(directory.path(), {}));
    EXPECT_EQ(everything(open_archive(directory.path(), options())->index()), lines);
}

TEST_P(Spooled, DuplicatesCostNothingAndConflictsAreKeptAside) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path(), options());
    ASSERT_TRUE(put(*archive, numbered(1)));
    ASSERT_TRUE(put_spooled(*archive, numbered(2)));
    auto again = put_spooled(*archive, numbered(1));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, IngestOutcome::duplicate_identical);
    again = put(*archive, numbered(2));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, IngestOutcome::duplicate_identical);
    EXPECT_EQ(files_in(directory.path() + "/quarantine"), 0u);
    for (const int n : {1, 2}) {
        auto other = numbered(n, 5000);
        auto outcome = put_spooled(*archive, other);
        ASSERT_TRUE(outcome);
        EXPECT_EQ(*outcome, IngestOutcome::conflict_quarantined);
        EXPECT_EQ(served(*archive, other.sop_uid), file_bytes(numbered(n)));
    }
    ASSERT_EQ(files_in(directory.path() + "/quarantine"), 2u);
    for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/quarantine")) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        EXPECT_TRUE(bytes == file_bytes(numbered(1, 5000)) || bytes == file_bytes(numbered(2, 5000)));
    }
    EXPECT_EQ(files_in(directory.path() + "/incoming"), 0u);
    log::set_level(log::Level::info);
}

TEST_P(Spooled, WhatWasNotSubmittedLeavesNothing) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path(), options());
        auto instance = spooled(*archive, numbered(1));
        ASSERT_TRUE(instance);
        EXPECT_EQ(files_in(directory.path() + "/incoming"), 1u);
    }
    EXPECT_EQ(files_in(directory.path() + "/incoming"), 0u);
    std::ofstream(directory.path() + "/incoming/7.partial") << "left by a crash";
    auto archive = open_archive(directory.path(), options());
    EXPECT_EQ(files_in(directory.path() + "/incoming"), 0u);
    EXPECT_EQ(served(*archive, numbered(1).sop_uid), "");
}

INSTANTIATE_TEST_SUITE_P(Layouts, Spooled, ::testing::Values(StorageLayout::volumes, StorageLayout::files),
                         [](const auto& instance) {
                             return instance.param == StorageLayout::volumes ? "Volumes" : "Files";
                         });

TEST(SpooledReplacing, KeepsACopyOfTheFirst) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.on_conflict = OnConflict::replace;
    auto archive = open_archive(directory.path(), options);
    ASSERT_TRUE(put_spooled(*archive, numbered(1)));
    auto outcome = put_spooled(*archive, numbered(1, 9000));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, IngestOutcome::conflict_replaced);
    EXPECT_EQ(served(*archive, numbered(1).sop_uid), file_bytes(numbered(1, 9000)));
    EXPECT_EQ(files_in(directory.path() + "/quarantine"), 1u);
    log::set_level(log::Level::info);
}

TEST(SpooledVolumes, AreNumberedInTheOrderOfTheirEvents) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    std::uint64_t last = 0;
    for (int n = 0; n < 8; ++n) {
        ASSERT_TRUE(n % 3 == 0 ? put_spooled(*archive, numbered(n)) : put(*archive, numbered(n)));
        auto found = archive->index().find_instance(*dicom::Uid::parse(numbered(n).sop_uid));
        ASSERT_TRUE(found && *found);
        const auto number = (std::uint64_t{(*found)->volume} << kOffsetBits) + (*found)->offset;
        EXPECT_GT(number, last) << n;
        last = number;
    }
    EXPECT_EQ(files_in(directory.path() + "/volumes"), 3u) << "small ones go behind the large one";
}

}  // namespace
}  // namespace sagitta::storage::testing
