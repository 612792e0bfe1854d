// The automaton behind matches_wildcard. A pattern is a row of states, one bit each: in state i the
// first i tokens (bytes and `?`) have matched. `*` keeps its state alive. All states move at once,
// one byte of text at a time, so no text makes a pattern slow.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dicom/matching.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kWordBits = 64;

bool is_continuation(unsigned byte) {
    return (byte & 0xc0) == 0x80;
}

/// Up to 63 tokens, nearly all patterns there are: one word, no allocation.
bool run_short(std::string_view pattern, std::string_view text) noexcept {
    std::array<std::uint64_t, 256> accepts{};  // per byte value: the states it leads on from
    std::uint64_t any = 0;                     // states in front of `?`
    std::uint64_t stays = 0;                   // states in front of `*`
    std::uint64_t state = 1;
    for (const char c : pattern) {
        if (c == '*') {
            stays |= state;
            continue;
        }
        (c == '?' ? any : accepts[static_cast<unsigned char>(c)]) |= state;
        state <<= 1;
    }
    std::uint64_t alive = 1;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        // Behind `?` the rest of its character changes nothing.
        alive = is_continuation(byte) ? ((alive & accepts[byte]) << 1) | (alive & (stays | any << 1))
                                      : ((alive & (accepts[byte] | any)) << 1) | (alive & stays);
        if (alive == 0) return false;
    }
    return (alive & state) != 0;
}

/// The same with as many words as it takes.
bool run_long(std::string_view pattern, std::size_t tokens, std::string_view text) {
    const std::size_t words = tokens / kWordBits + 1;
    std::vector<std::uint64_t> accepts(256 * words);
    std::vector<std::uint64_t> any(words);
    std::vector<std::uint64_t> stays(words);
    std::size_t state = 0;
    for (const char c : pattern) {
        const std::uint64_t bit = std::uint64_t{1} << (state % kWordBits);
        const std::size_t word = state / kWordBits;
        if (c == '*') {
            stays[word] |= bit;
            continue;
        }
        (c == '?' ? any[word] : accepts[static_cast<unsigned char>(c) * words + word]) |= bit;
        ++state;
    }
    std::vector<std::uint64_t> alive(words);
    alive[0] = 1;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool more = is_continuation(byte);
        std::uint64_t carry = 0;      // of the states that move on
        std::uint64_t any_carry = 0;  // of `any` moved on
        std::uint64_t some = 0;
        for (std::size_t w = 0; w < words; ++w) {
            const std::uint64_t moves = alive[w] & (accepts[byte * words + w] | (more ? 0 : any[w]));
            const std::uint64_t inside = any[w] << 1 | any_carry;
            alive[w] = (moves << 1 | carry) | (alive[w] & (more ? stays[w] | inside : stays[w]));
            carry = moves >> (kWordBits - 1);
            any_carry = any[w] >> (kWordBits - 1);
            some |= alive[w];
        }
        if (some == 0) return false;
    }
    return (alive[tokens / kWordBits] >> (tokens % kWordBits) & 1) != 0;
}

}  // namespace

bool matches_wildcard(std::string_view pattern, std::string_view text) noexcept {
    // What stands in front of the first wildcard needs no automaton, and mostly decides.
    while (!pattern.empty() && pattern[0] != '*' && pattern[0] != '?') {
        if (text.empty() || text[0] != pattern[0]) return false;
        pattern.remove_prefix(1);
        text.remove_prefix(1);
    }
    if (pattern.empty()) return text.empty();
    if (pattern == "*") return true;
    std::size_t tokens = 0;
    for (const char c : pattern) tokens += c != '*';
    return tokens < kWordBits ? run_short(pattern, text) : run_long(pattern, tokens, text);
}

}  // namespace sagitta::dicom
