#include "audit/spool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace sagitta::audit {
namespace {

class AuditSpool : public testing::Test {
protected:
    Spool open(std::uint64_t max_bytes = 1 << 20) {
        auto spool = Spool::open(path_, max_bytes);
        EXPECT_TRUE(spool);
        return std::move(*spool);
    }
    static std::string front(Spool& spool) {
        auto message = spool.front();
        EXPECT_TRUE(message);
        return message->value_or("");
    }

    test::TemporaryFolder folder_;
    const std::string path_ = (folder_.path() / "spool").string();
};

TEST_F(AuditSpool, GivesMessagesInTheOrderTheyCame) {
    auto spool = open();
    for (const auto* text : {"one", "two", "three"}) ASSERT_TRUE(spool.add(text));
    for (const auto* text : {"one", "two", "three"}) {
        EXPECT_EQ(front(spool), text);
        ASSERT_TRUE(spool.pop());
    }
    EXPECT_TRUE(spool.empty());
    EXPECT_EQ(std::filesystem::file_size(path_), 0u);
}

TEST_F(AuditSpool, GoesOnWhereItWasLeft) {
    {
        auto spool = open();
        for (const auto* text : {"one", "two", "three"}) ASSERT_TRUE(spool.add(text));
        ASSERT_TRUE(spool.pop());
    }
    auto spool = open();
    EXPECT_EQ(front(spool), "two");
    ASSERT_TRUE(spool.add("four"));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(spool.pop());
    EXPECT_EQ(front(spool), "four");
}

TEST_F(AuditSpool, CutsOffWhatWasHalfWritten) {
    {
        auto spool = open();
        ASSERT_TRUE(spool.add("whole"));
    }
    std::ofstream(path_, std::ios::app | std::ios::binary) << "100 only a part";
    auto spool = open();
    EXPECT_EQ(front(spool), "whole");
    ASSERT_TRUE(spool.add("next"));
    ASSERT_TRUE(spool.pop());
    EXPECT_EQ(front(spool), "next");
}

TEST_F(AuditSpool, ForgetsAnOldMarkOfAnEmptyFile) {
    std::ofstream(path_ + ".sent") << "00000000000000000005";
    {
        auto spool = open();
        ASSERT_TRUE(spool.add("one"));  // 5 octets: where the old mark points
        ASSERT_TRUE(spool.add("two"));
    }
    auto spool = open();
    EXPECT_EQ(front(spool), "one");
}

TEST_F(AuditSpool, RefusesWhatIsBeyondItsLimit) {
    auto spool = open(10);
    ASSERT_TRUE(spool.add("12345678"));
    const auto refused = spool.add("9");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::limit_exceeded);
    ASSERT_TRUE(spool.pop());
    EXPECT_TRUE(spool.add("9"));
}

TEST_F(AuditSpool, BelongsToItsOwnerAlone) {
    const auto spool = open();
    EXPECT_EQ(std::filesystem::status(path_).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace sagitta::audit
