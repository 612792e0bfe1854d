// Bytes written and read past the page cache are the same bytes as those that go through it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/byte_buffer.h"
#include "storage/direct_reader.h"
#include "storage/file_system.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::storage {
namespace {

using Bytes = std::vector<std::byte>;

Bytes noise(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    Bytes bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

class Direct : public ::testing::Test {
protected:
    std::unique_ptr<File> create() {
        auto file = real_file_system().open(path_, OpenMode::create);
        EXPECT_TRUE(file) << file.error().message();
        return std::move(*file);
    }
    Bytes content(const File& file) {
        Bytes bytes(static_cast<std::size_t>(file.size().value_or(0)));
        auto read = file.read_at(0, bytes);
        EXPECT_TRUE(read && *read == bytes.size());
        return bytes;
    }

    test::TemporaryFolder folder_;  // on a disk: what is in memory alone has no page cache to pass
    std::string path_ = (folder_.path() / "file").string();
};

/// Every batch in turn one way or the other, in three parts, begun and ended in the middle of pages, some
/// longer than what is written at once; what lies in the page cache of the page that is continued is read
/// before and after.
TEST_F(Direct, BatchesInTurnsBothWays) {
    auto file = create();
    auto reader = real_file_system().open(path_, OpenMode::read);
    ASSERT_TRUE(reader);
    Bytes expected;
    std::mt19937 random(7);
    for (std::uint32_t n = 0; n < 60; ++n) {
        const auto longest = n % 20 == 19 ? 24'000u : 700u;
        const auto bytes = noise(512 * (1 + random() % longest), n);
        const auto first = random() % bytes.size();
        const auto second = first + random() % (bytes.size() - first);
        const std::span<const std::byte> all(bytes);
        const std::array parts{all.first(first), all.subspan(first, second - first), all.subspan(second)};
        auto written = n % 3 == 0 ? file->write_at(expected.size(), parts)
                                  : file->write_past_cache(expected.size(), parts);
        ASSERT_TRUE(written) << written.error().message();
        ASSERT_TRUE(file->sync());
        expected.insert(expected.end(), bytes.begin(), bytes.end());
        ASSERT_EQ(content(**reader), expected) << "after batch " << n;
        ASSERT_EQ(content(DirectReader(**reader)), expected) << "after batch " << n;
    }
}

/// Parts that begin on a page are written from where they are, between others that are not, more of them than
/// one call takes.
TEST_F(Direct, PartsOnPagesAmongOthers) {
    auto file = create();
    Bytes expected;
    std::mt19937 random(11);
    std::vector<ByteBuffer> pages;
    std::vector<Bytes> others;
    for (std::uint32_t n = 0; n < 3000; ++n) {
        const auto bytes = noise(512 * (1 + random() % 20), n);
        expected.insert(expected.end(), bytes.begin(), bytes.end());
        pages.push_back(ByteBuffer::with_front(0, bytes.size()));
        pages.back().append(bytes);
        others.push_back(bytes);
    }
    std::vector<std::span<const std::byte>> parts;
    for (std::size_t n = 0; n < pages.size(); ++n) {
        const std::span<const std::byte> other(others[n]);
        if (n % 5 < 3) {
            parts.push_back(std::as_const(pages[n]).span());
        } else {  // in two: the second begins anywhere
            const auto cut = random() % other.size();
            parts.insert(parts.end(), {other.first(cut), other.subspan(cut)});
        }
    }
    ASSERT_TRUE(file->write_past_cache(0, parts));
    EXPECT_EQ(content(*file), expected);
    EXPECT_EQ(content(DirectReader(*file)), expected);
}

TEST_F(Direct, WhatNoDiskTakesSoIsWrittenAllTheSame) {
    auto file = create();
    const auto bytes = noise(100'000, 1);
    const std::span<const std::byte> all(bytes);
    const std::array odd_length{all.first(777)};
    ASSERT_TRUE(file->write_past_cache(0, odd_length));
    const std::array odd_place{all.subspan(777)};
    ASSERT_TRUE(file->write_past_cache(777, odd_place));
    EXPECT_EQ(content(*file), bytes);
}

TEST_F(Direct, AfterATruncationTheFileGoesOnWhereItWasCut) {
    auto file = create();
    const auto bytes = noise(512 * 100, 2);
    const std::span<const std::byte> all(bytes);
    const std::array whole{all};
    ASSERT_TRUE(file->write_past_cache(0, whole));
    ASSERT_TRUE(file->truncate(512 * 33));
    const std::array rest{all.subspan(512 * 33)};
    ASSERT_TRUE(file->write_past_cache(512 * 33, rest));
    EXPECT_EQ(content(*file), bytes);
}

TEST_F(Direct, PiecesAreReadFromWhereverTheyBegin) {
    auto file = create();
    const auto bytes = noise(3'000'000, 3);
    const std::array whole{std::span<const std::byte>(bytes)};
    ASSERT_TRUE(file->write_at(0, whole));
    const DirectReader reader(*file);
    std::mt19937 random(5);
    for (int n = 0; n < 500; ++n) {
        const std::size_t at = random() % (bytes.size() + 1000);
        Bytes piece(random() % (n % 50 == 0 ? 2'500'000 : 5'000));
        const auto there = at < bytes.size() ? std::min(piece.size(), bytes.size() - at) : 0;
        auto read = reader.read_at(at, piece);
        ASSERT_TRUE(read);
        ASSERT_EQ(*read, there) << "at " << at;
        ASSERT_TRUE(std::equal(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(there),
                               bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at, bytes.size()))));
    }
}

TEST_F(Direct, AReaderDoesNotWrite) {
    auto file = create();
    DirectReader reader(*file);
    const std::array nothing{std::span<const std::byte>()};
    EXPECT_EQ(reader.write_at(0, nothing).error().code, Errc::invalid_argument);
    EXPECT_EQ(reader.truncate(0).error().code, Errc::invalid_argument);
    EXPECT_EQ(reader.sync().error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace sagitta::storage
