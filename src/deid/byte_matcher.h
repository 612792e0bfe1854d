// Many byte strings looked for at once, ASCII letters of either case. Knows nothing of what they mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace sagitta::deid {

/// Of ASCII letters the small one; every other byte as it is.
[[nodiscard]] constexpr char small(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Filled once, then asked. Strings shorter than two bytes are never found.
class ByteMatcher {
public:
    /// `id` is what a match is reported with.
    void add(std::string_view bytes, std::uint32_t id);
    [[nodiscard]] bool empty() const noexcept { return patterns_.empty(); }

    /// Calls `found(position, length, id)` for every place of every string; stops when it answers false.
    template <class Found>
    void search(std::span<const std::byte> bytes, Found&& found) const {
        const std::string_view text = as_text(bytes);
        if (patterns_.empty() || text.size() < 2) return;
        char second = small(text[0]);
        for (std::size_t at = 0; at + 1 < text.size(); ++at) {
            const char first = second;
            second = small(text[at + 1]);
            const std::uint32_t bucket = hash(first, second);
            if ((filter_[bucket / 64] >> (bucket % 64) & 1) == 0) continue;
            for (const Pattern& pattern : patterns_) {
                if (pattern.bucket != bucket || !is_at(pattern, text.substr(at))) continue;
                if (!found(at, pattern.bytes.size(), pattern.id)) return;
            }
        }
    }

private:
    struct Pattern {
        std::string bytes;
        std::uint32_t bucket;
        std::uint32_t id;
    };

    [[nodiscard]] static std::uint32_t hash(char first, char second) noexcept {
        const auto a = static_cast<std::uint8_t>(first);
        const auto b = static_cast<std::uint8_t>(second);
        return (a * 67u ^ b * 3u) & 4095u;
    }
    [[nodiscard]] static bool is_at(const Pattern& pattern, std::string_view text) noexcept;

    std::vector<Pattern> patterns_;
    std::array<std::uint64_t, 64> filter_{};
};

}  // namespace sagitta::deid
