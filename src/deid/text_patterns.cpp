#include "deid/text_patterns.h"

#include <algorithm>
#include <array>
#include <optional>

namespace sagitta::deid {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 12> kLongMonths = {"january",   "february", "march",    "april",
                                                          "may",       "june",     "july",     "august",
                                                          "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 17> kTitles = {
    "dr", "prof", "mr",  "mrs",    "ms",    "miss",      "herr",    "frau", "mme",
    "sr", "sra",  "dra", "doctor", "nurse", "physician", "patient", "pat"};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

std::size_t run(std::string_view text, std::size_t at, bool (*is)(char)) {
    std::size_t end = at;
    while (end < text.size() && is(text[end])) ++end;
    return end;
}

unsigned number(std::string_view digits) {
    unsigned value = 0;
    for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
}

bool is_year(unsigned year) {
    return year >= 1850 && year <= 2100;
}
bool is_day_and_month(unsigned a, unsigned b) {
    return a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12);
}

bool is_eight_digit_date(std::string_view digits) {
    const auto front = number(digits.substr(0, 4)), back = number(digits.substr(4, 4));
    if (is_year(front) && is_day_and_month(number(digits.substr(4, 2)), number(digits.substr(6, 2))))
        return true;
    return is_year(back) && is_day_and_month(number(digits.substr(0, 2)), number(digits.substr(2, 2)));
}

// "2024-01-31", "31.01.2024", "1/31/24": where it ends.
std::optional<std::size_t> numeric_date(std::string_view text, std::size_t at) {
    const std::size_t first_end = run(text, at, is_digit);
    if (first_end - at > 4 || first_end >= text.size()) return std::nullopt;
    const char separator = text[first_end];
    if (separator != '-' && separator != '/' && separator != '.') return std::nullopt;
    const std::size_t second_end = run(text, first_end + 1, is_digit);
    if (second_end == first_end + 1 || second_end - first_end > 3 || second_end >= text.size() ||
        text[second_end] != separator)
        return std::nullopt;
    const std::size_t third_end = run(text, second_end + 1, is_digit);
    const auto first = text.substr(at, first_end - at);
    const auto second = text.substr(first_end + 1, second_end - first_end - 1);
    const auto third = text.substr(second_end + 1, third_end - second_end - 1);
    if (third.empty() || third.size() > 4) return std::nullopt;
    const auto a = number(first), b = number(second), c = number(third);
    if (first.size() == 4 && is_year(a) && third.size() <= 2 && is_day_and_month(b, c)) return third_end;
    if (first.size() > 2) return std::nullopt;
    if (third.size() == 4 && is_year(c) && is_day_and_month(a, b)) return third_end;
    const bool short_year =
        third.size() == 2 && (separator == '/' || (first.size() == 2 && second.size() == 2));
    return short_year && is_day_and_month(a, b) ? std::optional(third_end) : std::nullopt;
}

std::optional<std::size_t> month_name(std::string_view text, std::size_t at) {
    const auto word = text.substr(at, run(text, at, is_letter) - at);
    for (std::size_t month = 0; month < 12; ++month) {
        if (word == kMonths[month] || word == kLongMonths[month]) return at + word.size();
    }
    return std::nullopt;
}

std::size_t skip_separators(std::string_view text, std::size_t at) {
    for (int count = 0;
         count < 2 && at < text.size() && std::string_view(" -.,/").find(text[at]) != std::string_view::npos;
         ++count)
        ++at;
    return at;
}

std::optional<std::size_t> year_at(std::string_view text, std::size_t at) {
    const std::size_t end = run(text, at, is_digit);
    return end - at == 4 && is_year(number(text.substr(at, 4))) ? std::optional(end) : std::nullopt;
}

// "31 Jan 2024" from its day, "January 31, 2024" from its month.
std::optional<std::size_t> worded_date(std::string_view text, std::size_t at) {
    if (is_digit(text[at])) {
        const std::size_t day_end = run(text, at, is_digit);
        if (day_end - at > 2) return std::nullopt;
        const auto month_end = month_name(text, skip_separators(text, day_end));
        return month_end ? year_at(text, skip_separators(text, *month_end)) : std::nullopt;
    }
    const auto month_end = month_name(text, at);
    if (!month_end) return std::nullopt;
    const std::size_t day = skip_separators(text, *month_end);
    if (const auto end = year_at(text, day)) return end;
    const std::size_t day_end = run(text, day, is_digit);
    if (day_end == day || day_end - day > 2) return std::nullopt;
    return year_at(text, skip_separators(text, day_end));
}

bool is_telephone_character(char c) {
    return is_digit(c) || std::string_view(" ()+-/").find(c) != std::string_view::npos;
}

std::optional<std::size_t> telephone(std::string_view text, std::size_t at) {
    std::size_t end = run(text, at, is_telephone_character);
    while (end > at && !is_digit(text[end - 1])) --end;
    const auto phone = text.substr(at, end - at);
    const auto digits = std::count_if(phone.begin(), phone.end(), is_digit);
    if (digits < 7 || digits > 16) return std::nullopt;
    const bool looks_like = phone[0] == '+' || phone[0] == '(' ||
                            (phone[0] == '0' && phone.find_first_of(" -/") != std::string_view::npos) ||
                            std::count(phone.begin(), phone.end(), '-') >= 2;
    return looks_like ? std::optional(end) : std::nullopt;
}

bool is_address_character(char c) {
    return is_letter(c) || is_digit(c) || std::string_view("._%+-").find(c) != std::string_view::npos;
}

}  // namespace

void find_dates(std::string_view text, std::vector<Span>& found) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool after_digit = at > 0 && is_digit(text[at - 1]);
        const bool after_letter = at > 0 && is_letter(text[at - 1]);
        std::optional<std::size_t> end;
        if (is_digit(text[at]) && !after_digit) {
            const std::size_t digits = run(text, at, is_digit) - at;
            if (digits == 8 && is_eight_digit_date(text.substr(at, 8))) end = at + 8;
            // A date and a time in one.
            if ((digits == 12 || digits == 14) && is_eight_digit_date(text.substr(at, 8))) end = at + digits;
            if (!end) end = numeric_date(text, at);
            if (!end) end = worded_date(text, at);
        } else if (is_letter(text[at]) && !after_letter) {
            end = worded_date(text, at);
        }
        if (!end) continue;
        found.push_back({at, *end, IdentityKind::date});
        at = *end - 1;
    }
}

void find_numbers_and_addresses(std::string_view text, std::vector<Span>& found) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '@') {
            std::size_t first = at;
            while (first > 0 && is_address_character(text[first - 1])) --first;
            const std::size_t last = run(text, at + 1, is_address_character);
            if (first < at && last > at + 1) found.push_back({first, last, IdentityKind::text});
            continue;
        }
        if (at > 0 && is_digit(text[at - 1])) continue;
        if (!is_digit(text[at]) && text[at] != '+' && text[at] != '(') continue;
        if (const auto end = telephone(text, at)) {
            found.push_back({at, *end, IdentityKind::phone});
            at = *end - 1;
        } else if (const std::size_t last = run(text, at, is_digit); last - at >= 6) {
            found.push_back({at, last, IdentityKind::id});
            at = last - 1;
        }
    }
}

void find_titled_names(const FoldedText& folded, std::string_view original, std::vector<Span>& found) {
    const std::string_view text = folded.text();
    const auto is_capital = [&](std::size_t at) {
        if (!folded.letter_at(at)) return false;
        const auto c = static_cast<unsigned char>(original[folded.original(at, at + 1).first]);
        return c >= 0x80 || (c >= 'A' && c <= 'Z');
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!is_letter(text[at]) || folded.letter_before(at)) continue;
        std::size_t end = run(text, at, is_letter);
        const auto word = text.substr(at, end - at);
        if (std::find(kTitles.begin(), kTitles.end(), word) == kTitles.end()) continue;
        std::size_t first = 0;
        std::size_t last = 0;
        for (int words = 0; words < 3; ++words) {
            std::size_t begin = end;
            while (begin < text.size() &&
                   std::string_view(" .:,").find(text[begin]) != std::string_view::npos)
                ++begin;
            if (begin == end || begin >= text.size() || !is_capital(begin)) break;
            // "Prof. Dr.": the second title has names of its own.
            const auto next = text.substr(begin, run(text, begin, is_letter) - begin);
            if (std::find(kTitles.begin(), kTitles.end(), next) != kTitles.end()) break;
            if (first == 0) first = begin;
            end = begin;
            while (end < text.size() && (folded.letter_at(end) || text[end] == '-' ||
                                         (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80))
                ++end;
            last = end;
        }
        if (last == 0) continue;
        found.push_back({first, last, IdentityKind::name});
        at = last - 1;
    }
}

}  // namespace sagitta::deid
