#include "service/sub_operations.h"

#include <gtest/gtest.h>

namespace sagitta::service {
namespace {

using net::dimse::Status;

dicom::Uid uid(std::string_view text) {
    return *dicom::Uid::parse(text);
}

TEST(SubOperations, CountsByStatus) {
    SubOperations operations(4);
    operations.answered(uid("1.1"), Status::success);
    operations.answered(uid("1.2"), Status::coercion_of_data_elements);
    operations.answered(uid("1.3"), Status::out_of_resources);
    const auto counts = operations.counts();
    EXPECT_EQ(counts.remaining, 1);
    EXPECT_EQ(counts.completed, 1);
    EXPECT_EQ(counts.warning, 1);
    EXPECT_EQ(counts.failed, 1);
    const auto outcome = operations.outcome(false, "why");
    EXPECT_EQ(outcome.outcome.status, Status::coercion_of_data_elements);
    ASSERT_EQ(outcome.failed_sop_instance_uids.size(), 1u);
    EXPECT_EQ(outcome.failed_sop_instance_uids[0], uid("1.3"));
}

TEST(SubOperations, NothingAskedForIsSuccessAndAllFailedIsRefused) {
    EXPECT_EQ(SubOperations(0).outcome(false, {}).outcome.status, Status::success);
    SubOperations failed(1);
    failed.failed(uid("1.1"));
    EXPECT_EQ(failed.outcome(false, "why").outcome.status, Status::unable_to_perform_sub_operations);
    EXPECT_EQ(SubOperations(3).outcome(true, {}).outcome.status, Status::cancel);
}

TEST(SubOperations, CountsSaturateInsteadOfWrapping) {
    EXPECT_EQ(SubOperations(70000).counts().remaining, 65535);
}

}  // namespace
}  // namespace sagitta::service
