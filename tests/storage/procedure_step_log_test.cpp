// Procedure steps survive, are found by study and by what is awaited, and are forgotten when they are old.
#include "storage/procedure_step_log.h"

#include <gtest/gtest.h>

#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

ProcedureStep step_of(std::string uid, std::vector<std::string> studies, std::int64_t time) {
    ProcedureStep step;
    step.sop_instance_uid = std::move(uid);
    step.sender = "CT'); --";
    step.study_instance_uids = std::move(studies);
    step.created = step.changed = time;
    step.data_set = {std::byte{1}, std::byte{0}, std::byte{2}};
    return step;
}

TEST(ProcedureStepLog, KeepsStepsAndTheirChanges) {
    TemporaryDirectory directory;
    ProcedureStep step = step_of("1.2.1", {"1.2", "1.3"}, 1000);
    {
        auto log = ProcedureStepLog::open(directory.path());
        ASSERT_TRUE(log) << log.error().message();
        step.id = *(*log)->add(step);
        EXPECT_EQ((*log)->add(step).error().code, Errc::already_exists);
        EXPECT_EQ(*(*log)->count_in_progress(), 1u);
        step.state = StepState::completed;
        step.study_instance_uids = {"1.2"};
        step.changed = 2000;
        step.data_set.push_back(std::byte{7});
        ASSERT_TRUE((*log)->update(step));
    }
    auto log = ProcedureStepLog::open(directory.path());
    ASSERT_TRUE(log);
    const auto found = *(*log)->find("1.2.1");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->state, StepState::completed);
    EXPECT_EQ(found->sender, step.sender);
    EXPECT_EQ(found->study_instance_uids, step.study_instance_uids);
    EXPECT_EQ(found->created, 1000);
    EXPECT_EQ(found->changed, 2000);
    EXPECT_EQ(found->data_set, step.data_set);
    EXPECT_EQ((*(*log)->find(step.id))->sop_instance_uid, "1.2.1");
    EXPECT_FALSE(*(*log)->find("1.2.2"));
    EXPECT_EQ((*log)->of_study("1.2")->size(), 1u);
    EXPECT_TRUE((*log)->of_study("1.3")->empty());
    EXPECT_EQ(*(*log)->count_in_progress(), 0u);
}

TEST(ProcedureStepLog, KnowsWhatIsAwaitedAndForgetsWhatIsOld) {
    TemporaryDirectory directory;
    auto log = std::move(*ProcedureStepLog::open(directory.path()));
    std::vector<ProcedureStep> steps;
    for (int n = 0; n < 3; ++n) {
        steps.push_back(step_of("1.2." + std::to_string(n + 1), {"1.2"}, 1000 * (n + 1)));
        steps.back().id = *log->add(steps.back());
    }
    EXPECT_TRUE(log->awaited()->empty()) << "in progress";
    steps[0].state = StepState::completed;
    steps[1].state = StepState::discontinued;
    ASSERT_TRUE(log->update(steps[0]));
    ASSERT_TRUE(log->update(steps[1]));
    ASSERT_EQ(log->awaited()->size(), 2u);
    ASSERT_TRUE(log->set_arrived(steps[0].id, 5000));
    ASSERT_EQ(log->awaited()->size(), 1u);
    EXPECT_EQ(log->awaited()->front().id, steps[1].id);
    EXPECT_EQ((*log->find("1.2.1"))->arrived, 5000);
    EXPECT_EQ(log->list(steps[0].id, 1)->front().id, steps[1].id);
    EXPECT_EQ(*log->forget_before(3000), 2u);
    ASSERT_EQ(log->list(0, 100)->size(), 1u);
    ASSERT_EQ(log->of_study("1.2")->size(), 1u);
    EXPECT_EQ(log->of_study("1.2")->front().id, steps[2].id);
}

TEST(ProcedureStepLog, IsReadBesideItsWriter) {
    TemporaryDirectory directory;
    EXPECT_EQ(ProcedureStepLog::open_to_read(directory.path()).error().code, Errc::not_found);
    auto log = std::move(*ProcedureStepLog::open(directory.path()));
    ASSERT_TRUE(log->add(step_of("1.2.1", {"1.2"}, 1000)));
    auto reader = ProcedureStepLog::open_to_read(directory.path());
    ASSERT_TRUE(reader) << reader.error().message();
    EXPECT_EQ((*reader)->list(0, 10)->size(), 1u);
    EXPECT_FALSE((*reader)->add(step_of("1.2.2", {}, 1000)));
}

}  // namespace
}  // namespace sagitta::storage::testing
