// What deletion promises about failures: run one over every call that deleting, restoring and purging make.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <optional>

#include "core/log.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "tests/storage/faulty_file_system.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using namespace std::chrono_literals;
using Fault = FaultyFileSystem::Fault;

constexpr int kInstances = 15;
constexpr auto kAll = std::numeric_limits<std::int64_t>::max();

Sample numbered(int n) {
    Sample sample;
    sample.patient_name = fmt::format("Doe^{}", n);
    sample.study_uid = fmt::format("1.2.{}", n / 5);
    sample.series_uid = fmt::format("1.2.{}.{}", n / 5, n % 2);
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = std::string(static_cast<std::size_t>(300 + 97 * n), static_cast<char>('a' + n % 26));
    if (n == 0) sample.content.resize(9'000, 'a');  // blocks of a disk, more than half a volume
    return sample;
}

Scope instance(int n) {
    Scope scope;
    scope.sop_instance_uids.push_back(numbered(n).sop_uid);
    return scope;
}

ArchiveOptions small_volumes(StorageLayout layout, FileSystem* file_system = nullptr) {
    ArchiveOptions options;
    options.layout = layout;
    options.volume_size = 12'000;  // notes begin volumes and are the last in them, too
    options.file_system = file_system;
    return options;
}

/// What may be true of an instance: asked for and not answered leaves both open.
struct Expected {
    std::optional<bool> is_served = true;
};

class Script {
public:
    explicit Script(Archive& archive) : archive_(archive) {}

    bool remove(int n, std::chrono::seconds undo) {
        all[n].is_served.reset();
        RemovalOptions options;
        options.undo_for = undo;
        const bool done = archive_.keeper().remove(instance(n), options).has_value();
        if (done) all[n].is_served = false;
        return done;
    }
    bool restore(int n) {
        all[n].is_served.reset();
        const bool done = archive_.keeper().restore(instance(n)).has_value();
        if (done) all[n].is_served = true;
        return done;
    }
    bool store(int n) {
        all[n].is_served.reset();
        const bool done = put(archive_, numbered(n)).has_value();
        if (done) all[n].is_served = true;
        return done;
    }

    std::map<int, Expected> all;

private:
    Archive& archive_;
};

/// Deletes, restores, stores again and purges until the end or the failure; what is promised then.
std::map<int, Expected> keep_house(const std::string& path, StorageLayout layout, FaultyFileSystem& files,
                                   bool& finished, std::uint64_t* compacted) {
    auto options = small_volumes(layout, &files);
    options.data_dir = path;
    auto archive = Archive::open(options);
    if (!archive) return {};
    Script script(**archive);
    auto& keeper = (*archive)->keeper();
    finished = script.remove(0, 0s);
    finished = script.remove(6, 24h) && finished;
    finished = script.remove(7, 24h) && finished;
    finished = script.restore(6) && finished;
    finished = script.remove(12, 0s) && finished;
    finished = script.store(7) && finished;
    const auto purged = keeper.purge(std::time(nullptr) + 1);
    finished = purged.has_value() && finished;
    if (compacted != nullptr && purged) *compacted = purged->compacted;
    finished = script.store(12) && finished;
    finished = script.remove(3, 24h) && finished;
    finished = keeper.purge(kAll).has_value() && finished;
    return script.all;
}

struct Case {
    const char* name;
    Fault fault;
    bool power_lost;
    int survivors;
    bool index_lost;
    StorageLayout layout = StorageLayout::volumes;
    bool punches = true;
};

class DeletionCrash : public ::testing::TestWithParam<Case> {};

void expect_sound(const std::string& path, const std::map<int, Expected>& expected, const Case& how) {
    std::vector<std::string> lines;
    {
        auto archive = open_archive(path, small_volumes(how.layout));
        ASSERT_NE(archive, nullptr);
        EXPECT_TRUE(how.index_lost || archive->recovery().damage.empty());
        for (int n = 0; n < kInstances; ++n) {
            const auto sample = numbered(n);
            const auto bytes = served(*archive, sample.sop_uid);
            const auto known = expected.find(n);
            const auto wanted = known == expected.end() ? Expected{} : known->second;
            EXPECT_EQ(!bytes.empty(), wanted.is_served.value_or(!bytes.empty())) << n;
            EXPECT_TRUE(bytes.empty() || bytes == file_bytes(sample)) << "changed: " << n;
        }
        ASSERT_TRUE(put(*archive, numbered(kInstances))) << "usable again";
        ASSERT_TRUE(archive->keeper().purge(kAll)) << "and finishes what was begun";
        EXPECT_TRUE(archive->keeper().deleted()->empty());
        lines = everything(archive->index());
    }
    auto report = verify(path, [](std::string_view line) { ADD_FAILURE() << line; });
    ASSERT_TRUE(report) << report.error().message();
    ASSERT_TRUE(reindex(path, {}));
    EXPECT_EQ(everything(open_archive(path, small_volumes(how.layout))->index()), lines)
        << "a rebuilt index is another one";
}

TEST_P(DeletionCrash, KeepsWhatWasAnsweredWhereverItHappens) {
    const auto& how = GetParam();
    log::set_level(log::Level::off);
    TemporaryDirectory filled;
    {
        auto archive = open_archive(filled.path(), small_volumes(how.layout));
        for (int n = 0; n < kInstances; ++n) ASSERT_TRUE(put(*archive, numbered(n)));
        ASSERT_TRUE(how.punches || are_sealed(filled.path(), 1));
    }
    for (std::size_t at = 0;; ++at) {
        SCOPED_TRACE(fmt::format("failing call {}", at));
        TemporaryDirectory directory;
        std::filesystem::copy(filled.path(), directory.path(), std::filesystem::copy_options::recursive);
        FaultyFileSystem files(how.fault, at);
        files.punches(how.punches);
        bool finished = false;
        std::uint64_t compacted = 0;
        const auto expected = keep_house(directory.path(), how.layout, files, finished, &compacted);
        const bool reached = files.calls() > at;
        if (how.power_lost) {
            files.lose_power([&](std::size_t n) {
                return how.survivors != 0 && n % static_cast<std::size_t>(how.survivors) == 0;
            });
        }
        if (how.index_lost) {
            for (const auto* suffix : {"", "-wal", "-shm"})
                std::filesystem::remove(directory.path() + "/index.sqlite" + suffix);
        }
        expect_sound(directory.path(), expected, how);
        if (!reached) {
            EXPECT_TRUE(finished);
            EXPECT_EQ(compacted != 0, !how.punches) << "a volume with few members was purged";
            break;
        }
        if (::testing::Test::HasFailure()) break;
    }
    log::set_level(log::Level::info);
}

std::vector<Case> cases() {
    std::vector<Case> all{{"PowerCut", Fault::power_cut, true, 0, false},
                          {"PowerCutReordered", Fault::power_cut, true, 3, false},
                          {"PowerCutAndIndexLost", Fault::power_cut, true, 2, true},
                          {"Killed", Fault::power_cut, false, 0, false},
                          {"KilledAndIndexLost", Fault::power_cut, false, 0, true},
                          {"Error", Fault::error, true, 2, false},
                          {"DiskFull", Fault::disk_full, false, 0, false}};
    const auto volumes = all;
    for (auto one : volumes) {
        one.layout = StorageLayout::files;
        all.push_back(one);
    }
    for (auto one : volumes) {
        if (one.index_lost || one.survivors == 3) continue;
        one.punches = false;  // so that volumes are compacted
        all.push_back(one);
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(Everywhere, DeletionCrash, ::testing::ValuesIn(cases()), [](const auto& instance) {
    const auto& how = instance.param;
    const auto* kind = how.layout == StorageLayout::files ? "Files" : "";
    return std::string(how.punches ? kind : "Compacting") + how.name;
});

}  // namespace
}  // namespace sagitta::storage::testing
