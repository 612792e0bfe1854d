// What a step names, beside what the archive has: a pure count, the evidence made of it, and the watch that
// waits for the rest.
#include "service/completeness.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/transfer_syntax.h"
#include "dicom/writer.h"
#include "service/completion_watch.h"
#include "storage/change_feed.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::service {
namespace {

using storage::StepState;
namespace tags = dicom::tags;

constexpr auto kPatience = std::chrono::seconds(20);

/// An archive that has these instances.
class Instances final : public storage::InstanceIndex {
public:
    void add(std::string uid) {
        const std::lock_guard lock(mutex_);
        uids_.insert(std::move(uid));
    }
    std::atomic<int> asked = 0;

    Result<std::optional<storage::InstanceLocation>> find_instance(const dicom::Uid& uid) const override {
        const std::lock_guard lock(mutex_);
        ++const_cast<Instances*>(this)->asked;
        if (!uids_.contains(uid.str())) return std::optional<storage::InstanceLocation>();
        return std::optional(storage::InstanceLocation());
    }
    Result<storage::FindSummary> find(const storage::Query&,
                                      const std::function<bool(const storage::Match&)>&) const override {
        return storage::FindSummary();
    }
    std::vector<dicom::MatchKey> unindexed(const storage::Query&) const override { return {}; }
    Result<std::vector<storage::InstanceLocation>> locate(const storage::Scope&) const override {
        return std::vector<storage::InstanceLocation>();
    }
    Result<storage::IndexCounts> counts() const override { return storage::IndexCounts(); }
    Result<std::vector<storage::Event>> events(std::uint64_t, std::uint64_t) const override {
        return std::vector<storage::Event>();
    }

private:
    mutable std::mutex mutex_;
    std::set<std::string> uids_;
};

void add_references(dicom::DataSetBuilder& builder, dicom::Tag sequence,
                    const std::vector<const char*>& uids) {
    builder.begin_sequence(sequence);
    for (const char* uid : uids) {
        builder.begin_item();
        builder.add_text(tags::ReferencedSOPClassUID, dicom::Vr::UI, "1.2.840.10008.5.1.4.1.1.2");
        if (*uid != 0) builder.add_text(tags::ReferencedSOPInstanceUID, dicom::Vr::UI, uid);
        builder.end();
    }
    builder.end();
}

dicom::DataSet data_set_with(const std::vector<const char*>& images, const std::vector<const char*>& others) {
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::PerformedSeriesSequence);
    builder.begin_item();
    add_references(builder, tags::ReferencedImageSequence, images);
    builder.add_text(tags::SeriesInstanceUID, dicom::Vr::UI, "1.2.9");
    add_references(builder, tags::ReferencedNonImageCompositeSOPInstanceSequence, others);
    builder.end();
    builder.end();
    return builder.finish();
}

storage::ProcedureStep step_with(StepState state, const std::vector<const char*>& images) {
    static std::atomic<int> count = 0;
    storage::ProcedureStep step;
    step.sop_instance_uid = "1.2.7." + std::to_string(++count);
    step.state = state;
    step.study_instance_uids = {"1.2.3"};
    ByteBuffer bytes;
    EXPECT_TRUE(dicom::write_data_set(data_set_with(images, {}), dicom::explicit_vr_little_endian(), bytes));
    step.data_set.assign(bytes.span().begin(), bytes.span().end());
    return step;
}

TEST(Completeness, NamesEachInstanceOnceFromBothSequences) {
    const auto found = expected_instances(data_set_with({"1.1", "1.2", "1.1", ""}, {"1.3", "1.2"}));
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0], (ExpectedInstance{"1.2.9", "1.2.840.10008.5.1.4.1.1.2", "1.1"}));
    EXPECT_EQ(found[2].sop_instance_uid, "1.3");
    EXPECT_TRUE(expected_instances(dicom::DataSet()).empty());
}

TEST(Completeness, IsProvenByCompletedStepsAlone) {
    Instances archive;
    archive.add("1.1");
    archive.add("1.2");
    const auto proven = [&](std::vector<storage::ProcedureStep> steps) {
        std::vector<StepProgress> all;
        for (auto& step : steps) all.push_back(*progress_of(std::move(step), archive));
        return prove_complete(all);
    };
    const auto done = step_with(StepState::completed, {"1.1", "1.2"});
    EXPECT_TRUE(proven({done}));
    EXPECT_TRUE(proven({done, step_with(StepState::discontinued, {})}));
    EXPECT_FALSE(proven({}));
    EXPECT_FALSE(proven({step_with(StepState::completed, {})})) << "nothing is named";
    EXPECT_FALSE(proven({step_with(StepState::discontinued, {"1.1"})}));
    EXPECT_FALSE(proven({done, step_with(StepState::in_progress, {})}));
    EXPECT_FALSE(proven({done, step_with(StepState::completed, {"1.3"})}));
    const auto missing = progress_of(step_with(StepState::completed, {"1.1", "1.3"}), archive);
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->missing, std::vector<std::string>{"1.3"});
    EXPECT_EQ(missing->present(), 1u);
}

class CompletionWatchTest : public testing::Test {
protected:
    CompletionWatchTest() : log_(std::move(*storage::ProcedureStepLog::open(folder_.path().string()))) {
        settings_.look = std::chrono::milliseconds(1);
        settings_.longest_look = std::chrono::milliseconds(5);
        settings_.on_arrival = [this](const StepProgress& progress) -> Result<void> {
            if (refusals-- > 0) return Error(Errc::io_failure, "not now");
            arrived = progress.step.id;
            return {};
        };
    }

    std::int64_t add(storage::ProcedureStep step) {
        step.changed = 4'000'000'000;
        step.id = *log_->add(step);
        EXPECT_TRUE(log_->update(step));
        return step.id;
    }
    bool becomes(std::int64_t id) {
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (log_->find(id)->value().arrived == 0 && std::chrono::steady_clock::now() < end)
            std::this_thread::yield();
        return log_->find(id)->value().arrived != 0;
    }

    test::TemporaryFolder folder_;
    std::unique_ptr<storage::ProcedureStepLog> log_;
    Instances archive_;
    CompletionWatchSettings settings_;
    std::atomic<int> refusals{0};
    std::atomic<std::int64_t> arrived{0};
};

TEST_F(CompletionWatchTest, TellsWhenTheLastOneIsThere) {
    const auto id = add(step_with(StepState::completed, {"1.1", "1.2"}));
    archive_.add("1.1");
    refusals = 2;
    CompletionWatch watch(*log_, archive_, settings_);
    ASSERT_TRUE(watch.start());
    while (archive_.asked < 10) std::this_thread::yield();
    EXPECT_EQ(arrived, 0);
    archive_.add("1.2");
    EXPECT_TRUE(becomes(id));
    EXPECT_EQ(arrived, id);
    EXPECT_EQ(refusals, -1) << "asked until it was taken";
}

TEST_F(CompletionWatchTest, TakesStepsThatEndLater) {
    CompletionWatch watch(*log_, archive_, settings_);
    ASSERT_TRUE(watch.start());
    archive_.add("1.1");
    const auto going = add(step_with(StepState::in_progress, {"1.1"}));
    const auto done = add(step_with(StepState::discontinued, {}));
    watch.step_ended();
    EXPECT_TRUE(becomes(done)) << "it names nothing";
    watch.stop();
    EXPECT_EQ(log_->find(going)->value().arrived, 0);
}

TEST_F(CompletionWatchTest, ForgetsOldSteps) {
    auto old = step_with(StepState::in_progress, {});
    old.changed = 1000;
    ASSERT_TRUE(log_->add(old));
    const auto done = add(step_with(StepState::completed, {}));
    CompletionWatch watch(*log_, archive_, settings_);
    ASSERT_TRUE(watch.start());
    EXPECT_TRUE(becomes(done));
    watch.stop();
    EXPECT_EQ(log_->list(0, 10)->size(), 1u);
}

}  // namespace
}  // namespace sagitta::service
