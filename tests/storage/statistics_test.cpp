#include "storage/statistics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/log.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

Sample of_modality(int n, const std::string& modality) {
    Sample sample;
    sample.study_uid = fmt::format("1.2.{}", n / 3);
    sample.series_uid = fmt::format("1.2.3.{}", n / 2);
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.modality = modality;
    sample.content = std::string(static_cast<std::size_t>(1000 + n), 'x');
    return sample;
}

TEST(Statistics, CountWhatIsServedAndWhatIsNot) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    std::uint64_t ct = 0;
    std::uint64_t mr = 0;
    {
        ArchiveOptions options;
        options.volume_size = 8000;
        options.on_conflict = OnConflict::replace;
        auto archive = open_archive(directory.path(), options);
        for (int n = 0; n < 6; ++n) {
            const auto sample = of_modality(n, n < 4 ? "CT" : "MR");
            ASSERT_TRUE(put(*archive, sample));
            (n < 4 ? ct : mr) += file_bytes(sample).size();
        }
        auto again = of_modality(5, "MR");
        again.content = "shorter";
        mr -= file_bytes(of_modality(5, "MR")).size();
        mr += file_bytes(again).size();
        ASSERT_TRUE(put(*archive, again));
        auto beside = statistics_of(directory.path());
        ASSERT_TRUE(beside) << beside.error().message();
        EXPECT_EQ(beside->counts.instances, 6u);
        // Sealing is another thread's, which stops where it is when the archive is closed.
        for (int n = 0; n < 1000 && beside && beside->sealed_volumes + 1 < beside->volumes.count; ++n) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            beside = statistics_of(directory.path());
        }
    }
    log::set_level(log::Level::info);
    const auto all = statistics_of(directory.path());
    ASSERT_TRUE(all) << all.error().message();
    EXPECT_EQ(all->counts.studies, 2u);
    EXPECT_EQ(all->counts.bytes, ct + mr);
    EXPECT_EQ(all->superseded, 1u);
    EXPECT_EQ(all->superseded_bytes, file_bytes(of_modality(5, "MR")).size());
    EXPECT_EQ(all->quarantine.count, 1u);
    EXPECT_EQ(all->quarantine.bytes, all->superseded_bytes);
    EXPECT_GE(all->volumes.count, 2u);
    EXPECT_GT(all->volumes.bytes, all->counts.bytes + all->superseded_bytes);
    EXPECT_EQ(all->sealed_volumes, all->volumes.count - 1);
    EXPECT_GT(all->first_received, 1'700'000'000);
    ASSERT_EQ(all->modalities.size(), 2u);
    EXPECT_EQ(all->modalities[0].value, "CT");
    EXPECT_EQ(all->modalities[0].series, 2u);
    EXPECT_EQ(all->modalities[0].instances, 4u);
    EXPECT_EQ(all->modalities[0].bytes, ct);
    EXPECT_EQ(all->modalities[1].value, "MR");
    EXPECT_EQ(all->modalities[1].bytes, mr);
    ASSERT_EQ(all->sop_classes.size(), 1u);
    EXPECT_EQ(all->sop_classes[0].instances, 6u);
    ASSERT_EQ(all->transfer_syntaxes.size(), 1u);
    EXPECT_EQ(all->transfer_syntaxes[0].value, "1.2.840.10008.1.2.1");
}

TEST(Statistics, OfNoArchiveAreAnError) {
    TemporaryDirectory directory;
    const auto none = statistics_of(directory.path());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::not_found);
}

}  // namespace
}  // namespace sagitta::storage::testing
