#include "core/spelling.h"

#include <array>

#include <gtest/gtest.h>

namespace sagitta {
namespace {

TEST(Spelling, CountsLettersToChange) {
    EXPECT_EQ(edit_distance("", "abc"), 3u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
    EXPECT_EQ(edit_distance("PORT", "port"), 0u);
}

TEST(Spelling, SuggestsOnlyWhatIsNear) {
    constexpr std::array<std::string_view, 3> words{"port", "bind", "promiscuous"};
    EXPECT_EQ(nearest("prot", words), "port");
    EXPECT_EQ(nearest("promiscous", words), "promiscuous");
    EXPECT_EQ(nearest("xylophone", words), "");
}

}  // namespace
}  // namespace sagitta
