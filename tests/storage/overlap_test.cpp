// A batch is indexed while the next one is written: in that order it is answered, and when the index fails
// nothing of either stays.
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "storage/index_writer.h"
#include "storage/ingest.h"
#include "storage/tar.h"
#include "storage/volume_writer.h"
#include "tests/storage/sample.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::storage {
namespace {

using testing::incoming;
using testing::Sample;

/// Lets appends through one by one.
class Gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return allowed_ != 0; });
        --allowed_;
        --waiting_;
    }
    void allow(int count) {
        const std::lock_guard lock(mutex_);
        allowed_ += count;
        changed_.notify_all();
    }
    void wait_for_one() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_ != 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0, allowed_ = 0;
};

class GatedWriter final : public MemberWriter {
public:
    GatedWriter(VolumeWriter writer, Gate& gate) : writer_(std::move(writer)), gate_(gate) {}
    Result<void> open() { return writer_.open(1, 0, false); }
    Result<void> reserve(std::uint64_t bytes) override { return writer_.reserve(bytes); }
    std::uint64_t room() const noexcept override { return writer_.room(); }
    Result<Placement> append(std::span<const NewMember> members) override {
        gate_.pass();
        if (fails_next) return Error(std::exchange(fails_next, std::nullopt).value(), "injected");
        return writer_.append(members);
    }
    Result<Placement> adopt(const TarMember& header, SpooledInstance& spooled) override {
        return writer_.adopt(header, spooled);
    }
    bool can_follow(std::uint64_t bytes) const noexcept override { return writer_.can_follow(bytes); }
    Result<void> undo_append() override { return writer_.undo_append(); }

    std::optional<Errc> fails_next;

private:
    VolumeWriter writer_;
    Gate& gate_;
};

/// Fails a commit.
class FailingIndex final : public IndexWriter {
public:
    explicit FailingIndex(std::unique_ptr<IndexWriter> index) : index_(std::move(index)) {}
    Result<std::optional<StoredDataSet>> stored(const dicom::Uid& uid) override {
        return index_->stored(uid);
    }
    Result<bool> has_study(const dicom::Uid& uid) override { return index_->has_study(uid); }
    Result<void> begin() override { return index_->begin(); }
    Result<bool> insert(const IndexEntry& entry) override { return index_->insert(entry); }
    Result<void> set_mark(const VolumeMark& mark) override { return index_->set_mark(mark); }
    Result<void> commit() override {
        if (fails_next) return Error(std::exchange(fails_next, std::nullopt).value(), "injected");
        return index_->commit();
    }
    void rollback() override { index_->rollback(); }
    Result<std::vector<VolumeMark>> marks() override { return index_->marks(); }
    Result<IndexContents> contents() override { return index_->contents(); }
    Result<DeletionIndex*> deletions() override { return index_->deletions(); }
    AttributeRows& attributes() noexcept override { return index_->attributes(); }
    Result<void> optimize() override { return index_->optimize(); }

    std::optional<Errc> fails_next;

private:
    std::unique_ptr<IndexWriter> index_;
};

class Overlap : public ::testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(layout_.volumes());
        auto index = IndexWriter::open(layout_.index(), IndexWriter::Purpose::serve);
        ASSERT_TRUE(index) << index.error().message();
        auto failing = std::make_unique<FailingIndex>(std::move(*index));
        index_ = failing.get();
        auto gated = std::make_unique<GatedWriter>(
            VolumeWriter(real_file_system(), layout_, 1u << 30, 0, [](std::uint32_t) {}), gate_);
        ASSERT_TRUE(gated->open());
        writer_ = gated.get();
        ingest_ = std::make_unique<Ingest>(options_, real_file_system(), layout_, std::move(failing),
                                           std::move(gated));
    }
    void TearDown() override {
        gate_.allow(1000);
        ingest_.reset();
    }

    /// The answer is kept under `name`; empty: the UID.
    void submit(const std::string& uid, const std::string& name = {}) {
        Sample sample;
        sample.sop_uid = uid;
        auto instance = incoming(sample);
        lengths_[uid] = tar_footprint(instance.file_header.size() + instance.data_set.size());
        auto done = [this, key = name.empty() ? uid : name](Result<IngestOutcome> outcome) {
            const std::lock_guard lock(mutex_);
            answers_.insert_or_assign(key, std::move(outcome));
            changed_.notify_all();
        };
        ASSERT_TRUE(ingest_->submit(std::move(instance), std::move(done)));
    }
    /// "stored", "duplicate", or the error.
    std::string answer(const std::string& name) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return answers_.contains(name); });
        const auto& outcome = answers_.at(name);
        if (!outcome) return std::string(to_string(outcome.error().code));
        return *outcome == IngestOutcome::stored ? "stored" : "duplicate";
    }
    [[nodiscard]] bool is_answered(const std::string& uid) {
        const std::lock_guard lock(mutex_);
        return answers_.contains(uid);
    }
    /// One is being written, the other waits for it.
    void one_written_another_waiting() {
        submit("1.1");
        gate_.wait_for_one();
        submit("1.2");
    }
    void expect_on_disk(std::initializer_list<std::string> uids) {
        ingest_.reset();
        std::uint64_t bytes = 0;
        for (const auto& uid : uids) bytes += lengths_.at(uid);
        EXPECT_EQ(std::filesystem::file_size(layout_.volume(1)), bytes);
        auto index = IndexWriter::open(layout_.index(), IndexWriter::Purpose::serve);
        ASSERT_TRUE(index);
        auto contents = (*index)->contents();
        ASSERT_TRUE(contents);
        EXPECT_EQ(contents->members.size(), uids.size());
        EXPECT_TRUE(contents->faults.empty()) << contents->faults.front();
    }

    test::TemporaryFolder folder_;
    Layout layout_{folder_.path().string()};
    ArchiveOptions options_;
    Gate gate_;
    FailingIndex* index_ = nullptr;
    GatedWriter* writer_ = nullptr;
    std::unique_ptr<Ingest> ingest_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Result<IngestOutcome>> answers_;
    std::map<std::string, std::uint64_t> lengths_;
};

TEST_F(Overlap, TheFirstIsAnsweredWhileTheNextIsWritten) {
    one_written_another_waiting();
    gate_.allow(1);
    EXPECT_EQ(answer("1.1"), "stored");
    EXPECT_FALSE(is_answered("1.2")) << "it is not on disk yet";
    gate_.allow(1);
    EXPECT_EQ(answer("1.2"), "stored");
    expect_on_disk({"1.1", "1.2"});
}

TEST_F(Overlap, TheSameAgainWaitsForTheIndex) {
    submit("1.1");
    gate_.wait_for_one();
    submit("1.1", "again");
    gate_.allow(1);
    EXPECT_EQ(answer("1.1"), "stored");
    EXPECT_EQ(answer("again"), "duplicate");
    expect_on_disk({"1.1"});
}

TEST_F(Overlap, NoRoomInTheIndexTakesBothBackAndOthersAreStored) {
    submit("1.0");
    gate_.allow(1);
    ASSERT_EQ(answer("1.0"), "stored");
    one_written_another_waiting();
    index_->fails_next = Errc::no_space;
    gate_.allow(2);
    EXPECT_EQ(answer("1.1"), to_string(Errc::no_space));
    EXPECT_EQ(answer("1.2"), to_string(Errc::no_space));
    gate_.allow(1);
    submit("1.3");
    EXPECT_EQ(answer("1.3"), "stored");
    EXPECT_FALSE(ingest_->status().failed);
    expect_on_disk({"1.0", "1.3"});
}

TEST_F(Overlap, NoRoomForTheSecondHarmsNotTheFirst) {
    one_written_another_waiting();
    gate_.allow(1);
    ASSERT_EQ(answer("1.1"), "stored");
    writer_->fails_next = Errc::no_space;
    gate_.allow(1);
    EXPECT_EQ(answer("1.2"), to_string(Errc::no_space));
    EXPECT_FALSE(ingest_->status().failed);
    expect_on_disk({"1.1"});
}

TEST_F(Overlap, NoRoomForEitherTakesTheFirstBack) {
    one_written_another_waiting();
    index_->fails_next = Errc::no_space;
    gate_.allow(1);
    gate_.wait_for_one();
    writer_->fails_next = Errc::no_space;
    gate_.allow(1);
    EXPECT_EQ(answer("1.1"), to_string(Errc::no_space));
    EXPECT_EQ(answer("1.2"), to_string(Errc::no_space));
    gate_.allow(1);
    submit("1.3");
    EXPECT_EQ(answer("1.3"), "stored");
    expect_on_disk({"1.3"});
}

TEST_F(Overlap, AfterAnIndexThatFailedNothingIsStored) {
    one_written_another_waiting();
    index_->fails_next = Errc::io_failure;
    gate_.allow(2);
    EXPECT_EQ(answer("1.1"), to_string(Errc::io_failure));
    EXPECT_EQ(answer("1.2"), to_string(Errc::io_failure));
    EXPECT_TRUE(ingest_->status().failed);
}

TEST_F(Overlap, AfterAWriteThatFailedTheFirstIsStillAnswered) {
    one_written_another_waiting();
    gate_.allow(1);
    ASSERT_EQ(answer("1.1"), "stored");
    writer_->fails_next = Errc::io_failure;
    gate_.allow(1);
    EXPECT_EQ(answer("1.2"), to_string(Errc::io_failure));
    EXPECT_TRUE(ingest_->status().failed);
    expect_on_disk({"1.1"});
}

}  // namespace
}  // namespace sagitta::storage
