#include "dicom/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <utf8proc.h>

#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

char fold_ascii(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string fold_ascii(std::string_view text) {
    std::string folded(text);
    for (char& c : folded) c = fold_ascii(c);
    return folded;
}

/// Letters that Unicode does not decompose but that names are searched without.
std::u32string_view plain_spelling(char32_t lower_case) {
    switch (lower_case) {
        case U'ø': return U"o";
        case U'ł': return U"l";
        case U'đ':
        case U'ð': return U"d";
        case U'ı': return U"i";
        case U'ħ': return U"h";
        case U'ŧ': return U"t";
        case U'æ': return U"ae";
        case U'œ': return U"oe";
        case U'þ': return U"th";
        default: return {};
    }
}

/// Marks that are accents or optional vowel points. Others carry the word: the voicing of kana,
/// the vowels of Thai and the scripts of India.
bool is_accent(char32_t c) {
    return (c >= 0x0300 && c <= 0x036f) || (c >= 0x0483 && c <= 0x0489) || (c >= 0x0591 && c <= 0x05c7) ||
           (c >= 0x0610 && c <= 0x061a) || (c >= 0x064b && c <= 0x065f) || c == 0x0670 ||
           (c >= 0x06d6 && c <= 0x06ed) || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) ||
           (c >= 0x20d0 && c <= 0x20f0) || (c >= 0xfe20 && c <= 0xfe2f);
}

bool is_mark(char32_t c) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

/// What queries and names use for structure: full-width look-alikes must not become these.
bool is_structure(utf8proc_int32_t c) {
    return c == '*' || c == '?' || c == '\\' || c == '^' || c == '=';
}

void append_folded(std::vector<utf8proc_int32_t>& to, char32_t code_point) {
    if (code_point < 0x80) {
        to.push_back(fold_ascii(static_cast<char>(code_point)));
        return;
    }
    std::array<utf8proc_int32_t, 64> parts{};
    int boundary = 0;
    constexpr auto kOptions =
        static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
    const auto count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), parts.data(),
                                static_cast<utf8proc_ssize_t>(parts.size()), kOptions, &boundary);
    const auto end = parts.begin() + std::max<utf8proc_ssize_t>(count, 0);
    if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size()) ||
        std::any_of(parts.begin(), end, is_structure)) {
        to.push_back(static_cast<utf8proc_int32_t>(code_point));
        return;
    }
    for (auto part = parts.begin(); part != end; ++part) {
        const auto c = static_cast<char32_t>(*part);
        if (is_accent(c) && is_mark(c)) continue;
        const auto plain = plain_spelling(c);
        if (plain.empty()) to.push_back(*part);
        for (const char32_t letter : plain) to.push_back(static_cast<utf8proc_int32_t>(letter));
    }
}

/// Canonical order of the marks behind a letter, then letters and marks made one where they can be.
void compose(std::vector<utf8proc_int32_t>& text) {
    const auto combining_class = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
    for (auto first = text.begin(); first != text.end();) {
        if (combining_class(*first) == 0) {
            ++first;
            continue;
        }
        const auto last = std::find_if(first, text.end(), [&](auto c) { return combining_class(c) == 0; });
        std::stable_sort(first, last,
                         [&](auto a, auto b) { return combining_class(a) < combining_class(b); });
        first = last;
    }
    const auto size =
        utf8proc_normalize_utf32(text.data(), static_cast<utf8proc_ssize_t>(text.size()),
                                 static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    if (size >= 0) text.resize(static_cast<std::size_t>(size));
}

/// A value of PN, already folded, without anything that does not tell names apart.
void append_tidy_name(std::string& to, std::string_view name) {
    const std::size_t begin = to.size();
    const auto drop_back = [&](char c) {
        while (to.size() > begin && to.back() == c) to.pop_back();
    };
    for (const char c : name) {
        if (c == ' ') {
            const bool leads = to.size() == begin || to.back() == ' ' || to.back() == '^' || to.back() == '=';
            if (!leads) to.push_back(c);
            continue;
        }
        if (c == '^' || c == '=') drop_back(' ');
        if (c == '=') drop_back('^');
        to.push_back(c);
    }
    drop_back(' ');
    drop_back('^');
    while (to.size() > begin && (to.back() == '=' || to.back() == '^')) to.pop_back();
}

}  // namespace

std::string fold(std::string_view utf8) {
    if (is_ascii(utf8) || !is_valid_utf8(utf8)) return fold_ascii(utf8);
    std::vector<utf8proc_int32_t> code_points;
    code_points.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size();) {
        append_folded(code_points, next_code_point(utf8, at).value_or(kReplacementCharacter));
    }
    compose(code_points);
    std::string folded;
    folded.reserve(utf8.size());
    for (const auto c : code_points) append_utf8(folded, static_cast<char32_t>(c));
    return folded;
}

std::string fold_person_name(std::string_view utf8) {
    const std::string folded = fold(utf8);
    std::string tidy;
    tidy.reserve(folded.size());
    std::string_view rest = folded;
    while (true) {
        const auto end = rest.find('\\');
        append_tidy_name(tidy, rest.substr(0, end));
        if (end == std::string_view::npos) return tidy;
        tidy.push_back('\\');
        rest.remove_prefix(end + 1);
    }
}

bool is_valid_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        if (!next_code_point(text, at)) return false;
    }
    return true;
}

}  // namespace sagitta::dicom
