#include "core/object_memory.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <new>

namespace sagitta {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = 2ull << 20;
constexpr std::size_t kChunk = 8ull << 20;
/// Of chunks that nothing is in: what comes next needs some again.
constexpr std::size_t kKept = 32ull << 20;

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
    return (bytes + to - 1) / to * to;
}

/// Begins on a huge page; null when there is none.
std::byte* map(std::size_t bytes) noexcept {
    auto* const got =
        ::mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return nullptr;
    const auto at = reinterpret_cast<std::uintptr_t>(got);
    const auto begin = round_up(at, kHugePage);
    if (begin != at) ::munmap(got, begin - at);
    if (const auto behind = at + kHugePage - begin; behind != 0)
        ::munmap(reinterpret_cast<void*>(begin + bytes), behind);
    auto* const memory = reinterpret_cast<std::byte*>(begin);
    ::madvise(memory, bytes, MADV_HUGEPAGE);  // without it there are small ones
    return memory;
}

/// What lies free, first fit, in chunks; objects are few, and large.
class ObjectMemory {
public:
    std::span<std::byte> take(std::size_t wanted) {
        const auto bytes = round_up(std::max<std::size_t>(wanted, 1), kPage);
        const std::lock_guard lock(mutex_);
        auto at = std::find_if(free_.begin(), free_.end(),
                               [bytes](const auto& run) { return run.second >= bytes; });
        if (at == free_.end()) at = add_chunk(bytes);
        auto* const memory = at->first;
        const auto left = at->second - bytes;
        free_.erase(at);
        if (left != 0) free_.emplace(memory + bytes, left);
        taken_.emplace(memory, bytes);
        ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
        return {memory, bytes};
    }

    void give_back(std::byte* memory) noexcept {
        const std::lock_guard lock(mutex_);
        auto taken = taken_.extract(memory);
        ASAN_POISON_MEMORY_REGION(memory, taken.mapped());
        auto at = free_.insert(std::move(taken)).position;
        if (const auto next = std::next(at); next != free_.end() && joins(*at, *next)) {
            at->second += next->second;
            free_.erase(next);
        }
        if (at != free_.begin() && joins(*std::prev(at), *at)) {
            std::prev(at)->second += at->second;
            at = std::prev(free_.erase(at));
        }
        drop(at);
    }

    std::size_t bytes() noexcept {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }

private:
    using Runs = std::map<std::byte*, std::size_t>;  // bytes by where they begin

    Runs::iterator add_chunk(std::size_t bytes) {
        const auto length = std::max(kChunk, round_up(bytes, kHugePage));
        auto* const memory = map(length);
        if (memory == nullptr) throw std::bad_alloc();
        ASAN_POISON_MEMORY_REGION(memory, length);
        bytes_ += length;
        chunks_.emplace(memory, length);
        return free_.emplace(memory, length).first;
    }

    /// Chunks may lie side by side, and stay apart all the same: each goes back to the system as it came.
    bool joins(const Runs::value_type& one, const Runs::value_type& next) const {
        return one.first + one.second == next.first && !chunks_.contains(next.first);
    }

    /// A chunk that nothing is in, when enough others are kept.
    void drop(Runs::iterator run) noexcept {
        const auto chunk = chunks_.find(run->first);
        if (chunk == chunks_.end() || chunk->second != run->second) return;
        std::size_t kept = 0;
        for (const auto& [begin, length] : chunks_) {
            const auto free = free_.find(begin);
            if (free != free_.end() && free->second == length) kept += length;
        }
        if (kept <= kKept) return;
        ASAN_UNPOISON_MEMORY_REGION(run->first, run->second);
        ::munmap(run->first, run->second);
        bytes_ -= run->second;
        chunks_.erase(chunk);
        free_.erase(run);
    }

    std::mutex mutex_;
    Runs free_, taken_, chunks_;
    std::size_t bytes_ = 0;
};

/// Never destroyed: buffers may outlive everything.
ObjectMemory& object_memory() {
    static auto* const memory = new ObjectMemory;
    return *memory;
}

}  // namespace

std::span<std::byte> take_object_memory(std::size_t bytes) {
    return object_memory().take(bytes);
}

void give_back_object_memory(std::byte* memory) noexcept {
    object_memory().give_back(memory);
}

std::size_t object_memory_bytes() noexcept {
    return object_memory().bytes();
}

}  // namespace sagitta
