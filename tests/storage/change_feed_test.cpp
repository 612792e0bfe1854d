// Every change is an event, and numbers stay what they are.
#include <gtest/gtest.h>

#include "core/log.h"
#include "storage/change_feed.h"
#include "storage/maintenance.h"
#include "storage/sqlite_change_feed.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

Sample numbered(int n, std::string_view content = "pixels") {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = content;
    return sample;
}

std::vector<std::string> lines(const InstanceIndex& index, std::uint64_t after = 0,
                               std::uint64_t limit = 1000) {
    auto events = index.events(after, limit);
    EXPECT_TRUE(events) << (events ? "" : events.error().message());
    std::vector<std::string> all;
    if (!events) return all;
    for (const auto& event : *events) {
        EXPECT_GT(event.number, after) << "numbers ascend";
        EXPECT_GT(event.time, 0);
        after = event.number;
        all.push_back(fmt::format("{} {} {} {}", event.number, to_string(event.kind), event.sop_instance_uid,
                                  event.study_instance_uid));
    }
    return all;
}

ArchiveOptions replacing() {
    ArchiveOptions options;
    options.volume_size = 9'000;  // several volumes
    options.on_conflict = OnConflict::replace;
    return options;
}

TEST(ChangeFeed, NumbersEveryChangeAndKeepsTheNumbers) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    std::vector<std::string> before;
    {
        auto archive = open_archive(directory.path(), replacing());
        for (int n = 0; n < 20; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        ASSERT_TRUE(put(*archive, numbered(4, "another")));
        ASSERT_TRUE(put(*archive, numbered(4, "a third")));
        ASSERT_TRUE(put(*archive, numbered(5))) << "identical: no event";
        before = lines(archive->index());
    }
    ASSERT_EQ(before.size(), 22u);
    EXPECT_TRUE(before[4].find(" stored 1.2.3.4.4 ") != std::string::npos) << before[4];
    EXPECT_TRUE(before[5].ends_with(" stored 1.2.3.4.5 1.2.3")) << before[5];
    EXPECT_TRUE(before[20].find(" replaced 1.2.3.4.4 ") != std::string::npos) << before[20];
    EXPECT_TRUE(before[21].ends_with(" replaced 1.2.3.4.4 1.2.3")) << before[21];
    EXPECT_EQ(lines(open_archive(directory.path(), replacing())->index()), before);
    ASSERT_TRUE(reindex(directory.path(), {}));
    EXPECT_EQ(lines(open_archive(directory.path(), replacing())->index()), before) << "rebuilt";
    log::set_level(log::Level::info);
}

TEST(ChangeFeed, ComesInPortions) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path(), replacing());
    for (int n = 0; n < 20; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    for (int n = 0; n < 20; n += 3) ASSERT_TRUE(put(*archive, numbered(n, "another")));
    const auto all = lines(archive->index());
    std::vector<std::string> portions;
    std::uint64_t after = 0;
    while (true) {
        auto events = archive->index().events(after, 4);
        ASSERT_TRUE(events);
        for (const auto& line : lines(archive->index(), after, 4)) portions.push_back(line);
        if (events->empty()) break;
        after = events->back().number;
    }
    EXPECT_EQ(portions, all);
    ASSERT_TRUE(put(*archive, numbered(100)));
    EXPECT_EQ(lines(archive->index(), after).size(), 1u);
    log::set_level(log::Level::info);
}

TEST(ChangeFeed, IsReadBesideARunningArchive) {
    TemporaryDirectory directory;
    EXPECT_EQ(open_index_of(directory.path()).error().code, Errc::not_found);
    auto archive = open_archive(directory.path());
    ASSERT_TRUE(put(*archive, numbered(1)));
    auto index = open_index_of(directory.path());
    ASSERT_TRUE(index) << index.error().message();
    EXPECT_EQ(lines(**index).size(), 1u);
    ASSERT_TRUE(put(*archive, numbered(2)));
    EXPECT_EQ(lines(**index).size(), 2u);
}

TEST(ChangeFeed, NeitherSortsNorReadsFromTheBeginning) {
    TemporaryDirectory directory;
    { auto archive = open_archive(directory.path()); }
    auto database = Database::open(directory.path() + "/index.sqlite", Database::Use::read);
    ASSERT_TRUE(database);
    auto plan = (*database)->cached("EXPLAIN QUERY PLAN " + std::string(change_feed_sql()));
    ASSERT_TRUE(plan) << plan.error().message();
    const ResetAtEnd reset(**plan);
    std::size_t steps = 0;
    for (auto row = (*plan)->step(); row && *row; row = (*plan)->step(), ++steps) {
        const std::string step((*plan)->text(3));
        EXPECT_FALSE(step.starts_with("SCAN") || step.starts_with("USE TEMP")) << step;
    }
    EXPECT_GT(steps, 3u);
}

}  // namespace
}  // namespace sagitta::storage::testing
