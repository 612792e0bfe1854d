#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/result.h"

namespace sagitta {
namespace {

TEST(Bytes, ReadsBothByteOrders) {
    const std::array<std::byte, 4> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    EXPECT_EQ(load_le<std::uint32_t>(bytes.data()), 0x04030201u);
    EXPECT_EQ(load_be<std::uint32_t>(bytes.data()), 0x01020304u);
    EXPECT_EQ(load_be<std::uint16_t>(bytes.data()), 0x0102u);
}

TEST(ByteReader, NeverPassesTheEnd) {
    const std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
    ByteReader reader(bytes);
    EXPECT_FALSE(reader.be<std::uint32_t>());
    EXPECT_EQ(reader.be<std::uint16_t>(), 0x0102u);
    EXPECT_FALSE(reader.take(2));
    EXPECT_EQ(reader.take(1)->size(), 1u);
    EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteBuffer, GrowsKeepsAndMoves) {
    ByteBuffer buffer;
    for (int n = 0; n < 1000; ++n) append_be(buffer, static_cast<std::uint32_t>(n));
    ASSERT_EQ(buffer.size(), 4000u);
    EXPECT_EQ(load_be<std::uint32_t>(buffer.data() + 3996), 999u);
    ByteBuffer moved = std::move(buffer);
    EXPECT_EQ(moved.size(), 4000u);
    EXPECT_TRUE(buffer.empty());  // NOLINT(bugprone-use-after-move): what a moved one promises
    moved.truncate(8);
    EXPECT_EQ(as_text(moved.span()).size(), 8u);
}

TEST(ByteBuffer, HasRoomInFrontUntilItGrows) {
    auto buffer = ByteBuffer::with_front(700, 1000);
    ASSERT_EQ(buffer.front().size(), 700u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.front().data()) % 4096, 0u);
    EXPECT_EQ(buffer.front().data() + 700, buffer.data());
    EXPECT_GE(buffer.capacity(), 1000u);
    for (int n = 0; n < 250; ++n) append_be(buffer, static_cast<std::uint32_t>(n));
    EXPECT_EQ(buffer.front().size(), 700u);
    std::fill(buffer.front().begin(), buffer.front().end(), std::byte{7});
    ByteBuffer moved;
    moved = std::move(buffer);
    EXPECT_TRUE(buffer.front().empty());  // NOLINT(bugprone-use-after-move): what a moved one promises
    ASSERT_EQ(moved.front().size(), 700u);
    EXPECT_EQ(moved.front()[699], std::byte{7});
    EXPECT_EQ(load_be<std::uint32_t>(moved.data()), 0u);
    const std::vector<std::byte> more(10'000, std::byte{9});
    moved.append(more);
    EXPECT_TRUE(moved.front().empty());
    ASSERT_EQ(moved.size(), 11'000u);
    EXPECT_EQ(load_be<std::uint32_t>(moved.data() + 996), 249u);
    EXPECT_EQ(moved.data()[10'999], std::byte{9});
    moved.append(more);
    EXPECT_EQ(moved.size(), 21'000u);
    EXPECT_TRUE(ByteBuffer().front().empty());
}

TEST(Result, HoldsAValueOrAnError) {
    const Result<int> value(7);
    const Result<int> error(Error(Errc::truncated, "short", 3));
    EXPECT_EQ(*value, 7);
    EXPECT_EQ(error.error().message(), "short at byte 3");
    EXPECT_EQ(error.value_or(1), 1);
    EXPECT_EQ(Error(Errc::truncated, "short").within("file").context, "file: short");
}

}  // namespace
}  // namespace sagitta
