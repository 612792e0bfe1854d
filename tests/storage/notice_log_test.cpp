// Notices wait until they are told, one for each peer, study and step; the cursor forgets what it has passed.
#include "storage/notice_log.h"

#include <gtest/gtest.h>

#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

TEST(NoticeLog, KeepsOneForEachPeerStudyAndStep) {
    TemporaryDirectory directory;
    const Notice first{0, "RIS", "1.1", "1.2.3", "1.2.9", 1000};
    const Notice other{0, "'); DROP TABLE notice; --", "1.2", "1.2.3", "", 1000};
    {
        auto log = std::move(*NoticeLog::open(directory.path()));
        ASSERT_TRUE(log->add({first, other}));
    }
    auto log = std::move(*NoticeLog::open(directory.path()));
    auto waiting = *log->waiting("RIS", 10);
    ASSERT_EQ(waiting.size(), 1u);
    EXPECT_EQ(waiting[0].step_instance_uid, "1.2.9");
    EXPECT_EQ(log->waiting(other.peer, 10)->size(), 1u);

    const Notice before = waiting[0];
    ASSERT_TRUE(log->add({Notice{0, "RIS", "1.5", "1.2.3", "1.2.9", 2000}}));
    ASSERT_TRUE(log->remove(before));
    waiting = *log->waiting("RIS", 10);
    ASSERT_EQ(waiting.size(), 1u) << "begun anew while it was told";
    EXPECT_EQ(waiting[0].sop_instance_uid, "1.5");
    EXPECT_EQ(waiting[0].created, 2000);
    ASSERT_TRUE(log->remove(waiting[0]));
    EXPECT_TRUE(log->waiting("RIS", 10)->empty());
}

TEST(NoticeLog, RemembersWhatHasBeenSeenTo) {
    TemporaryDirectory directory;
    auto log = std::move(*NoticeLog::open(directory.path()));
    EXPECT_FALSE(*log->cursor());
    ASSERT_TRUE(log->set_cursor(0));
    EXPECT_EQ(**log->cursor(), 0u);
    ASSERT_TRUE(log->add({}, "1.2.3", 50));
    ASSERT_TRUE(log->add({Notice{0, "RIS", "1.1", "1.2.4", "", 1000}}, "1.2.4", 70));
    EXPECT_EQ(*log->seen_of("1.2.3"), 50u);
    EXPECT_EQ(*log->seen_of("1.2.5"), 0u);
    ASSERT_TRUE(log->set_cursor(60));
    EXPECT_EQ(**log->cursor(), 60u);
    EXPECT_EQ(*log->seen_of("1.2.3"), 0u) << "all behind the cursor is new";
    EXPECT_EQ(*log->seen_of("1.2.4"), 70u);
    EXPECT_EQ(log->waiting("RIS", 10)->size(), 1u);
}

}  // namespace
}  // namespace sagitta::storage::testing
