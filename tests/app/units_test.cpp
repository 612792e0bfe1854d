#include "app/units.h"

#include <gtest/gtest.h>

#include "app/peer_address.h"

namespace sagitta::app {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsSizes) {
    EXPECT_EQ(parse_size("0B").value_or(9), 0u);
    EXPECT_EQ(parse_size("64KiB").value_or(0), 65536u);
    EXPECT_EQ(parse_size("16 MiB").value_or(0), 16u << 20);
    EXPECT_EQ(parse_size("1GB").value_or(0), 1'000'000'000u);
    EXPECT_EQ(parse_size("16777215TiB").value_or(0), 16777215ull << 40);
}

TEST(Units, RefusesWhatIsNoSize) {
    for (const auto* text : {"", "MiB", "-1B", "1", "1.5GiB", "1gib", "1 M", "16777216TiB",
                             "99999999999999999999B", "1MiB ", " 1MiB", "0x10B"}) {
        EXPECT_FALSE(parse_size(text).has_value()) << text;
    }
    EXPECT_EQ(parse_size("1.5GiB").error().context, "'1.5GiB' is not a whole number");
}

TEST(Units, ReadsDurations) {
    EXPECT_EQ(parse_duration("500ms").value_or(0ms), 500ms);
    EXPECT_EQ(parse_duration("30s").value_or(0ms), 30s);
    EXPECT_EQ(parse_duration("10m").value_or(0ms), 10min);
    EXPECT_EQ(parse_duration("2h").value_or(0ms), 2h);
    EXPECT_EQ(parse_duration("7d").value_or(0ms), 168h);
    for (const auto* text : {"", "10", "10min", "s", "-1s", "1S", "999999999999999999d"}) {
        EXPECT_FALSE(parse_duration(text).has_value()) << text;
    }
}

TEST(Units, WritesWhatItReads) {
    for (const std::uint64_t bytes :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, std::uint64_t{1024}, std::uint64_t{65536},
          std::uint64_t{4} << 30, UINT64_MAX}) {
        EXPECT_EQ(parse_size(size_text(bytes)).value_or(~bytes), bytes);
    }
    EXPECT_EQ(size_text(std::uint64_t{4} << 30), "4GiB");
    EXPECT_EQ(size_text(1'000'000'000), "1GB");
    EXPECT_EQ(duration_text(90s), "90s");
    EXPECT_EQ(duration_text(60s), "1m");
    EXPECT_EQ(duration_text(0s), "0s");
}

TEST(PeerAddress, ReadsNamesAndAddresses) {
    for (const auto* text :
         {"PACS@10.0.0.5:104", "A B@pacs.example.org:11112", "X@[2001:db8::5]:65535", "A@B@host:1"}) {
        const auto address = parse_peer_address(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_EQ(to_string(*address), text);
    }
}

TEST(PeerAddress, RefusesTheRestAndSaysWhy) {
    const auto why = [](std::string_view text) {
        const auto address = parse_peer_address(text);
        return address ? std::string("accepted") : address.error().context;
    };
    EXPECT_EQ(why("host:104"), "'host:104' is no AET@HOST:PORT: there is no '@' behind the AE title");
    EXPECT_EQ(
        why("@h:104"),
        "'@h:104' is no AET@HOST:PORT: an AE title has 1 to 16 printable ASCII characters and no backslash");
    EXPECT_EQ(why("A@h"), "'A@h' is no AET@HOST:PORT: the port is missing, for example :104");
    EXPECT_EQ(why("A@h:0"), "'A@h:0' is no AET@HOST:PORT: the port is a number from 1 to 65535");
    EXPECT_EQ(why("A@h:65536"), "'A@h:65536' is no AET@HOST:PORT: the port is a number from 1 to 65535");
    EXPECT_EQ(why("A@h:104x"), "'A@h:104x' is no AET@HOST:PORT: the port is a number from 1 to 65535");
    EXPECT_EQ(why("A@::1:104"), "'A@::1:104' is no AET@HOST:PORT: an IPv6 address stands in '[' and ']'");
    EXPECT_EQ(why("A@[::1"), "'A@[::1' is no AET@HOST:PORT: ']' is missing");
    EXPECT_EQ(why("A@[x]:1"), "'A@[x]:1' is no AET@HOST:PORT: between '[' and ']' stands no IPv6 address");
    EXPECT_EQ(why("A@h h:1"), "'A@h h:1' is no AET@HOST:PORT: the host is no name and no address");
}

}  // namespace
}  // namespace sagitta::app
