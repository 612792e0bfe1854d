// "Did you mean": how far one word is from another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace sagitta {

/// Letters to insert, delete or replace to make one word the other, ASCII case aside.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest in spelling; empty when none is near. `candidates` yields string_views.
template <class Range>
[[nodiscard]] std::string_view nearest(std::string_view word, const Range& candidates) {
    std::string_view best;
    std::size_t least = word.size() / 3 + 2;
    for (const std::string_view candidate : candidates) {
        const auto apart =
            candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
        if (apart >= least) continue;
        const auto distance = edit_distance(word, candidate);
        if (distance < least && distance < candidate.size()) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace sagitta
