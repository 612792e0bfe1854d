#include "dicom/fuzzy_name.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "dicom/matching.h"
#include "dicom/text.h"

namespace sagitta::dicom {
namespace {

/// From here on a word may be misspelt: shorter ones have too many neighbours.
constexpr std::size_t kForgivingLength = 5;

/// Letters that are written with two where there is no key for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kTwoLetters{{
    {"ä", "ae"},
    {"Ä", "ae"},
    {"ö", "oe"},
    {"Ö", "oe"},
    {"ü", "ue"},
    {"Ü", "ue"},
    {"ø", "oe"},
    {"Ø", "oe"},
    {"å", "aa"},
    {"Å", "aa"},
}};

std::string with_two_letters(std::string_view utf8) {
    std::string text;
    while (!utf8.empty()) {
        const auto* found = std::find_if(kTwoLetters.begin(), kTwoLetters.end(),
                                         [&](const auto& pair) { return utf8.starts_with(pair.first); });
        const bool has_two = found != kTwoLetters.end();
        text += has_two ? found->second : utf8.substr(0, 1);
        utf8.remove_prefix(has_two ? found->first.size() : 1);
    }
    return text;
}

/// Folded, plainly and with two letters; one when they are the same.
std::vector<std::string> spellings(std::string_view utf8) {
    std::vector<std::string> folded{fold_person_name(utf8)};
    if (auto other = fold_person_name(with_two_letters(utf8)); other != folded.front())
        folded.push_back(std::move(other));
    return folded;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(separators), text.size());
        if (end != 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

std::vector<std::string> words_of(std::string_view component) {
    std::vector<std::string> words;
    for (const auto word : split(component, " -'.,")) words.emplace_back(word);
    return words;
}

std::string joined(const std::vector<std::string>& words) {
    return std::accumulate(words.begin(), words.end(), std::string());
}

std::vector<std::string_view> characters(std::string_view utf8) {
    std::vector<std::string_view> all;
    for (std::size_t at = 0; at < utf8.size();) {
        std::size_t end = at + 1;
        while (end < utf8.size() && (static_cast<unsigned char>(utf8[end]) & 0xc0u) == 0x80u) ++end;
        all.push_back(utf8.substr(at, end - at));
        at = end;
    }
    return all;
}

/// One character too many, missing or wrong, or two neighbours swapped.
bool is_one_slip_away(std::string_view key, std::string_view word) {
    const auto size = key.size() > word.size() ? key.size() - word.size() : word.size() - key.size();
    if (size > 4) return false;  // the longest character
    auto a = characters(key);
    auto b = characters(word);
    if (a.size() < b.size()) a.swap(b);
    if (b.size() < kForgivingLength || a.size() - b.size() > 1) return false;
    const auto [left, right] = std::mismatch(b.begin(), b.end(), a.begin());
    const auto begin = left - b.begin();
    const auto rest = [&](auto& of, std::ptrdiff_t from) { return std::vector(of.begin() + from, of.end()); };
    if (left == b.end()) return true;
    if (a.size() != b.size()) return rest(a, begin + 1) == rest(b, begin);
    if (rest(a, begin + 1) == rest(b, begin + 1)) return true;
    return begin + 1 < static_cast<std::ptrdiff_t>(a.size()) && *left == *(right + 1) &&
           *(left + 1) == *right && rest(a, begin + 2) == rest(b, begin + 2);
}

bool is_found(const std::string& key, const std::vector<std::string>& candidates) {
    const bool pattern = key.find_first_of("*?") != std::string::npos;
    return std::any_of(candidates.begin(), candidates.end(), [&](const std::string& word) {
        if (pattern) return matches_wildcard(key + '*', word);
        return word.starts_with(key) || is_one_slip_away(key, word);
    });
}

}  // namespace

FuzzyName::FuzzyName(std::string_view utf8_key) {
    for (const auto& folded : spellings(utf8_key)) spellings_.push_back(spell(folded));
}

FuzzyName::Spelling FuzzyName::spell(std::string_view folded) {
    Spelling spelling;
    for (const auto component : split(folded, "^=")) {
        auto words = words_of(component);
        if (!words.empty()) spelling.push_back(std::move(words));
    }
    return spelling;
}

/// All that a word of the key may begin: words, components and component groups run together.
FuzzyName::Words FuzzyName::candidates(std::string_view utf8_name) {
    std::vector<std::string> all;
    for (const auto& folded : spellings(utf8_name)) {
        for (const auto group : split(folded, "=")) {
            std::string whole;
            for (const auto component : split(group, "^")) {
                auto words = words_of(component);
                const auto together = joined(words);
                whole += together;
                if (words.size() > 1) all.push_back(together);
                all.insert(all.end(), words.begin(), words.end());
            }
            all.push_back(std::move(whole));
        }
    }
    return all;
}

bool FuzzyName::matches(std::string_view utf8_name) const {
    const auto words = candidates(utf8_name);
    const auto has_component = [&](const Words& key) {
        const bool each = std::all_of(key.begin(), key.end(),
                                      [&](const std::string& word) { return is_found(word, words); });
        return each || (key.size() > 1 && is_found(joined(key), words));
    };
    return std::any_of(spellings_.begin(), spellings_.end(), [&](const Spelling& spelling) {
        return !spelling.empty() && std::all_of(spelling.begin(), spelling.end(), has_component);
    });
}

}  // namespace sagitta::dicom
