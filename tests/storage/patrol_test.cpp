#include "storage/patrol.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/log.h"
#include "storage/change_feed.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using namespace std::chrono_literals;

class PatrolTest : public ::testing::Test {
protected:
    void SetUp() override {
        log::set_level(log::Level::off);
        archive = open_archive(directory.path());
        for (int n = 0; n < 5; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        check = InstanceCheck::make(directory.path(), archive->store());
        settings.data_dir = directory.path();
        settings.every = 1s;
        settings.bytes_per_second = 0;
    }
    void TearDown() override { log::set_level(log::Level::info); }

    static Sample numbered(int n) {
        Sample sample;
        sample.sop_uid = fmt::format("1.2.3.4.{}", n);
        sample.content = std::string(2000, static_cast<char>('a' + n));
        return sample;
    }

    /// Runs until `enough`.
    template <class Enough>
    PatrolState run_until(Enough enough) {
        Patrol patrol(archive->index(), *check, settings);
        patrol.start();
        std::optional<PatrolState> state;
        for (int n = 0; n < 1000 && !(state && enough(*state)); ++n) {
            std::this_thread::sleep_for(10ms);
            state = read_patrol_state(directory.path());
        }
        patrol.stop();
        EXPECT_TRUE(state && enough(*state));
        return read_patrol_state(directory.path()).value_or(PatrolState());
    }

    TemporaryDirectory directory;
    std::unique_ptr<Archive> archive;
    std::unique_ptr<InstanceCheck> check;
    PatrolSettings settings;
};

TEST_F(PatrolTest, ReadsEveryInstanceOnceAPass) {
    const auto state = run_until([](const PatrolState& now) { return now.completed != 0; });
    EXPECT_EQ(state.completed_instances, 5u);
    EXPECT_EQ(state.completed_damaged, 0u);
    EXPECT_EQ(state.bytes, archive->index().counts()->bytes);
}

TEST_F(PatrolTest, FindsAFlippedBit) {
    const auto place = **archive->index().find_instance(*dicom::Uid::parse("1.2.3.4.3"));
    {
        std::fstream volume(directory.path() + "/volumes/00000001.tar",
                            std::ios::in | std::ios::out | std::ios::binary);
        volume.seekp(static_cast<std::streamoff>(place.offset + place.length - 100));
        volume.put('\x7f');
    }
    const auto state = run_until([](const PatrolState& now) { return now.completed != 0; });
    EXPECT_EQ(state.completed_instances, 5u);
    EXPECT_EQ(state.completed_damaged, 1u);
}

TEST_F(PatrolTest, KeepsToItsRateAndGoesOnWhereItWas) {
    settings.bytes_per_second = 5000;  // two instances a second
    settings.every = 1s;
    const auto first = run_until([](const PatrolState& now) { return now.is_under_way; });
    EXPECT_TRUE(first.is_under_way);
    EXPECT_LT(first.instances, 5u);
    settings.bytes_per_second = 0;
    const auto second = run_until([](const PatrolState& now) { return now.completed != 0; });
    EXPECT_EQ(second.began, first.began) << "a pass of its own";
    EXPECT_EQ(second.completed_instances, 5u) << "none twice";
}

TEST_F(PatrolTest, WaitsForItsTimeAndNeverBeginsWhenTold) {
    settings.every = 1h;
    const auto state = run_until([](const PatrolState& now) { return now.began != 0; });
    EXPECT_FALSE(state.is_under_way);
    EXPECT_EQ(state.instances, 0u);
    std::filesystem::remove(directory.path() + "/patrol");
    settings.every = 0s;
    Patrol patrol(archive->index(), *check, settings);
    patrol.start();
    patrol.stop();
    EXPECT_FALSE(read_patrol_state(directory.path()));
}

}  // namespace
}  // namespace sagitta::storage::testing
