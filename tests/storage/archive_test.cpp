#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "storage/maintenance.h"
#include "storage/sqlite_database.h"
#include "tests/storage/sample.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::storage::testing {
namespace {

Sample numbered(int n) {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = fmt::format("pixels of {}", n);
    return sample;
}

bool have(const char* program) {
    return std::system(fmt::format("command -v {} >/dev/null 2>&1", program).c_str()) == 0;
}

std::vector<std::string> problems_of(const std::string& path) {
    std::vector<std::string> problems;
    auto report = verify(path, [&](std::string_view line) { problems.emplace_back(line); });
    EXPECT_TRUE(report) << (report ? "" : report.error().message());
    EXPECT_EQ(report ? report->problems : 0, problems.size());
    return problems;
}

TEST(Archive, ServesTheBytesItWasGiven) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    auto outcome = put(*archive, numbered(1));
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(*outcome, IngestOutcome::stored);
    EXPECT_EQ(served(*archive, "1.2.3.4.1"), file_bytes(numbered(1)));
    EXPECT_EQ(served(*archive, "1.2.3.4.2"), "");
}

/// On a disk, past the page cache; each length of padding, and room that is not as the archive said.
TEST(Archive, KeepsTheSameBytesWhereThereIsRoomAroundTheDataSet) {
    const test::TemporaryFolder folder;
    ArchiveOptions options;
    options.direct_write_from = 1;
    const auto path = (folder.path() / "archive").string();
    std::vector<Sample> samples;
    {
        auto archive = open_archive(path, options);
        Answers answers;
        for (int n = 0; n < 300; ++n) {
            samples.push_back(numbered(n));
            samples.back().content = std::string(static_cast<std::size_t>(2 * n), static_cast<char>(n));
            auto instance = incoming(samples.back());
            if (n % 3 != 0) instance = with_room(std::move(instance));
            if (n % 11 == 1) {
                auto less = ByteBuffer::with_front(700, instance.data_set.size() + 600);
                less.append(std::as_const(instance.data_set).span());
                instance.data_set = std::move(less);
            }
            ASSERT_TRUE(archive->submit(std::move(instance), answers.expect(static_cast<std::size_t>(n))));
        }
        for (const auto& [n, answer] : answers.wait()) EXPECT_TRUE(answer) << n;
        for (const auto& sample : samples) EXPECT_EQ(served(*archive, sample.sop_uid), file_bytes(sample));
    }
    EXPECT_EQ(problems_of(path), std::vector<std::string>());
    std::filesystem::remove(path + "/index.sqlite");
    auto archive = open_archive(path, options);
    EXPECT_TRUE(archive->recovery().index_rebuilt);
    EXPECT_EQ(archive->recovery().instances_indexed, samples.size());
}

TEST(Archive, FindsAfterReopening) {
    TemporaryDirectory directory;
    std::vector<std::string> before;
    {
        auto archive = open_archive(directory.path());
        for (int n = 0; n < 20; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        before = everything(archive->index());
    }
    auto archive = open_archive(directory.path());
    EXPECT_EQ(archive->recovery().instances_indexed, 0u);
    EXPECT_EQ(everything(archive->index()), before);
    EXPECT_EQ(served(*archive, "1.2.3.4.7"), file_bytes(numbered(7)));
}

TEST(Archive, RebuildsALostIndex) {
    TemporaryDirectory directory;
    std::vector<std::string> before;
    {
        auto archive = open_archive(directory.path());
        for (int n = 0; n < 20; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        before = everything(archive->index());
    }
    std::filesystem::remove(directory.path() + "/index.sqlite");
    {
        auto archive = open_archive(directory.path());
        EXPECT_TRUE(archive->recovery().index_rebuilt);
        EXPECT_EQ(everything(archive->index()), before);
    }
    std::ofstream(directory.path() + "/index.sqlite")
        << "this is no database, but it is long enough to be read as one";
    auto archive = open_archive(directory.path());
    EXPECT_TRUE(archive->recovery().index_rebuilt);
    EXPECT_EQ(everything(archive->index()), before);
}

TEST(Archive, RebuildsAnIndexOfAnOlderSchemaAndRefusesANewerOne) {
    TemporaryDirectory directory;
    ASSERT_TRUE(put(*open_archive(directory.path()), numbered(1)));
    auto set_version = [&](int version) {
        auto database = Database::open(directory.path() + "/index.sqlite", Database::Use::write);
        ASSERT_TRUE(database);
        ASSERT_TRUE((*database)->execute(fmt::format("PRAGMA user_version={}", version)));
    };
    set_version(1);
    {
        auto archive = open_archive(directory.path());
        EXPECT_TRUE(archive->recovery().index_rebuilt);
        EXPECT_EQ(served(*archive, "1.2.3.4.1"), file_bytes(numbered(1)));
    }
    set_version(1000);
    ArchiveOptions options;
    options.data_dir = directory.path();
    auto newer = Archive::open(options);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().code, Errc::unsupported);
}

TEST(Archive, IsOpenedOnce) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    ArchiveOptions options;
    options.data_dir = directory.path();
    auto second = Archive::open(options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::already_exists);
    archive.reset();
    EXPECT_TRUE(Archive::open(options));
}

TEST(Archive, AnswersAnIdenticalDuplicateWithoutWriting) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    ASSERT_TRUE(put(*archive, numbered(1)));
    const auto size = std::filesystem::file_size(directory.path() + "/volumes/00000001.tar");
    auto again = put(*archive, numbered(1));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, IngestOutcome::duplicate_identical);
    EXPECT_EQ(std::filesystem::file_size(directory.path() + "/volumes/00000001.tar"), size);
}

TEST(Archive, KeepsTheFirstOfAConflictAndTheNewcomerAside) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    auto other = numbered(1);
    other.content = "other pixels";
    ASSERT_TRUE(put(*archive, numbered(1)));
    for (int twice = 0; twice < 2; ++twice) {
        auto outcome = put(*archive, other);
        ASSERT_TRUE(outcome);
        EXPECT_EQ(*outcome, IngestOutcome::conflict_quarantined);
    }
    EXPECT_EQ(served(*archive, "1.2.3.4.1"), file_bytes(numbered(1)));
    std::vector<std::filesystem::path> aside;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/quarantine")) {
        aside.push_back(entry.path());
    }
    ASSERT_EQ(aside.size(), 1u);
    std::ifstream file(aside[0], std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), file_bytes(other));
}

TEST(Archive, ReplacesTheFirstOfAConflictAndAReindexAgrees) {
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.on_conflict = OnConflict::replace;
    auto other = numbered(1);
    other.content = "other pixels";
    other.study_uid = "9.9";
    other.series_uid = "9.9.1";
    other.patient_id = "P2";
    std::vector<std::string> before;
    {
        auto archive = open_archive(directory.path(), options);
        ASSERT_TRUE(put(*archive, numbered(1)));
        auto outcome = put(*archive, other);
        ASSERT_TRUE(outcome);
        EXPECT_EQ(*outcome, IngestOutcome::conflict_replaced);
        EXPECT_EQ(served(*archive, "1.2.3.4.1"), file_bytes(other));
        const auto counts = archive->index().counts();
        ASSERT_TRUE(counts);
        EXPECT_EQ(counts->patients, 1u) << "the first study and patient have nothing left";
        EXPECT_EQ(counts->instances, 1u);
        before = everything(archive->index());
    }
    EXPECT_TRUE(problems_of(directory.path()).empty());
    auto report = reindex(directory.path(), {});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->superseded, 1u);
    EXPECT_EQ(everything(open_archive(directory.path())->index()), before);
}

TEST(Archive, ShowsNothingToOthersWhateverTheUmask) {
    struct Umask {
        mode_t before = ::umask(0);
        ~Umask() { ::umask(before); }
    } const none;
    TemporaryDirectory directory;
    const auto data = directory.path() + "/a/data";
    auto other = numbered(1);
    other.content = "other pixels";
    auto archive = open_archive(data);
    ASSERT_TRUE(put(*archive, numbered(1)));
    ASSERT_TRUE(put(*archive, other));
    std::set<std::string> seen;
    auto expect_closed = [&] {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path())) {
            const auto mode = static_cast<unsigned>(entry.status().permissions());
            EXPECT_EQ(mode & ~(entry.is_directory() ? 0750u : 0640u), 0u) << entry.path();
            seen.insert(entry.path().extension().string());
        }
    };
    expect_closed();
    EXPECT_EQ(seen, (std::set<std::string>{"", ".tar", ".dcm", ".sqlite", ".sqlite-wal", ".sqlite-shm"}));
    archive.reset();
    ASSERT_TRUE(reindex(data, {}));
    archive = open_archive(data);
    ASSERT_TRUE(put(*archive, numbered(2)));
    expect_closed();
}

TEST(Archive, JudgesConflictsWithinOneBatch) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    auto other = numbered(1);
    other.content = "other pixels";
    Answers answers;
    std::size_t n = 0;
    for (const auto& sample : {numbered(1), numbered(1), other, numbered(2)}) {
        ASSERT_TRUE(archive->submit(incoming(sample), answers.expect(n++)));
    }
    const auto all = answers.wait();
    EXPECT_EQ(*all.at(0), IngestOutcome::stored);
    EXPECT_EQ(*all.at(1), IngestOutcome::duplicate_identical);
    EXPECT_EQ(*all.at(2), IngestOutcome::conflict_quarantined);
    EXPECT_EQ(*all.at(3), IngestOutcome::stored);
}

TEST(Archive, RefusesBeyondItsMemoryBudget) {
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.memory_budget = 20'000;
    auto archive = open_archive(directory.path(), options);
    Answers answers;
    std::size_t refused = 0;
    for (int n = 0; n < 200; ++n) {
        auto sample = numbered(n);
        sample.content = std::string(4000, 'x');
        auto submitted = archive->submit(incoming(sample), answers.expect(static_cast<std::size_t>(n)));
        EXPECT_LE(archive->status().queued_bytes, 20'000u);
        if (submitted) continue;
        EXPECT_EQ(submitted.error().code, Errc::limit_exceeded);
        answers.refused();
        ++refused;
    }
    for (const auto& [n, answer] : answers.wait()) EXPECT_TRUE(answer);
    EXPECT_EQ(archive->index().counts()->instances + refused, 200u);
    auto large = numbered(1000);
    large.content = std::string(50'000, 'x');
    EXPECT_TRUE(put(*archive, large)) << "one larger than the budget still gets in, alone";
}

TEST(Archive, WhoKeepsALimitOfHisOwnIsNotRefusedAndTakesNothing) {
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.memory_budget = 20'000;
    auto archive = open_archive(directory.path(), options);
    Answers answers;
    for (int n = 0; n < 200; ++n) {
        auto sample = numbered(n);
        sample.content = std::string(4000, 'x');
        auto instance = incoming(sample);
        instance.has_own_budget = true;
        EXPECT_TRUE(archive->submit(std::move(instance), answers.expect(static_cast<std::size_t>(n))));
        EXPECT_EQ(archive->status().queued_bytes, 0u);
    }
    for (const auto& [n, answer] : answers.wait()) EXPECT_TRUE(answer);
    EXPECT_EQ(archive->index().counts()->instances, 200u);
}

TEST(Archive, RefusesARecordThatIsNotOfTheseBytes) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    auto instance = incoming(numbered(1));
    instance.data_set.append(as_bytes("xx"));
    auto submitted = archive->submit(std::move(instance), [](auto) {});
    ASSERT_FALSE(submitted);
    EXPECT_EQ(submitted.error().code, Errc::invalid_argument);
}

TEST(Archive, SealsFullVolumesReadableByTarAndPython) {
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.volume_size = 20'000;
    {
        auto archive = open_archive(directory.path(), options);
        for (int n = 0; n < 60; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
    }
    {
        auto archive = open_archive(directory.path(), options);  // seals what the first left
        ASSERT_TRUE(put(*archive, numbered(60)));
    }
    EXPECT_TRUE(problems_of(directory.path()).empty());
    EXPECT_TRUE(std::filesystem::exists(directory.path() + "/volumes/00000003.tar"));
    if (!have("tar") || !have("python3")) GTEST_SKIP() << "needs tar and python3";
    const auto out = directory.path() + "/out";
    std::filesystem::create_directory(out);
    const auto list = fmt::format(
        "cd {0} && for v in ../volumes/*.tar; do tar xf $v || exit 1; done 2>{0}/errors; "
        "test ! -s {0}/errors",
        out);
    EXPECT_EQ(std::system(list.c_str()), 0);
    std::ifstream file(out + "/1.2.3/1.2.3.4/1.2.3.4.17.dcm", std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), file_bytes(numbered(17)));
    const auto python = fmt::format(
        "cd {} && python3 -c 'import tarfile,glob; n=sum(m.name.endswith(\".dcm\") for v in "
        "glob.glob(\"volumes/*.tar\") for m in tarfile.open(v)); assert n==61, n'",
        directory.path());
    EXPECT_EQ(std::system(python.c_str()), 0);
}

}  // namespace
}  // namespace sagitta::storage::testing
