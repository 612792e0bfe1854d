// Commitment requests survive, and an instance is intact only when every byte is.
#include "storage/commitment_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/instance_check.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

TEST(CommitmentLog, KeepsRequestsUntilTheyAreRemoved) {
    TemporaryDirectory directory;
    CommitmentRequest request{0, "1.2.3", "SCANNER", 1700000000, {{"1.2", "1.2.4"}, {"1.2", "1.2.5"}}};
    std::int64_t first = 0;
    {
        auto log = CommitmentLog::open(directory.path());
        ASSERT_TRUE(log) << log.error().message();
        first = *(*log)->add(request);
        EXPECT_EQ(*(*log)->add(request), first) << "the same transaction";
        CommitmentRequest changed = request;
        changed.references.pop_back();
        EXPECT_EQ((*log)->add(changed).error().code, Errc::invalid_argument);
        request.requestor = "OTHER";
        EXPECT_NE(*(*log)->add(request), first);
    }
    auto log = CommitmentLog::open(directory.path());
    ASSERT_TRUE(log);
    auto left = *(*log)->open_requests();
    ASSERT_EQ(left.size(), 2u);
    EXPECT_EQ(left[0].id, first);
    EXPECT_EQ(left[0].requestor, "SCANNER");
    EXPECT_EQ(left[0].received, 1700000000);
    EXPECT_EQ(*(*log)->references(first), request.references);
    ASSERT_TRUE((*log)->remove(first));
    EXPECT_TRUE((*log)->references(first)->empty());
    left = *(*log)->open_requests();
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].requestor, "OTHER");
}

TEST(InstanceCheck, FindsWhatIsNotAsItCame) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path());
    Sample sample;
    sample.content = std::string(3'000'000, 'x') + "here";
    ASSERT_TRUE(put(*archive, sample));
    const auto check = InstanceCheck::make(directory.path(), archive->store());
    EXPECT_EQ(*check->check(sample.sop_class, sample.sop_uid), InstanceState::intact);
    EXPECT_EQ(*check->check(sample.sop_class, "1.2.3.4.6"), InstanceState::unknown);
    EXPECT_EQ(*check->check("1.2.840.10008.5.1.4.1.1.4", sample.sop_uid), InstanceState::other_class);

    const std::string path = directory.path() + "/volumes/00000001.tar";
    std::fstream volume(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(volume)), {});
    const auto at = bytes.find("here");
    ASSERT_NE(at, std::string::npos);
    volume.clear();
    volume.seekp(static_cast<std::streamoff>(at));
    volume.put('H');
    volume.close();
    EXPECT_EQ(*check->check(sample.sop_class, sample.sop_uid), InstanceState::damaged);
}

}  // namespace
}  // namespace sagitta::storage::testing
