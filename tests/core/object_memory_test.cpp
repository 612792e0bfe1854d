#include "core/object_memory.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sagitta {
namespace {

struct Taken {
    std::span<std::byte> memory;
    std::byte mark;
    [[nodiscard]] bool is_whole() const {
        return std::all_of(memory.begin(), memory.end(), [this](std::byte one) { return one == mark; });
    }
};

Taken take(std::size_t bytes, std::byte mark) {
    const auto memory = take_object_memory(bytes);
    EXPECT_GE(memory.size(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 4096, 0u);
    std::fill(memory.begin(), memory.end(), mark);
    return {memory, mark};
}

/// Takes and gives back in any order; nobody writes into another's.
void use_some(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Taken> taken;
    for (int n = 0; n < 400; ++n) {
        const auto choice = random() % 16;
        if (choice < 9) {
            const std::size_t bytes = choice == 0 ? 9'000'000 + random() % 100'000 : random() % 1'500'000;
            taken.push_back(take(bytes, static_cast<std::byte>(random())));
        } else if (!taken.empty()) {
            const auto at = taken.begin() + static_cast<std::ptrdiff_t>(random() % taken.size());
            EXPECT_TRUE(at->is_whole());
            give_back_object_memory(at->memory.data());
            taken.erase(at);
        }
        while (taken.size() > 24) {
            EXPECT_TRUE(taken.back().is_whole());
            give_back_object_memory(taken.back().memory.data());
            taken.pop_back();
        }
    }
    for (const auto& one : taken) {
        EXPECT_TRUE(one.is_whole());
        give_back_object_memory(one.memory.data());
    }
}

TEST(ObjectMemory, BelongsToOneAtATimeAndGoesBack) {
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 3; ++seed) threads.emplace_back([seed] { use_some(seed); });
    for (auto& thread : threads) thread.join();
    EXPECT_LE(object_memory_bytes(), std::size_t{64} << 20) << "nothing is in it any more";
}

TEST(ObjectMemory, IsUsedAgain) {
    const auto first = take(700'000, std::byte{1});
    give_back_object_memory(first.memory.data());
    const auto before = object_memory_bytes();
    for (int n = 0; n < 100; ++n) {
        const auto one = take(700'000, std::byte{2});
        give_back_object_memory(one.memory.data());
    }
    EXPECT_EQ(object_memory_bytes(), before);
}

TEST(ObjectMemory, NeighboursThatCameBackAreOneAgain) {
    std::vector<Taken> taken;
    for (int n = 0; n < 8; ++n) taken.push_back(take(1u << 20, std::byte{3}));
    const auto before = object_memory_bytes();
    for (const int n : {1, 0, 2, 5, 7, 6, 3, 4})
        give_back_object_memory(taken[static_cast<std::size_t>(n)].memory.data());
    const auto all = take(8u << 20, std::byte{4});
    EXPECT_LE(object_memory_bytes(), before);
    give_back_object_memory(all.memory.data());
}

}  // namespace
}  // namespace sagitta
