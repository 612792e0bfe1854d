// Deleting, restoring, purging and protecting, without failures: deletion_crash_test.cpp has those.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "core/log.h"
#include "storage/change_feed.h"
#include "storage/keeper.h"
#include "storage/maintenance.h"
#include "storage/note.h"
#include "storage/study_age.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto kAll = std::numeric_limits<std::int64_t>::max();

Sample numbered(int n, std::string_view content = "pixels") {
    Sample sample;
    sample.patient_id = fmt::format("P{}", n / 6);
    sample.patient_name = fmt::format("Doe^Number {}", n);  // each describes its patient otherwise
    sample.study_uid = fmt::format("1.2.{}", n / 3);
    sample.accession = fmt::format("A{}", n);
    sample.series_uid = fmt::format("1.2.{}.{}", n / 3, n % 2);
    sample.modality = n % 2 == 0 ? "CT" : "MR";
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = content;
    return sample;
}

Scope instance(int n) {
    Scope scope;
    scope.sop_instance_uids.push_back(numbered(n).sop_uid);
    return scope;
}

Scope study(int n) {
    Scope scope;
    scope.study_instance_uids.push_back(numbered(n).study_uid);
    return scope;
}

RemovalOptions undoable() {
    RemovalOptions options;
    options.undo_for = 24h;
    return options;
}

class Deletion : public ::testing::TestWithParam<StorageLayout> {
protected:
    void SetUp() override {
        log::set_level(log::Level::off);
        open();
    }
    void TearDown() override { log::set_level(log::Level::info); }

    void open() {
        archive_.reset();
        ArchiveOptions options;
        options.volume_size = 9'000;
        options.layout = GetParam();
        if (!has_files()) options.on_conflict = OnConflict::replace;
        archive_ = open_archive(directory_.path(), options);
    }
    static bool has_files() { return GetParam() == StorageLayout::files; }
    void fill(int count) {
        for (int n = 0; n < count; ++n) ASSERT_TRUE(put(*archive_, numbered(n)));
    }
    Keeper& keeper() { return archive_->keeper(); }
    std::string content(int n) { return served(*archive_, numbered(n).sop_uid); }

    std::vector<std::string> events() {
        std::vector<std::string> all;
        const auto read = archive_->index().events(0, 1000);
        EXPECT_TRUE(read);
        for (const auto& event : *read)
            all.push_back(fmt::format("{} {} {} {}", event.number, to_string(event.kind),
                                      event.sop_instance_uid, event.study_instance_uid));
        return all;
    }

    /// The archive is sound, and what it says is what an index built from nothing says.
    void expect_same_when_rebuilt() {
        const auto lines = everything(archive_->index());
        const auto feed = events();
        const auto protect = keeper().protected_studies();
        const auto deleted = keeper().deleted();
        archive_.reset();
        auto report = verify(directory_.path(), [](std::string_view line) { ADD_FAILURE() << line; });
        EXPECT_TRUE(report && report->problems == 0);
        ASSERT_TRUE(reindex(directory_.path(), [](std::string_view) {}));
        open();
        EXPECT_EQ(everything(archive_->index()), lines);
        EXPECT_EQ(events(), feed);
        EXPECT_EQ(keeper().protected_studies().value(), protect.value());
        ASSERT_EQ(keeper().deleted()->size(), deleted->size());
        for (std::size_t n = 0; n < deleted->size(); ++n) {
            EXPECT_EQ(keeper().deleted()->at(n).instances, deleted->at(n).instances);
            EXPECT_EQ(keeper().deleted()->at(n).until, deleted->at(n).until);
        }
    }

    /// Of everything but the index.
    std::string stored_bytes() {
        std::string all;
        for (const auto* folder : {"/volumes", "/files", "/deleted"}) {
            std::error_code not_there;
            const std::filesystem::recursive_directory_iterator entries(directory_.path() + folder,
                                                                        not_there);
            for (const auto& entry : entries) {
                if (!entry.is_regular_file()) continue;
                std::ifstream file(entry.path(), std::ios::binary);
                all += std::string(std::istreambuf_iterator<char>(file), {});
            }
        }
        return all;
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Archive> archive_;
};

TEST_P(Deletion, OfAnInstanceLeavesTheOthers) {
    fill(12);
    auto report = keeper().remove(instance(4), undoable());
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->instances, 1u);
    EXPECT_EQ(report->study_uids, std::vector<std::string>{numbered(4).study_uid});
    EXPECT_EQ(content(4), "");
    for (const int n : {0, 3, 5, 11}) EXPECT_EQ(content(n), file_bytes(numbered(n)));
    EXPECT_EQ(archive_->index().counts()->instances, 11u);
    EXPECT_TRUE(events().back().find(" deleted 1.2.3.4.4 1.2.1") != std::string::npos) << events().back();
    expect_same_when_rebuilt();
    EXPECT_EQ(content(4), "");
}

TEST_P(Deletion, OfEachLevelTakesAllBelowAndEmptyParents) {
    fill(24);
    ASSERT_TRUE(keeper().remove(study(3), undoable()));
    EXPECT_EQ(archive_->index().counts()->studies, 7u);
    EXPECT_EQ(archive_->index().counts()->patients, 4u);
    Scope series;
    series.series_instance_uids.push_back(numbered(6).series_uid);
    ASSERT_TRUE(keeper().remove(series, undoable()));
    EXPECT_EQ(content(6), "");
    EXPECT_EQ(content(8), "");
    EXPECT_NE(content(7), "");
    Scope patient;
    patient.patient_ids.push_back("P3");
    ASSERT_TRUE(keeper().remove(patient, undoable()));
    EXPECT_EQ(archive_->index().counts()->patients, 3u);
    EXPECT_EQ(archive_->index().counts()->instances, 24u - 3 - 2 - 6);
    expect_same_when_rebuilt();
}

TEST_P(Deletion, OfWhatIsNotThereSaysSo) {
    fill(1);
    EXPECT_EQ(keeper().remove(instance(7), {}).error().code, Errc::not_found);
    EXPECT_EQ(keeper().remove({}, {}).error().code, Errc::not_found);
    EXPECT_EQ(keeper().restore(instance(0)).error().code, Errc::not_found);
    Scope patient;
    patient.patient_ids.push_back("P0");
    EXPECT_EQ(keeper().restore(patient).error().code, Errc::invalid_argument);
    EXPECT_FALSE(archive_->status().failed);
}

TEST_P(Deletion, IsUndoneWithinItsTime) {
    fill(12);
    const auto before = everything(archive_->index());
    ASSERT_TRUE(keeper().remove(study(3), undoable()));
    ASSERT_TRUE(keeper().remove(instance(8), undoable()));
    ASSERT_EQ(keeper().deleted()->size(), 2u);
    EXPECT_EQ(keeper().deleted()->front().instances, 3u);
    auto restored = keeper().restore(study(3));
    ASSERT_TRUE(restored) << restored.error().message();
    EXPECT_EQ(restored->instances, 3u);
    expect_same_when_rebuilt();
    ASSERT_TRUE(keeper().restore(instance(8)));
    EXPECT_EQ(everything(archive_->index()), before);
    for (int n = 0; n < 12; ++n) EXPECT_EQ(content(n), file_bytes(numbered(n)));
    EXPECT_TRUE(events().back().find(" restored 1.2.3.4.8 ") != std::string::npos);
    expect_same_when_rebuilt();
}

TEST_P(Deletion, GivesWayToWhatIsStoredAgain) {
    fill(6);
    ASSERT_TRUE(keeper().remove(study(0), undoable()));
    EXPECT_EQ(*put(*archive_, numbered(0, "newer")), IngestOutcome::stored);
    EXPECT_EQ(content(0), file_bytes(numbered(0, "newer")));
    auto restored = keeper().restore(study(0));
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->instances, 2u) << "the newer one stays";
    EXPECT_EQ(content(0), file_bytes(numbered(0, "newer")));
    EXPECT_EQ(content(1), file_bytes(numbered(1)));
    expect_same_when_rebuilt();
}

TEST_P(Deletion, TakesWhatWasSupersededAndGivesItBack) {
    if (has_files()) GTEST_SKIP() << "a file is never replaced";
    fill(3);
    ASSERT_TRUE(put(*archive_, numbered(1, "second")));
    ASSERT_TRUE(keeper().remove(instance(1), undoable()));
    expect_same_when_rebuilt();
    ASSERT_TRUE(put(*archive_, numbered(1, "third")));
    ASSERT_TRUE(keeper().remove(instance(1), undoable()));
    ASSERT_TRUE(keeper().restore(instance(1)));
    EXPECT_EQ(content(1), file_bytes(numbered(1, "third"))) << "what was deleted last";
    expect_same_when_rebuilt();
    ASSERT_TRUE(keeper().remove(instance(1), {}));
    ASSERT_TRUE(keeper().purge(kAll));
    for (const auto* gone : {"second", "third"}) EXPECT_EQ(stored_bytes().find(gone), std::string::npos);
    expect_same_when_rebuilt();
}

TEST_P(Deletion, PurgedLeavesNoBytes) {
    for (int n = 0; n < 30; ++n) ASSERT_TRUE(put(*archive_, numbered(n, fmt::format("secret {} end", n))));
    ASSERT_TRUE(keeper().remove(study(3), {}));
    ASSERT_TRUE(keeper().remove(instance(7), undoable()));
    open();  // sealed volumes are among them
    auto report = keeper().purge(0);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->members, 0u) << "nobody's time is up";
    report = keeper().purge(std::time(nullptr) + 1);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->members, 3u);
    EXPECT_EQ(stored_bytes().find("secret 4 end"), std::string::npos);
    EXPECT_EQ(stored_bytes().find("Doe^Number 4"), std::string::npos);
    EXPECT_NE(stored_bytes().find("secret 7 end"), std::string::npos);
    EXPECT_EQ(keeper().restore(study(3)).error().code, Errc::not_found);
    expect_same_when_rebuilt();
    ASSERT_TRUE(keeper().restore(instance(7)));
    ASSERT_TRUE(put(*archive_, numbered(4, "again")));
    EXPECT_EQ(content(4), file_bytes(numbered(4, "again")));
    expect_same_when_rebuilt();
    ASSERT_TRUE(keeper().remove(study(6), undoable()));
    EXPECT_EQ(keeper().purge(kAll)->members, 3u);
    expect_same_when_rebuilt();
}

TEST_P(Deletion, DoesNotPurgeWhatIsBeingSent) {
    if (has_files()) GTEST_SKIP() << "a file that is open can be removed";
    fill(3);
    const auto location = **archive_->index().find_instance(*dicom::Uid::parse(numbered(1).sop_uid));
    ASSERT_TRUE(keeper().remove(instance(1), {}));
    auto bytes = archive_->store().read(location, 0, location.length);
    ASSERT_TRUE(bytes) << "found before it was deleted";
    {
        auto range = archive_->store().file_range(location);
        ASSERT_TRUE(range && *range);
        auto report = keeper().purge(kAll);
        ASSERT_TRUE(report);
        EXPECT_EQ(report->members, 0u);
        EXPECT_EQ(report->being_read, 1u);
        EXPECT_NE(stored_bytes().find("Doe^Number 1"), std::string::npos);
        EXPECT_EQ(archive_->store().file_range(location).error().code, Errc::not_found) << "for newcomers";
    }
    EXPECT_EQ(keeper().purge(kAll)->members, 1u);
    EXPECT_EQ(stored_bytes().find("Doe^Number 1"), std::string::npos);
    EXPECT_EQ(archive_->store().read(location, 0, location.length).error().code, Errc::not_found);
    expect_same_when_rebuilt();
}

TEST_P(Deletion, LeavesAttributesOfTheFirstThatIsLeft) {
    fill(6);
    ASSERT_TRUE(keeper().remove(instance(0), {}));
    ASSERT_TRUE(keeper().purge(kAll));
    Query query;
    query.level = Level::study;
    std::vector<std::string> found;
    ASSERT_TRUE(archive_->index().find(query, [&](const Match& match) {
        found.push_back(fmt::format("{} {} {}", match.value(tags::AccessionNumber),
                                    match.value(tags::PatientName), match.value(tags::ModalitiesInStudy)));
        return true;
    }));
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (std::vector<std::string>{"A1 Doe^Number 1 CT\\MR", "A3 Doe^Number 1 CT\\MR"}));
    expect_same_when_rebuilt();
}

TEST_P(Deletion, SparesProtectedStudies) {
    fill(9);
    const std::vector<std::string> uids{numbered(3).study_uid};
    ASSERT_TRUE(keeper().set_protected(uids, true));
    EXPECT_EQ(keeper().remove(study(3), {}).error().code, Errc::refused);
    EXPECT_EQ(keeper().remove(instance(4), {}).error().code, Errc::refused);
    Scope patient;
    patient.patient_ids.push_back("P0");
    EXPECT_EQ(keeper().remove(patient, {}).error().code, Errc::refused);
    EXPECT_NE(content(0), "") << "all or nothing";
    expect_same_when_rebuilt();
    RemovalOptions forced = undoable();
    forced.even_protected = true;
    EXPECT_TRUE(keeper().remove(instance(4), forced));
    ASSERT_TRUE(keeper().set_protected(uids, false));
    EXPECT_TRUE(keeper().remove(study(3), {}));
    expect_same_when_rebuilt();
    EXPECT_EQ(keeper().set_protected(std::vector<std::string>{"no uid"}, true).error().code,
              Errc::invalid_argument);
}

TEST_P(Deletion, TakesTheOldestThatIsNotProtectedFirst) {
    fill(12);
    ASSERT_TRUE(put(*archive_, [] {
        auto late = numbered(0);  // the first study is still growing
        late.sop_uid = "1.2.3.9";
        return late;
    }()));
    ASSERT_TRUE(keeper().set_protected(std::vector<std::string>{numbered(3).study_uid}, true));
    auto oldest = oldest_studies(directory_.path(), 10);
    ASSERT_TRUE(oldest) << oldest.error().message();
    std::vector<std::string> uids;
    for (const auto& study : *oldest) uids.push_back(study.study_instance_uid);
    EXPECT_EQ(uids, (std::vector<std::string>{numbered(6).study_uid, numbered(9).study_uid}))
        << "neither the protected one nor the one that received the last";
    EXPECT_EQ(oldest->front().bytes, 3 * file_bytes(numbered(6)).size());
    EXPECT_EQ(oldest_studies(directory_.path(), 1)->size(), 1u);
}

TEST_P(Deletion, AndCompletionAreEventsOfStudies) {
    fill(6);
    const std::vector<std::string> studies{numbered(0).study_uid, numbered(3).study_uid};
    ASSERT_TRUE(keeper().note_completion(studies, "2.25.7"));
    const auto feed = events();
    ASSERT_EQ(feed.size(), 8u);
    EXPECT_TRUE(feed[6].ends_with(" completed 2.25.7 1.2.0")) << feed[6];
    EXPECT_TRUE(feed[7].ends_with(" completed 2.25.7 1.2.1")) << feed[7];
    fill(7);
    EXPECT_TRUE(events().back().find(" stored ") != std::string::npos);
    expect_same_when_rebuilt();
    EXPECT_EQ(keeper().note_completion(studies, "step").error().code, Errc::invalid_argument);
    EXPECT_EQ(keeper().note_completion({}, "2.25.7").error().code, Errc::invalid_argument);
    const std::vector<std::string> wrong{"no study"};
    EXPECT_EQ(keeper().note_completion(wrong, "2.25.7").error().code, Errc::invalid_argument);
}

TEST_P(Deletion, RefusesBeyondTheRoomThatIsLeft) {
    const auto length = file_bytes(numbered(1)).size();
    keeper().set_room({2 * length + length / 2, kNoLimit});
    fill(2);
    auto third = put(*archive_, numbered(2));
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Errc::no_space);
    keeper().set_room({0, 0});
    EXPECT_EQ(put(*archive_, numbered(1)).value(), IngestOutcome::duplicate_identical) << "needs no room";
    EXPECT_FALSE(archive_->status().failed);
    keeper().set_room({});
    EXPECT_TRUE(put(*archive_, numbered(2)));
}

TEST_P(Deletion, RefusesWhatWouldBeginAStudyTooMany) {
    fill(3);  // of one study
    keeper().set_room({kNoLimit, 1});
    ASSERT_TRUE(put(*archive_, numbered(3))) << "begins the second";
    ASSERT_TRUE(put(*archive_, numbered(4))) << "of the second";
    for (int again = 0; again < 2; ++again) {
        auto third = put(*archive_, numbered(6));
        ASSERT_FALSE(third);
        EXPECT_EQ(third.error().code, Errc::no_space);
    }
    auto more = numbered(1);
    more.sop_uid = "1.2.3.9";
    EXPECT_TRUE(put(*archive_, more)) << "of the first";
    EXPECT_EQ(put(*archive_, numbered(4)).value(), IngestOutcome::duplicate_identical);
    EXPECT_FALSE(archive_->status().failed);
    EXPECT_EQ(archive_->status().stored_instances, 6u);
    EXPECT_EQ(archive_->index().counts()->studies, 2u);
    EXPECT_EQ(archive_->index().counts()->bytes, archive_->status().stored_bytes);
    keeper().set_room({});
    EXPECT_TRUE(put(*archive_, numbered(6)));
}

INSTANTIATE_TEST_SUITE_P(In, Deletion, ::testing::Values(StorageLayout::volumes, StorageLayout::files),
                         [](const auto& instance) {
                             return instance.param == StorageLayout::files ? "Files" : "Volumes";
                         });

class DeletionOfFiles : public Deletion {
protected:
    std::vector<std::string> names(const std::string& folder) {
        std::vector<std::string> all;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(directory_.path() + "/" + folder))
            if (entry.is_regular_file()) all.push_back(entry.path().filename());
        std::sort(all.begin(), all.end());
        return all;
    }
};

TEST_P(DeletionOfFiles, TakesThemOutOfTheTree) {
    fill(4);
    ASSERT_TRUE(keeper().remove(instance(1), undoable()));
    EXPECT_EQ(names("files"), (std::vector<std::string>{"1.2.3.4.0.dcm", "1.2.3.4.2.dcm", "1.2.3.4.3.dcm"}));
    EXPECT_EQ(names("deleted").size(), 1u);
    ASSERT_TRUE(keeper().restore(instance(1)));
    EXPECT_EQ(names("files").size(), 4u);
    EXPECT_EQ(names("deleted").size(), 0u);
    ASSERT_TRUE(keeper().remove(instance(1), {}));
    EXPECT_EQ(keeper().purge(kAll)->members, 1u);
    EXPECT_EQ(names("deleted").size(), 0u);
    expect_same_when_rebuilt();
}

TEST_P(DeletionOfFiles, OfTheSameNameAreKeptApart) {
    fill(1);
    ASSERT_TRUE(keeper().remove(instance(0), undoable()));
    ASSERT_TRUE(put(*archive_, numbered(0, "second")));
    ASSERT_TRUE(keeper().remove(instance(0), undoable()));
    ASSERT_TRUE(put(*archive_, numbered(0, "third")));
    EXPECT_EQ(names("deleted").size(), 2u);
    expect_same_when_rebuilt();
    EXPECT_EQ(content(0), file_bytes(numbered(0, "third")));
    ASSERT_TRUE(keeper().remove(instance(0), {}));
    ASSERT_TRUE(keeper().purge(std::time(nullptr) + 1));
    EXPECT_EQ(names("deleted").size(), 2u);
    ASSERT_TRUE(keeper().purge(kAll));
    EXPECT_EQ(stored_bytes(), "");
    expect_same_when_rebuilt();
}

TEST_P(DeletionOfFiles, LeavesReadersAlone) {
    fill(2);
    const auto location = **archive_->index().find_instance(*dicom::Uid::parse(numbered(1).sop_uid));
    const auto other = **archive_->index().find_instance(*dicom::Uid::parse(numbered(0).sop_uid));
    auto range = archive_->store().file_range(location);
    ASSERT_TRUE(range && *range);
    ASSERT_TRUE(keeper().remove(study(0), {}));
    auto found_before = archive_->store().read(other, 0, other.length);
    ASSERT_TRUE(found_before) << "looked up before it was deleted";
    ASSERT_TRUE(keeper().purge(kAll));
    std::string bytes(static_cast<std::size_t>((*range)->length), '\0');
    ASSERT_EQ(::pread((*range)->descriptor, bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    EXPECT_EQ(bytes, file_bytes(numbered(1)));
}

/// The list is gone: what is in the tree is served, and of what was deleted nothing comes back or is lost.
TEST_P(DeletionOfFiles, StaySoWithoutTheList) {
    fill(9);
    const std::vector<std::string> uids{numbered(6).study_uid};
    ASSERT_TRUE(keeper().set_protected(uids, true));
    ASSERT_TRUE(keeper().remove(study(0), undoable()));
    archive_.reset();
    std::filesystem::remove(directory_.path() + "/files.tsv");
    std::filesystem::remove(directory_.path() + "/index.sqlite");
    open();
    EXPECT_EQ(content(0), "");
    for (int n = 3; n < 9; ++n) EXPECT_EQ(content(n), file_bytes(numbered(n)));
    EXPECT_EQ(names("deleted").size(), 0u);
    EXPECT_EQ(names("quarantine").size(), 3u);
    EXPECT_EQ(archive_->recovery().damage.size(), 1u);
    EXPECT_EQ(archive_->index().counts()->instances, 6u);
}

TEST_P(DeletionOfFiles, KeepsProtectionWhenTheListIsDamaged) {
    fill(9);
    const std::vector<std::string> uids{numbered(6).study_uid, numbered(3).study_uid};
    ASSERT_TRUE(keeper().set_protected(uids, true));
    ASSERT_TRUE(keeper().set_protected(std::vector{uids[1]}, false));
    archive_.reset();
    {
        std::fstream list(directory_.path() + "/files.tsv", std::ios::in | std::ios::out | std::ios::binary);
        list.put('x');
    }
    std::filesystem::remove(directory_.path() + "/index.sqlite");
    open();
    for (int n = 0; n < 9; ++n) EXPECT_EQ(content(n), file_bytes(numbered(n)));
    EXPECT_EQ(*keeper().protected_studies(), std::vector{uids[0]});
    expect_same_when_rebuilt();
}

INSTANTIATE_TEST_SUITE_P(In, DeletionOfFiles, ::testing::Values(StorageLayout::files));

TEST(Note, IsReadAsItIsWritten) {
    NoteLine line;
    line.kind = NoteKind::restored;
    line.study_uid = "1.2";
    line.series_uid = "1.2.3";
    line.sop_uid = "1.2.3.4";
    line.volume = 7;
    line.offset = 512;
    line.length = 99;
    line.when = 1700000000;
    NoteLine other;
    other.kind = NoteKind::protect;
    other.study_uid = "2.25.1";
    NoteLine step;
    step.kind = NoteKind::completed;
    step.study_uid = "1.2";
    step.sop_uid = "1.2.9";
    step.when = 1700000001;
    const std::vector<NoteLine> lines{line, other, step};
    const auto text = note_text(lines);
    EXPECT_EQ(text,
              "#what\tstudy\tseries\tinstance\tvolume\toffset\tlength\twhen\tuntil\n"
              "restored\t1.2\t1.2.3\t1.2.3.4\t7\t512\t99\t1700000000\t0\n"
              "protected\t2.25.1\t\t\t0\t0\t0\t0\t0\n"
              "completed\t1.2\t\t1.2.9\t0\t0\t0\t1700000001\t0\n");
    const auto read = parse_note(text);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 3u);
    EXPECT_EQ(read->at(0).length, 99u);
    EXPECT_EQ(read->at(2).sop_uid, "1.2.9");
    EXPECT_EQ(text.substr(read->at(1).place, 9), "protected");
    EXPECT_TRUE(is_note_member(note_member(text, 1)));
    EXPECT_FALSE(is_instance_member(note_member(text, 1)));
}

TEST(Note, OfALaterVersionIsRefused) {
    for (const auto* wrong :
         {"moved\t1.2\t1.2.3\t1.2.3.4\t7\t512\t99\t1\t0\n", "deleted\t1.2\t1.2.3\t1.2.3.4\t7\t512\t99\t1\n",
          "deleted\t1.2\t1.2.3\t1.2.3.4\t7\t512\t99\t1\t0\t0\n",
          "deleted\t1.2\t\t1.2.3.4\t7\t512\t99\t1\t0\n", "deleted\t1.2\t1.2.3\t1.2.3.4\t-7\t512\t99\t1\t0\n",
          "completed\t1.2\t\t\t0\t0\t0\t1\t0\n", "\n", "protected\tx\t\t\t0\t0\t0\t0\t0\n"}) {
        EXPECT_EQ(parse_note(wrong).error().code, Errc::malformed) << wrong;
    }
}

}  // namespace
}  // namespace sagitta::storage::testing
