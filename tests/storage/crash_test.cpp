// What Archive promises about failures: run one over every call an ingest makes.
#include <gtest/gtest.h>

#include <atomic>
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

ArchiveOptions small_volumes(FileSystem* file_system = nullptr,
                             StorageLayout layout = StorageLayout::volumes) {
    ArchiveOptions options;
    options.layout = layout;
    options.volume_size = 9'000;  // several volumes, so creating and sealing fail too
    options.file_system = file_system;
    return options;
}

/// The sample as it comes in: with `streamed`, two of three as large ones do.
Result<IncomingInstance> arriving(Archive& archive, int n, bool streamed) {
    if (streamed && n % 3 != 0) return spooled(archive, numbered(n));
    return n % 2 == 0 ? incoming(numbered(n)) : with_room(incoming(numbered(n)));
}

/// Ingests until the end or the failure; the numbers acknowledged.
std::set<int> ingest(const std::string& path, FaultyFileSystem& files, StorageLayout layout, bool streamed) {
    std::set<int> acknowledged;
    auto options = small_volumes(&files, layout);
    options.data_dir = path;
    auto archive = Archive::open(options);
    if (!archive) return acknowledged;
    for (int first = 0; first < kInstances; first += kGroup) {
        Answers answers;
        for (int n = first; n < first + kGroup; ++n) {
            auto instance = arriving(**archive, n, streamed);
            if (!instance) continue;
            if (!(*archive)->submit(std::move(*instance), answers.expect(static_cast<std::size_t>(n)))) {
                answers.refused();
            }
        }
        for (const auto& [n, answer] : answers.wait()) {
            if (answer) acknowledged.insert(static_cast<int>(n));
        }
    }
    return acknowledged;
}

void expect_sound(const std::string& path, const std::set<int>& acknowledged, bool index_lost,
                  StorageLayout layout) {
    std::vector<std::string> lines;
    {
        auto archive = open_archive(path, small_volumes(nullptr, layout));
        ASSERT_NE(archive, nullptr);
        // Without marks a torn end cannot be told from damage, and is said to be that.
        EXPECT_TRUE(index_lost || archive->recovery().damage.empty());
        EXPECT_TRUE(std::filesystem::is_empty(path + "/incoming"));
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
    const auto rebuilt = everything(open_archive(path, small_volumes(nullptr, layout))->index());
    EXPECT_EQ(rebuilt, lines) << "a rebuilt index is another one";
    if (layout == StorageLayout::volumes) return;
    std::filesystem::remove(path + "/files.tsv");  // the tree itself is asked
    ASSERT_TRUE(reindex(path, {}));
    for (const int n : acknowledged) {
        EXPECT_EQ(served(*open_archive(path, small_volumes(nullptr, layout)), numbered(n).sop_uid),
                  file_bytes(numbered(n)));
    }
}

struct Case {
    const char* name;
    Fault fault;
    bool power_lost;  // afterwards, so that nothing unsynced is left
    int survivors;    // of n unsynced blocks every n-th stays; 0: none
    bool index_lost;
    StorageLayout layout = StorageLayout::volumes;
    bool streamed = false;
};

class Crash : public ::testing::TestWithParam<Case> {};

TEST_P(Crash, LosesNothingAcknowledgedWhereverItHappens) {
    const auto& how = GetParam();
    log::set_level(log::Level::off);
    for (std::size_t at = 0;; ++at) {
        SCOPED_TRACE(fmt::format("failing call {}", at));
        TemporaryDirectory directory;
        FaultyFileSystem files(how.fault, at);
        const auto acknowledged = ingest(directory.path(), files, how.layout, how.streamed);
        const bool reached = files.calls() > at;
        if (how.power_lost) {
            files.lose_power([&](std::size_t n) {
                return how.survivors != 0 && n % static_cast<std::size_t>(how.survivors) == 0;
            });
        }
        if (how.index_lost) std::filesystem::remove(directory.path() + "/index.sqlite");
        expect_sound(directory.path(), acknowledged, how.index_lost, how.layout);
        if (!reached) {
            EXPECT_EQ(acknowledged.size(), static_cast<std::size_t>(kInstances));
            break;
        }
        if (::testing::Test::HasFailure()) break;
    }
    log::set_level(log::Level::info);
}

constexpr auto kFiles = StorageLayout::files;
INSTANTIATE_TEST_SUITE_P(
    Files, Crash,
    ::testing::Values(Case{"PowerCut", Fault::power_cut, true, 0, false, kFiles},
                      Case{"PowerCutReordered", Fault::power_cut, true, 3, false, kFiles},
                      Case{"PowerCutAndIndexLost", Fault::power_cut, true, 2, true, kFiles},
                      Case{"Killed", Fault::power_cut, false, 0, false, kFiles},
                      Case{"Error", Fault::error, true, 2, false, kFiles},
                      Case{"DiskFull", Fault::disk_full, false, 0, false, kFiles}),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(Everywhere, Crash,
                         ::testing::Values(Case{"PowerCut", Fault::power_cut, true, 0, false},
                                           Case{"PowerCutReordered", Fault::power_cut, true, 3, false},
                                           Case{"PowerCutAndIndexLost", Fault::power_cut, true, 2, true},
                                           Case{"Killed", Fault::power_cut, false, 0, false},
                                           Case{"Error", Fault::error, true, 2, false},
                                           Case{"DiskFull", Fault::disk_full, false, 0, false}),
                         [](const auto& instance) { return instance.param.name; });

constexpr auto kVolumes = StorageLayout::volumes;
INSTANTIATE_TEST_SUITE_P(
    Streamed, Crash,
    ::testing::Values(Case{"PowerCut", Fault::power_cut, true, 0, false, kVolumes, true},
                      Case{"PowerCutReordered", Fault::power_cut, true, 3, false, kVolumes, true},
                      Case{"PowerCutAndIndexLost", Fault::power_cut, true, 2, true, kVolumes, true},
                      Case{"Killed", Fault::power_cut, false, 0, false, kVolumes, true},
                      Case{"Error", Fault::error, true, 2, false, kVolumes, true},
                      Case{"DiskFull", Fault::disk_full, false, 0, false, kVolumes, true},
                      Case{"FilesPowerCut", Fault::power_cut, true, 2, false, kFiles, true},
                      Case{"FilesKilled", Fault::power_cut, false, 0, false, kFiles, true},
                      Case{"FilesError", Fault::error, true, 2, false, kFiles, true},
                      Case{"FilesDiskFull", Fault::disk_full, false, 0, false, kFiles, true}),
    [](const auto& instance) { return instance.param.name; });

Sample newcomer(int n) {
    auto sample = numbered(n);
    sample.content = "another " + sample.content;
    return sample;
}

class Replacing : public ::testing::TestWithParam<Case> {};

TEST_P(Replacing, NeverLosesTheReplaced) {
    const auto& how = GetParam();
    constexpr int kReplaced = 4;
    log::set_level(log::Level::off);
    for (std::size_t at = 0;; ++at) {
        SCOPED_TRACE(fmt::format("failing call {}", at));
        TemporaryDirectory directory;
        for (int n = 0; n < kReplaced; ++n) ASSERT_TRUE(put(*open_archive(directory.path()), numbered(n)));
        FaultyFileSystem files(how.fault, at);
        std::set<int> acknowledged;
        {
            ArchiveOptions options;
            options.data_dir = directory.path();
            options.file_system = &files;
            options.on_conflict = OnConflict::replace;
            auto archive = Archive::open(options);
            for (int n = 0; archive && n < kReplaced; ++n) {
                if (put(**archive, newcomer(n))) acknowledged.insert(n);
            }
        }
        if (how.power_lost) files.lose_power([](std::size_t n) { return n % 2 == 0; });
        auto archive = open_archive(directory.path());
        ASSERT_NE(archive, nullptr);
        const auto aside = quarantined(directory.path());
        for (int n = 0; n < kReplaced; ++n) {
            const auto now = served(*archive, numbered(n).sop_uid);
            const bool replaced = now == file_bytes(newcomer(n));
            EXPECT_TRUE(replaced || now == file_bytes(numbered(n))) << n;
            EXPECT_TRUE(replaced || !acknowledged.contains(n)) << n;
            EXPECT_TRUE(!replaced || aside.contains(file_bytes(numbered(n)))) << n;
        }
        if (files.calls() <= at) {
            EXPECT_EQ(acknowledged.size(), static_cast<std::size_t>(kReplaced));
            break;
        }
        if (::testing::Test::HasFailure()) break;
    }
    log::set_level(log::Level::info);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Replacing,
                         ::testing::Values(Case{"PowerCut", Fault::power_cut, true, 2, false},
                                           Case{"Error", Fault::error, true, 2, false},
                                           Case{"DiskFull", Fault::disk_full, false, 0, false}),
                         [](const auto& instance) { return instance.param.name; });

/// Where nothing can be put aside.
class NoQuarantine final : public FileSystem {
public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        if (full && path.find("/quarantine/") != std::string::npos) return Error(code, "injected");
        return real_.open(path, mode);
    }
    Result<void> sync_directory(const std::string& path) override { return real_.sync_directory(path); }
    Result<void> make_directory(const std::string& path) override { return real_.make_directory(path); }
    Result<std::vector<std::string>> list(const std::string& path) override { return real_.list(path); }
    Result<void> rename(const std::string& from, const std::string& to) override {
        return real_.rename(from, to);
    }
    Result<void> remove(const std::string& path) override { return real_.remove(path); }

    std::atomic<bool> full = true;
    std::atomic<Errc> code = Errc::io_failure;

private:
    FileSystem& real_ = real_file_system();
};

TEST(Replaced, IsRefusedWhenTheFirstCannotBeKept) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    NoQuarantine files;
    ArchiveOptions options;
    options.file_system = &files;
    options.on_conflict = OnConflict::replace;
    auto archive = open_archive(directory.path(), options);
    ASSERT_TRUE(put(*archive, numbered(1)));
    for (const auto code : {Errc::io_failure, Errc::no_space}) {
        files.code = code;
        auto outcome = put(*archive, newcomer(1));
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, code);
        EXPECT_EQ(served(*archive, numbered(1).sop_uid), file_bytes(numbered(1)));
        EXPECT_FALSE(archive->status().failed);
        ASSERT_TRUE(put(*archive, numbered(code == Errc::no_space ? 2 : 3))) << "others are stored";
    }
    files.full = false;
    auto outcome = put(*archive, newcomer(1));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(*outcome, IngestOutcome::conflict_replaced);
    EXPECT_EQ(served(*archive, numbered(1).sop_uid), file_bytes(newcomer(1)));
    EXPECT_EQ(quarantined(directory.path()), std::set<std::string>{file_bytes(numbered(1))});
    log::set_level(log::Level::info);
}

TEST(Replaced, WithinOneBatchKeepsEachOne) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.on_conflict = OnConflict::replace;
    auto archive = open_archive(directory.path(), options);
    Answers answers;
    auto third = newcomer(1);
    third.content = "third";
    std::size_t n = 0;
    for (const auto& sample : {numbered(1), newcomer(1), third}) {
        ASSERT_TRUE(archive->submit(incoming(sample), answers.expect(n++)));
    }
    for (const auto& [at, answer] : answers.wait()) EXPECT_TRUE(answer);
    EXPECT_EQ(served(*archive, numbered(1).sop_uid), file_bytes(third));
    EXPECT_EQ(quarantined(directory.path()),
              (std::set<std::string>{file_bytes(numbered(1)), file_bytes(newcomer(1))}));
    log::set_level(log::Level::info);
}

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
