// What Archive promises about failures: run one over every call an ingest makes.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/log.h"
#include "storage/maintenance.h"
#include "tests/storage/faulty_file_system.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using Fault = FaultyFileSystem::Fault;
constexpr int kInstances = 18;
constexpr int kGroup = 3;  // submitted together, so batches have several

Sample numbered(int n) {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.series_uid = fmt::format("1.2.3.{}", n % 4);
    sample.content = std::string(static_cast<std::size_t>(300 + 97 * n), static_cast<char>('a' + n % 26));
    return sample;
}

ArchiveOptions small_volumes(FileSystem* file_system = nullptr) {
    ArchiveOptions options;
    options.volume_size = 9'000;  // several volumes, so creating and sealing fail too
    options.file_system = file_system;
    return options;
}

/// Ingests until the end or the failure; the numbers acknowledged.
std::set<int> ingest(const std::string& path, FaultyFileSystem& files) {
    std::set<int> acknowledged;
    auto options = small_volumes(&files);
    options.data_dir = path;
    auto archive = Archive::open(options);
    if (!archive) return acknowledged;
    for (int first = 0; first < kInstances; first += kGroup) {
        Answers answers;
        for (int n = first; n < first + kGroup; ++n) {
            if (!(*archive)->submit(incoming(numbered(n)), answers.expect(static_cast<std::size_t>(n)))) {
                answers.refused();
            }
        }
        for (const auto& [n, answer] : answers.wait()) {
            if (answer) acknowledged.insert(static_cast<int>(n));
        }
    }
    return acknowledged;
}

void expect_sound(const std::string& path, const std::set<int>& acknowledged, bool index_lost) {
    std::vector<std::string> lines;
    {
        auto archive = open_archive(path, small_volumes());
        ASSERT_NE(archive, nullptr);
        // Without marks a torn end cannot be told from damage, and is said to be that.
        EXPECT_TRUE(index_lost || archive->recovery().damage.empty());
        for (int n = 0; n < kInstances; ++n) {
            const auto sample = numbered(n);
            const auto bytes = served(*archive, sample.sop_uid);
            const bool promised = acknowledged.contains(n);
            if (!promised && bytes.empty()) continue;
            EXPECT_TRUE(bytes == file_bytes(sample))
                << (promised ? "acknowledged and lost: " : "half visible: ") << n;
        }
        ASSERT_TRUE(put(*archive, numbered(kInstances))) << "usable again";
        lines = everything(archive->index());
    }
    auto report = verify(path, [](std::string_view line) { ADD_FAILURE() << line; });
    ASSERT_TRUE(report) << report.error().message();
    ASSERT_TRUE(reindex(path, {}));
    EXPECT_EQ(everything(open_archive(path, small_volumes())->index()), lines)
        << "a rebuilt index is another one";
}

struct Case {
    const char* name;
    Fault fault;
    bool power_lost;  // afterwards, so that nothing unsynced is left
    int survivors;    // of n unsynced blocks every n-th stays; 0: none
    bool index_lost;
};

class Crash : public ::testing::TestWithParam<Case> {};

TEST_P(Crash, LosesNothingAcknowledgedWhereverItHappens) {
    const auto& how = GetParam();
    log::set_level(log::Level::off);
    for (std::size_t at = 0;; ++at) {
        SCOPED_TRACE(fmt::format("failing call {}", at));
        TemporaryDirectory directory;
        FaultyFileSystem files(how.fault, at);
        const auto acknowledged = ingest(directory.path(), files);
        const bool reached = files.calls() > at;
        if (how.power_lost) {
            files.lose_power([&](std::size_t n) {
                return how.survivors != 0 && n % static_cast<std::size_t>(how.survivors) == 0;
            });
        }
        if (how.index_lost) std::filesystem::remove(directory.path() + "/index.sqlite");
        expect_sound(directory.path(), acknowledged, how.index_lost);
        if (!reached) {
            EXPECT_EQ(acknowledged.size(), static_cast<std::size_t>(kInstances));
            break;
        }
        if (::testing::Test::HasFailure()) break;
    }
    log::set_level(log::Level::info);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Crash,
                         ::testing::Values(Case{"PowerCut", Fault::power_cut, true, 0, false},
                                           Case{"PowerCutReordered", Fault::power_cut, true, 3, false},
                                           Case{"PowerCutAndIndexLost", Fault::power_cut, true, 2, true},
                                           Case{"Killed", Fault::power_cut, false, 0, false},
                                           Case{"Error", Fault::error, true, 2, false},
                                           Case{"DiskFull", Fault::disk_full, false, 0, false}),
                         [](const auto& instance) { return instance.param.name; });

TEST(Torn, EndsAreCutAtEveryLength) {
    log::set_level(log::Level::off);
    TemporaryDirectory whole;
    {
        auto archive = open_archive(whole.path());
        for (int n = 0; n < 3; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    }
    const auto size = std::filesystem::file_size(whole.path() + "/volumes/00000001.tar");
    const auto last = size - file_bytes(numbered(2)).size() / 512 * 512 - 512;  // in the last one's header
    for (auto length = size - 1; length > last; length -= 77) {
        TemporaryDirectory directory;
        std::filesystem::create_directory(directory.path() + "/volumes");
        const auto volume = directory.path() + "/volumes/00000001.tar";
        std::filesystem::copy_file(whole.path() + "/volumes/00000001.tar", volume);
        std::filesystem::resize_file(volume, length);
        auto archive = open_archive(directory.path());
        for (int n = 0; n < 2; ++n) {
            EXPECT_TRUE(served(*archive, numbered(n).sop_uid) == file_bytes(numbered(n))) << length;
        }
        ASSERT_TRUE(put(*archive, numbered(2)));
        EXPECT_EQ(served(*archive, numbered(2).sop_uid), file_bytes(numbered(2)));
        archive.reset();
        EXPECT_EQ(verify(directory.path(), [](auto line) { ADD_FAILURE() << line; })->instances, 3u);
    }
    log::set_level(log::Level::info);
}

TEST(Damage, InTheMiddleCostsOneInstanceAndIsReported) {
    log::set_level(log::Level::off);
    for (const std::uint64_t where : {0u, 700u}) {  // in its header, in its data
        TemporaryDirectory directory;
        std::uint64_t header = 0;
        {
            auto archive = open_archive(directory.path());
            for (int n = 0; n < 4; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
            header = (*archive->index().find_instance(*dicom::Uid::parse(numbered(1).sop_uid)))->offset - 512;
        }
        {
            std::fstream volume(directory.path() + "/volumes/00000001.tar",
                                std::ios::in | std::ios::out | std::ios::binary);
            volume.seekp(static_cast<std::streamoff>(header + where));
            volume.put('\x7f');
        }
        EXPECT_GE(verify(directory.path(), {})->problems, 1u);
        auto report = reindex(directory.path(), {});
        ASSERT_TRUE(report);
        EXPECT_EQ(report->instances, 3u);
        EXPECT_EQ(report->damaged, 1u);
        auto archive = open_archive(directory.path());
        EXPECT_EQ(served(*archive, numbered(3).sop_uid), file_bytes(numbered(3)));
        EXPECT_EQ(served(*archive, numbered(1).sop_uid), "");
        ASSERT_TRUE(put(*archive, numbered(1))) << "sent again";
        EXPECT_EQ(served(*archive, numbered(1).sop_uid), file_bytes(numbered(1)));
    }
    log::set_level(log::Level::info);
}

TEST(Recovery, RefusesAShortOrMissingVolumeAndSaysWhatToDo) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path());
        for (int n = 0; n < 4; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    }
    const auto volume = directory.path() + "/volumes/00000001.tar";
    ArchiveOptions options;
    options.data_dir = directory.path();
    std::filesystem::resize_file(volume, 2000);
    auto shortened = Archive::open(options);
    ASSERT_FALSE(shortened);
    EXPECT_EQ(shortened.error().code, Errc::corrupt);
    EXPECT_NE(shortened.error().context.find("sagitta reindex"), std::string::npos);
    std::filesystem::remove(volume);
    auto missing = Archive::open(options);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().context.find("missing"), std::string::npos);
    ASSERT_TRUE(reindex(directory.path(), {}));
    EXPECT_TRUE(Archive::open(options));
}

}  // namespace
}  // namespace sagitta::storage::testing
