#include "net/ul/rate_watch.h"

#include <gtest/gtest.h>

namespace sagitta::net::ul {
namespace {

using namespace std::chrono_literals;

RateWatch::TimePoint at(std::chrono::milliseconds time) {
    return RateWatch::TimePoint(time);
}

TEST(RateWatch, JudgesAWholeWindowOfWaiting) {
    RateWatch watch(100, 10s);
    watch.begin(at(0s));
    watch.moved(999);
    EXPECT_EQ(watch.due(), at(10s));
    EXPECT_FALSE(watch.is_too_slow(at(9999ms)));
    EXPECT_TRUE(watch.is_too_slow(at(10s)));
}

TEST(RateWatch, EnoughBytesBeginANewWindow) {
    RateWatch watch(100, 10s);
    watch.begin(at(0s));
    watch.moved(1000);
    EXPECT_FALSE(watch.is_too_slow(at(10s)));
    EXPECT_EQ(watch.due(), at(20s));
    EXPECT_TRUE(watch.is_too_slow(at(20s)));
}

TEST(RateWatch, ShortWaitsAddUpAndTimeBetweenThemDoesNotCount) {
    RateWatch watch(100, 10s);
    for (int turn = 0; turn < 5; ++turn) {
        watch.begin(at(turn * 1000s));
        EXPECT_EQ(watch.due(), at(turn * 1000s + 10s - turn * 2s));
        watch.moved(1);
        watch.end(at(turn * 1000s + 2s));
        EXPECT_EQ(watch.is_too_slow(at(turn * 1000s + 2s)), turn == 4);
    }
}

TEST(RateWatch, ZeroWatchesNothing) {
    RateWatch watch(0, 10s);
    watch.begin(at(0s));
    EXPECT_FALSE(watch.is_on());
    EXPECT_FALSE(watch.is_too_slow(at(1000s)));
    EXPECT_FALSE(watch.is_enough(1'000'000, 1s));
}

}  // namespace
}  // namespace sagitta::net::ul
