#include "core/file_range.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace sagitta {

namespace {

/// mincore() answers for so much at a time.
constexpr std::size_t kWindowBytes = 4u << 20;

std::size_t page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

bool window_is_in_memory(int descriptor, std::uint64_t offset, std::size_t bytes) noexcept {
    std::array<unsigned char, kWindowBytes / 4096> pages{};
    void* mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, static_cast<off_t>(offset));
    if (mapped == MAP_FAILED) return false;
    const bool told = ::mincore(mapped, bytes, pages.data()) == 0;
    ::munmap(mapped, bytes);
    auto* const end = pages.data() + (bytes + page_bytes() - 1) / page_bytes();
    return told && std::all_of(pages.data(), end, [](unsigned char page) { return (page & 1) != 0; });
}

}  // namespace

bool is_in_memory(const FileRange& range) noexcept {
    const std::uint64_t end = range.offset + range.length;
    std::uint64_t at = range.offset - range.offset % page_bytes();
    for (; at < end; at += kWindowBytes) {
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kWindowBytes, end - at));
        if (!window_is_in_memory(range.descriptor, at, bytes)) return false;
    }
    return true;
}

void bring_into_memory(const FileRange& range) noexcept {
    if (is_in_memory(range)) return;
    ::posix_fadvise(range.descriptor, static_cast<off_t>(range.offset), static_cast<off_t>(range.length),
                    POSIX_FADV_WILLNEED);
    std::array<std::byte, 64 * 1024> nowhere;
    for (std::uint64_t done = 0; done < range.length;) {
        const auto wanted = std::min<std::uint64_t>(nowhere.size(), range.length - done);
        const auto got = ::pread(range.descriptor, nowhere.data(), static_cast<std::size_t>(wanted),
                                 static_cast<off_t>(range.offset + done));
        if (got <= 0) return;
        done += static_cast<std::uint64_t>(got);
    }
}

}  // namespace sagitta
