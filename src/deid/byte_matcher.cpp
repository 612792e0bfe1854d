#include "deid/byte_matcher.h"

#include <algorithm>

namespace sagitta::deid {

void ByteMatcher::add(std::string_view bytes, std::uint32_t id) {
    if (bytes.size() < 2) return;
    std::string lower(bytes);
    std::transform(lower.begin(), lower.end(), lower.begin(), small);
    const auto same = [&](const Pattern& pattern) { return pattern.bytes == lower; };
    if (std::any_of(patterns_.begin(), patterns_.end(), same)) return;
    const std::uint32_t bucket = hash(lower[0], lower[1]);
    filter_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
    patterns_.push_back({std::move(lower), bucket, id});
}

bool ByteMatcher::is_at(const Pattern& pattern, std::string_view text) noexcept {
    if (text.size() < pattern.bytes.size()) return false;
    for (std::size_t at = 0; at < pattern.bytes.size(); ++at) {
        if (small(text[at]) != pattern.bytes[at]) return false;
    }
    return true;
}

}  // namespace sagitta::deid
