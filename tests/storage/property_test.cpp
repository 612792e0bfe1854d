// Random work against a model, with crashes in between: what was acknowledged is there, what was not is there
// whole or not at all, and the index is the one a rebuild makes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "core/log.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "tests/storage/faulty_file_system.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using Fault = FaultyFileSystem::Fault;
constexpr int kUids = 12;
constexpr int kContents = 4;
constexpr int kAbsent = -1;

Sample sample_of(int uid, int content) {
    Sample sample;
    sample.patient_id = fmt::format("P{}", uid / 8);
    sample.study_uid = fmt::format("1.2.{}", uid / 4);
    sample.series_uid = fmt::format("1.2.{}.1", uid / 2);
    sample.sop_uid = fmt::format("1.2.3.4.{}", uid);
    const auto bytes = static_cast<std::size_t>(200 + 700 * content + 31 * uid);
    sample.content = std::string(bytes, static_cast<char>('a' + content));
    return sample;
}

class Episode {
public:
    Episode(std::uint32_t seed, StorageLayout layout, OnConflict on_conflict) : chance_(seed) {
        options_.layout = layout;
        options_.on_conflict = on_conflict;
        options_.volume_size = 12'000;
        options_.data_dir = directory_.path();
        for (int uid = 0; uid < kUids; ++uid) possible_[uid] = {kAbsent};
    }

    void play(int steps) {
        start(Fault::none);
        for (int n = 0; n < steps && !::testing::Test::HasFailure(); ++n) {
            switch (below(16)) {
                case 0: restart(); break;
                case 1: rebuild(); break;
                case 2: start_with_a_fault(); break;
                case 12:
                case 13: remove_one(); break;
                case 14: restore_one(); break;
                case 15: purge(); break;
                default: store_some();
            }
            if (!archive_ || archive_->status().failed) crash();
        }
        restart();
        rebuild();
        archive_.reset();
        auto report = verify(directory_.path(), [](std::string_view line) { ADD_FAILURE() << line; });
        EXPECT_TRUE(report) << report.error().message();
    }

    [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] std::size_t crashes() const { return crashes_; }
    [[nodiscard]] std::size_t deleted() const { return deleted_; }
    [[nodiscard]] std::size_t restored() const { return restored_; }

private:
    template <class... Arguments>
    void note(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        history_ += fmt::format(format, std::forward<Arguments>(arguments)...);
    }
    int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(chance_); }

    void start(Fault fault) {
        archive_.reset();
        const auto at = static_cast<std::size_t>(below(60));
        note("\nstart, fault {} at {}", static_cast<int>(fault), at);
        files_ = std::make_unique<FaultyFileSystem>(fault, at);
        options_.file_system = files_.get();
        auto opened = Archive::open(options_);
        if (opened) archive_ = std::move(*opened);
        EXPECT_TRUE(archive_ || fault != Fault::none) << opened.error().message();
    }

    void start_with_a_fault() {
        constexpr std::array kFaults{Fault::power_cut, Fault::power_cut, Fault::error, Fault::disk_full};
        start(kFaults[static_cast<std::size_t>(below(kFaults.size()))]);
        if (archive_) expect_served();
    }

    void restart() {
        start(Fault::none);
        expect_served();
    }

    /// The process is gone, and mostly the power with it: blocks that were not synced survive or not.
    void crash() {
        ++crashes_;
        archive_.reset();
        const int survivors = below(4);
        const bool loses_power = below(4) != 0;
        note("\ncrash{} {}", loses_power ? " and power cut" : "", survivors);
        if (loses_power)
            files_->lose_power([&](std::size_t n) {
                return survivors != 0 && n % static_cast<std::size_t>(survivors) == 0;
            });
        restart();
    }

    void rebuild() {
        if (!archive_) return;
        note("\nreindex");
        const auto before = everything(archive_->index());
        archive_.reset();
        ASSERT_TRUE(reindex(directory_.path(), {}));
        start(Fault::none);
        ASSERT_TRUE(archive_);
        EXPECT_TRUE(everything(archive_->index()) == before)
            << "a rebuilt index is another one after " << history_;
        expect_served();
    }

    void store_some() {
        struct Attempt {
            int uid = 0;
            int content = 0;
        };
        std::vector<Attempt> attempts;
        note("\nstore");
        Answers answers;
        for (int n = below(6); n >= 0; --n) {
            const Attempt attempt{below(kUids), below(kContents)};
            sent_[attempt.uid].insert(attempt.content);
            const auto sample = sample_of(attempt.uid, attempt.content);
            const bool streamed = below(3) == 0;
            auto instance =
                streamed ? spooled(*archive_, sample) : Result<IncomingInstance>(incoming(sample));
            if (!instance) continue;
            if (archive_->submit(std::move(*instance), answers.expect(attempts.size())))
                attempts.push_back(attempt);
            else
                answers.refused();
        }
        for (const auto& [n, answer] : answers.wait()) {
            const auto [uid, content] = attempts[n];
            note(" {}:{}{}", uid, content, answer ? fmt::format("={}", static_cast<int>(*answer)) : "!");
            if (answer)
                learn(uid, content, *answer);
            else
                doubt(uid, content);
        }
        if (!archive_->status().failed) expect_served();
    }

    static Scope scope_of(int uid) {
        Scope scope;
        scope.sop_instance_uids = {sample_of(uid, 0).sop_uid};
        return scope;
    }

    void remove_one() {
        const int uid = below(kUids);
        const auto done =
            archive_->keeper().remove(scope_of(uid), {std::chrono::seconds(below(2) * 1000), false});
        note("\nremove {}{}", uid, done ? "" : "!");
        auto& possible = possible_[uid];
        if (done) {
            EXPECT_FALSE(possible == std::set<int>{kAbsent}) << "deleted what is not there";
            possible = {kAbsent};
            last_removed_ = uid;
            ++deleted_;
        } else if (done.error().code == Errc::not_found) {
            EXPECT_TRUE(possible.contains(kAbsent));
        } else {
            possible.insert(kAbsent);
        }
        if (!archive_->status().failed) expect_served();
    }

    void restore_one() {
        const int uid = below(4) == 0 ? below(kUids) : last_removed_;
        const auto done = archive_->keeper().restore(scope_of(uid));
        note("\nrestore {}{}", uid, done ? "" : "!");
        auto& possible = possible_[uid];
        if (done) {
            EXPECT_TRUE(possible.contains(kAbsent)) << "restored over what is there";
            possible = sent_[uid];
            ++restored_;
        } else if (done.error().code != Errc::not_found && possible.contains(kAbsent)) {
            possible.insert(sent_[uid].begin(), sent_[uid].end());
        }
        if (!archive_->status().failed) expect_served();
    }

    void purge() {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
        const auto done = archive_->keeper().purge(seconds + below(2) * 2000);
        note("\npurge{}", done ? "" : "!");
        if (!archive_->status().failed) expect_served();
    }

    /// An answer is a promise: nothing else is possible any more.
    void learn(int uid, int content, IngestOutcome outcome) {
        ++acknowledged_;
        auto& possible = possible_[uid];
        switch (outcome) {
            case IngestOutcome::stored:
                EXPECT_TRUE(possible.contains(kAbsent)) << "stored over what is there";
                possible = {content};
                break;
            case IngestOutcome::duplicate_identical:
                EXPECT_TRUE(possible.contains(content));
                possible = {content};
                break;
            case IngestOutcome::conflict_quarantined:
                possible.erase(content);
                possible.erase(kAbsent);
                EXPECT_FALSE(possible.empty());
                aside_.insert(file_bytes(sample_of(uid, content)));
                break;
            case IngestOutcome::conflict_replaced:
                possible.erase(content);
                possible.erase(kAbsent);
                EXPECT_FALSE(possible.empty());
                if (possible.size() == 1) aside_.insert(file_bytes(sample_of(uid, *possible.begin())));
                possible = {content};
                break;
        }
    }

    /// Refused: what was there stays, or the crash came behind the disk and before the answer.
    void doubt(int uid, int content) {
        auto& possible = possible_[uid];
        if (options_.on_conflict == OnConflict::replace || possible.contains(kAbsent))
            possible.insert(content);
    }

    /// What is served is one of what is possible, whole; having been seen it stays.
    void expect_served() {
        ASSERT_TRUE(archive_);
        files_->be_quiet(true);
        std::size_t present = 0;
        for (auto& [uid, possible] : possible_) {
            const auto bytes = served(*archive_, sample_of(uid, 0).sop_uid);
            int seen = kAbsent;
            for (int content = 0; content < kContents && !bytes.empty(); ++content)
                if (bytes == file_bytes(sample_of(uid, content))) seen = content;
            EXPECT_TRUE(bytes.empty() || seen != kAbsent) << uid << " is neither of them";
            EXPECT_TRUE(possible.contains(seen)) << uid << " serves " << seen << " after " << history_;
            possible = {seen};
            present += seen != kAbsent ? 1 : 0;
        }
        const auto counts = archive_->index().counts();
        ASSERT_TRUE(counts);
        EXPECT_EQ(counts->instances, present);
        files_->be_quiet(false);
        const auto kept = quarantined(directory_.path());
        for (const auto& bytes : aside_) EXPECT_TRUE(kept.contains(bytes)) << "not in quarantine";
    }

    TemporaryDirectory directory_;
    std::mt19937 chance_;
    ArchiveOptions options_;
    std::unique_ptr<FaultyFileSystem> files_;
    std::unique_ptr<Archive> archive_;
    std::map<int, std::set<int>> possible_;  ///< contents by number of the UID
    std::map<int, std::set<int>> sent_;      ///< whatever was ever sent under it
    std::set<std::string> aside_;            ///< files that quarantine was promised to hold
    std::string history_;
    std::size_t acknowledged_ = 0;
    std::size_t crashes_ = 0;
    int last_removed_ = 0;
    std::size_t deleted_ = 0;
    std::size_t restored_ = 0;
};

/// SAGITTA_EPISODES=N plays N of each kind; a failure names the seed.
TEST(RandomWork, AgreesWithTheModel) {
    log::set_level(log::Level::off);
    const char* wanted = std::getenv("SAGITTA_EPISODES");
    const int episodes = wanted != nullptr ? std::atoi(wanted) : 4;
    std::size_t acknowledged = 0;
    std::size_t crashes = 0;
    std::size_t deleted = 0;
    std::size_t restored = 0;
    for (int n = 0; n < episodes && !HasFailure(); ++n) {
        for (const auto& [layout, on_conflict] : {std::pair{StorageLayout::volumes, OnConflict::keep},
                                                  std::pair{StorageLayout::volumes, OnConflict::replace},
                                                  std::pair{StorageLayout::files, OnConflict::keep}}) {
            SCOPED_TRACE(fmt::format("seed {}, layout {}, on_conflict {}", n, static_cast<int>(layout),
                                     static_cast<int>(on_conflict)));
            Episode episode(static_cast<std::uint32_t>(n), layout, on_conflict);
            episode.play(60);
            acknowledged += episode.acknowledged();
            crashes += episode.crashes();
            deleted += episode.deleted();
            restored += episode.restored();
        }
    }
    log::set_level(log::Level::info);
    if (episodes != 0) {
        EXPECT_GT(acknowledged, 100u);
        EXPECT_GT(crashes, 10u);
        EXPECT_GT(deleted, 10u);
        EXPECT_GT(restored, 1u);
    }
    fmt::print("{} episodes of each kind: {} acknowledged, {} deleted, {} restored, {} crashes\n", episodes,
               acknowledged, deleted, restored, crashes);
}

}  // namespace
}  // namespace sagitta::storage::testing
