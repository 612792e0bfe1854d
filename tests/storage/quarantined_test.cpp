// What an operator decides about the quarantine is done, or not done, and nothing is lost on the way.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/log.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "storage/quarantined.h"
#include "tests/storage/faulty_file_system.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using Fault = FaultyFileSystem::Fault;

Sample first() {
    return {};
}
Sample newcomer() {
    Sample sample;
    sample.content = "other pixels";
    return sample;
}

/// An archive that serves the first and keeps the newcomer; the name of the latter's file.
std::string make_conflict(const std::string& path) {
    {
        auto archive = open_archive(path);
        EXPECT_TRUE(put(*archive, first()));
        EXPECT_TRUE(put(*archive, newcomer()));
    }
    auto all = list_quarantine(path);
    EXPECT_TRUE(all && all->size() == 1);
    return all && !all->empty() ? all->front().name : std::string();
}

std::set<std::string> kept(const std::string& path) {
    std::set<std::string> files;
    auto all = list_quarantine(path);
    EXPECT_TRUE(all);
    if (!all) return files;
    for (const auto& one : *all) {
        if (one.kind != Quarantined::Kind::instance) continue;
        std::ifstream file(path + "/quarantine/" + one.name, std::ios::binary);
        files.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return files;
}

ArchiveOptions options_of(const std::string& path, FileSystem* file_system = nullptr) {
    ArchiveOptions options;
    options.data_dir = path;
    options.file_system = file_system;
    return options;
}

TEST(Quarantine, ListsWhatIsThere) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    const auto name = make_conflict(directory.path());
    std::ofstream(directory.path() + "/quarantine/torn-00000001-512.bin") << "torn";
    std::ofstream(directory.path() + "/quarantine/1.2.3.dcm.partial") << "half";
    std::ofstream(directory.path() + "/quarantine/notes.txt") << "somebody's";
    auto all = list_quarantine(directory.path());
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 3u);
    std::map<std::string, Quarantined> by_name;
    for (auto& one : *all) by_name.emplace(one.name, one);
    EXPECT_EQ(by_name.at(name).kind, Quarantined::Kind::instance);
    EXPECT_EQ(by_name.at(name).sop_instance_uid.str(), first().sop_uid);
    EXPECT_EQ(by_name.at(name).bytes, file_bytes(newcomer()).size());
    EXPECT_GT(by_name.at(name).modified, 0);
    EXPECT_EQ(by_name.at("torn-00000001-512.bin").kind, Quarantined::Kind::torn_end);
    EXPECT_EQ(by_name.at("1.2.3.dcm.partial").kind, Quarantined::Kind::unfinished);
    log::set_level(log::Level::info);
}

TEST(Quarantine, AcceptsAndTheOtherTakesItsPlace) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    const auto name = make_conflict(directory.path());
    auto outcome = accept_quarantined(options_of(directory.path()), name);
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(*outcome, IngestOutcome::conflict_replaced);
    EXPECT_EQ(served(*open_archive(directory.path()), first().sop_uid), file_bytes(newcomer()));
    EXPECT_EQ(kept(directory.path()), std::set<std::string>{file_bytes(first())});
    ASSERT_TRUE(reindex(directory.path(), {}));
    EXPECT_EQ(served(*open_archive(directory.path()), first().sop_uid), file_bytes(newcomer()));
    log::set_level(log::Level::info);
}

TEST(Quarantine, RefusesWhatCannotBeAccepted) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    const auto name = make_conflict(directory.path());
    std::ofstream(directory.path() + "/quarantine/torn-00000001-512.bin") << "torn";
    std::ofstream(directory.path() + "/outside.dcm") << "not in quarantine";
    EXPECT_EQ(accept_quarantined(options_of(directory.path()), "torn-00000001-512.bin").error().code,
              Errc::invalid_argument);
    for (const auto* path : {"../outside.dcm", "", ".", "1.2.dcm"}) {
        EXPECT_EQ(accept_quarantined(options_of(directory.path()), path).error().code, Errc::not_found)
            << path;
        EXPECT_EQ(drop_quarantined(directory.path(), path).error().code, Errc::not_found) << path;
    }
    // Another instance's name: the bytes decide.
    auto renamed = name;
    renamed.replace(0, first().sop_uid.size(), "1.2.3.9.9");
    std::filesystem::rename(directory.path() + "/quarantine/" + name,
                            directory.path() + "/quarantine/" + renamed);
    EXPECT_EQ(accept_quarantined(options_of(directory.path()), renamed).error().code, Errc::corrupt);
    EXPECT_TRUE(std::filesystem::exists(directory.path() + "/quarantine/" + renamed));
    auto archive = open_archive(directory.path());
    EXPECT_EQ(drop_quarantined(directory.path(), renamed).error().code, Errc::already_exists) << "in use";
    EXPECT_EQ(accept_quarantined(options_of(directory.path()), renamed).error().code, Errc::already_exists);
    log::set_level(log::Level::info);
}

TEST(Quarantine, Drops) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    const auto name = make_conflict(directory.path());
    ASSERT_TRUE(drop_quarantined(directory.path(), name));
    EXPECT_TRUE(kept(directory.path()).empty());
    EXPECT_EQ(served(*open_archive(directory.path()), first().sop_uid), file_bytes(first()));
    log::set_level(log::Level::info);
}

TEST(Quarantine, IsDecidedAboutWithTheArchiveOpen) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    const auto name = make_conflict(directory.path());
    ArchiveOptions options;
    options.memory_budget = 1;
    auto archive = open_archive(directory.path(), options);
    auto outcome = accept_quarantined(*archive, directory.path(), name);
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(*outcome, IngestOutcome::conflict_replaced) << "whatever the archive does of itself";
    EXPECT_EQ(served(*archive, first().sop_uid), file_bytes(newcomer()));
    EXPECT_EQ(kept(directory.path()), std::set<std::string>{file_bytes(first())});
    EXPECT_EQ(accept_quarantined(*archive, directory.path(), name).error().code, Errc::not_found);
    auto third = first();
    third.content = "a third one";
    ASSERT_TRUE(put(*archive, third));
    EXPECT_EQ(served(*archive, first().sop_uid), file_bytes(newcomer())) << "for others nothing has changed";
    auto left = list_quarantine(directory.path());
    ASSERT_TRUE(left);
    EXPECT_EQ(left->size(), 2u);
    for (const auto& one : *left) EXPECT_TRUE(drop_quarantined(*archive, directory.path(), one.name));
    EXPECT_TRUE(kept(directory.path()).empty());
    log::set_level(log::Level::info);
}

TEST(Quarantine, OneTooLargeForMemoryIsAcceptedInPieces) {
    log::set_level(log::Level::off);
    for (const auto layout : {StorageLayout::volumes, StorageLayout::files}) {
        TemporaryDirectory directory;
        ArchiveOptions options;
        options.layout = layout;
        auto archive = open_archive(directory.path(), options);
        auto large = newcomer();
        large.content = std::string((16u << 20) + 12'345, 'x');
        ASSERT_TRUE(put(*archive, first()));
        ASSERT_TRUE(put(*archive, large));
        auto all = list_quarantine(directory.path());
        ASSERT_TRUE(all && all->size() == 1);
        Scope scope;
        scope.sop_instance_uids = {first().sop_uid};
        if (layout == StorageLayout::files) {
            ASSERT_TRUE(archive->keeper().remove(scope, {}));
        }
        auto outcome = accept_quarantined(*archive, directory.path(), all->front().name);
        ASSERT_TRUE(outcome) << outcome.error().message();
        EXPECT_TRUE(served(*archive, first().sop_uid) == file_bytes(large));
        const bool is_replaced = layout == StorageLayout::volumes;
        EXPECT_EQ(*outcome, is_replaced ? IngestOutcome::conflict_replaced : IngestOutcome::stored);
        EXPECT_EQ(kept(directory.path()).size(), is_replaced ? 1u : 0u);
        EXPECT_TRUE(std::filesystem::is_empty(directory.path() + "/incoming"));
        archive.reset();
        ASSERT_TRUE(reindex(directory.path(), {}));
        auto checked = verify(directory.path(), [](std::string_view line) { ADD_FAILURE() << line; });
        EXPECT_TRUE(checked && checked->problems == 0);
    }
    log::set_level(log::Level::info);
}

TEST(Quarantine, KeepsWhatIsNoLongerServed) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    const auto name = make_conflict(directory.path());
    auto archive = open_archive(directory.path());
    const auto record = incoming(newcomer()).record;
    // As if another one had taken its place after it was accepted.
    auto removed = archive->keeper().remove_quarantined(name, &record);
    ASSERT_TRUE(removed);
    EXPECT_FALSE(*removed);
    EXPECT_EQ(kept(directory.path()), std::set<std::string>{file_bytes(newcomer())});
    ASSERT_TRUE(accept_quarantined(*archive, directory.path(), name));
    EXPECT_EQ(archive->keeper().remove_quarantined(name, nullptr).error().code, Errc::not_found);
    EXPECT_FALSE(archive->status().failed);
    log::set_level(log::Level::info);
}

TEST(Quarantine, WithFilesOnlyWhereNothingIsServed) {
    log::set_level(log::Level::off);
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.layout = StorageLayout::files;
    auto archive = open_archive(directory.path(), options);
    ASSERT_TRUE(put(*archive, first()));
    ASSERT_TRUE(put(*archive, newcomer()));
    auto all = list_quarantine(directory.path());
    ASSERT_TRUE(all && all->size() == 1);
    const auto name = all->front().name;
    EXPECT_EQ(accept_quarantined(*archive, directory.path(), name).error().code, Errc::unsupported);
    EXPECT_EQ(kept(directory.path()), std::set<std::string>{file_bytes(newcomer())});
    EXPECT_EQ(served(*archive, first().sop_uid), file_bytes(first()));
    Scope scope;
    scope.sop_instance_uids = {first().sop_uid};
    ASSERT_TRUE(archive->keeper().remove(scope, {}));
    auto outcome = accept_quarantined(*archive, directory.path(), name);
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(*outcome, IngestOutcome::stored);
    EXPECT_EQ(served(*archive, first().sop_uid), file_bytes(newcomer()));
    EXPECT_TRUE(kept(directory.path()).empty());
    log::set_level(log::Level::info);
}

class Accepting : public ::testing::TestWithParam<Fault> {};

TEST_P(Accepting, LosesNeitherWhereverItFails) {
    log::set_level(log::Level::off);
    for (std::size_t at = 0;; ++at) {
        SCOPED_TRACE(fmt::format("failing call {}", at));
        TemporaryDirectory directory;
        const auto name = make_conflict(directory.path());
        FaultyFileSystem files(GetParam(), at);
        const bool accepted = accept_quarantined(options_of(directory.path(), &files), name).has_value();
        files.lose_power([](std::size_t n) { return n % 2 == 0; });
        const auto now = served(*open_archive(directory.path()), first().sop_uid);
        auto all = kept(directory.path());
        EXPECT_TRUE(now == file_bytes(first()) || now == file_bytes(newcomer()));
        EXPECT_TRUE(!accepted || now == file_bytes(newcomer()));
        all.insert(now);
        EXPECT_EQ(all, (std::set<std::string>{file_bytes(first()), file_bytes(newcomer())}));
        // Again, without faults, from wherever it stopped.
        if (!accepted && std::filesystem::exists(directory.path() + "/quarantine/" + name)) {
            EXPECT_TRUE(accept_quarantined(options_of(directory.path()), name));
            EXPECT_EQ(kept(directory.path()), std::set<std::string>{file_bytes(first())});
        }
        EXPECT_EQ(served(*open_archive(directory.path()), first().sop_uid), file_bytes(newcomer()));
        if (files.calls() <= at) {
            EXPECT_TRUE(accepted);
            break;
        }
        if (::testing::Test::HasFailure()) break;
    }
    log::set_level(log::Level::info);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Accepting,
                         ::testing::Values(Fault::power_cut, Fault::error, Fault::disk_full),
                         [](const auto& instance) {
                             return instance.param == Fault::power_cut ? "PowerCut"
                                    : instance.param == Fault::error   ? "Error"
                                                                       : "DiskFull";
                         });

}  // namespace
}  // namespace sagitta::storage::testing
