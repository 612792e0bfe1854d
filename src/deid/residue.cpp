#include "deid/residue.h"

#include <algorithm>

#include "deid/folded_text.h"
#include "deid/text_patterns.h"
#include "dicom/text.h"
#include "dicom/utf8.h"

namespace sagitta::deid {
namespace {

using Bounds = IdentityString::Bounds;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_ascii_letter(char c) {
    return small(c) >= 'a' && small(c) <= 'z';
}

bool only_digits(std::string_view text) {
    return text.find_first_not_of("0123456789 -./()+") == std::string_view::npos;
}

bool fits(Bounds bounds, bool letter_beside, bool digit_beside) {
    const bool letters = bounds == Bounds::letters || bounds == Bounds::both;
    const bool digits = bounds == Bounds::digits || bounds == Bounds::both;
    return !(letters && letter_beside) && !(digits && digit_beside);
}

// Capitals and small letters outside ASCII where they lie in rows: Latin-1, Latin Extended-A, Greek,
// Cyrillic.
char32_t other_case(char32_t c, bool capital) {
    const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
    if (c < 0x80) return c;
    if (capital) {
        if (within(0xe0, 0xfe) && c != 0xf7) return c - 0x20;
        if (within(0x3b1, 0x3c9) && c != 0x3c2) return c - 0x20;
        if (within(0x430, 0x44f)) return c - 0x20;
        if (within(0x450, 0x45f)) return c - 0x50;
    } else {
        if (within(0xc0, 0xde) && c != 0xd7) return c + 0x20;
        if (within(0x391, 0x3a9)) return c + 0x20;
        if (within(0x410, 0x42f)) return c + 0x20;
        if (within(0x400, 0x40f)) return c + 0x50;
    }
    const bool pairs_from_even =
        within(0x100, 0x137) || within(0x14a, 0x177) || within(0x460, 0x481) || within(0x48a, 0x4bf);
    const bool pairs_from_odd = within(0x139, 0x148) || within(0x179, 0x17e);
    if (pairs_from_even) return capital ? c & ~char32_t{1} : c | 1;
    if (pairs_from_odd) return capital ? (c % 2 == 0 ? c - 1 : c) : (c % 2 != 0 ? c + 1 : c);
    return c;
}

std::string in_case(std::string_view utf8, bool capital) {
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        const auto c = dicom::next_code_point(utf8, at).value_or(dicom::kReplacementCharacter);
        dicom::append_utf8(out, other_case(c, capital));
    }
    return out;
}

std::string utf16(std::string_view utf8, bool big_endian) {
    std::string out;
    const auto unit = [&](char32_t u) {
        const char high = static_cast<char>(u >> 8 & 0xff), low = static_cast<char>(u & 0xff);
        out.push_back(big_endian ? high : low);
        out.push_back(big_endian ? low : high);
    };
    for (std::size_t at = 0; at < utf8.size();) {
        const auto c = dicom::next_code_point(utf8, at).value_or(dicom::kReplacementCharacter);
        if (c >= 0x10000) {
            unit(0xd800 + ((c - 0x10000) >> 10));
            unit(0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            unit(c);
        }
    }
    return out;
}

// Takes the spans out, and what would stand doubled or alone around them.
std::string without(std::string_view text, std::vector<std::pair<std::size_t, std::size_t>> spans) {
    std::sort(spans.begin(), spans.end());
    std::string out;
    std::size_t at = 0;
    for (const auto& [first, last] : spans) {
        if (first > at) out += text.substr(at, first - at);
        at = std::max(at, last);
        const bool space_before = out.empty() || out.back() == ' ';
        if (space_before) {
            while (at < text.size() && text[at] == ' ') ++at;
        }
    }
    out += text.substr(at);
    constexpr std::string_view edges = " ,;:^=_-/";
    const auto begin = out.find_first_not_of(edges);
    if (begin == std::string::npos) return {};
    return out.substr(begin, out.find_last_not_of(edges) - begin + 1);
}

}  // namespace

void ResidueCounts::add(IdentityKind kind) noexcept {
    switch (kind) {
        case IdentityKind::name: ++names; break;
        case IdentityKind::id: ++ids; break;
        case IdentityKind::date: ++dates; break;
        default: ++other; break;
    }
}

Residue::Residue(const Identity& identity) {
    for (const IdentityString& string : identity.strings) {
        const std::string folded = FoldedText(string.text).text();
        folded_.add(folded, static_cast<std::uint32_t>(folded_patterns_.size()));
        folded_patterns_.push_back({string.kind, string.bounds, only_digits(folded)});
        add_bytes(string, identity);
    }
    for (const std::string& raw : identity.raw) {
        bytes_.add(raw, static_cast<std::uint32_t>(byte_patterns_.size()));
        byte_patterns_.push_back({IdentityKind::name, Bounds::none});
    }
}

void Residue::add_bytes(const IdentityString& string, const Identity& identity) {
    const bool ascii = dicom::is_ascii(string.text);
    if (ascii && string.text.size() < (only_digits(string.text) ? 4 : 3)) return;
    const auto id = static_cast<std::uint32_t>(byte_patterns_.size());
    byte_patterns_.push_back({string.kind, string.bounds, only_digits(string.text)});
    byte_patterns_.push_back({string.kind, Bounds::none, only_digits(string.text), true});
    if (ascii) {
        bytes_.add(string.text, id);
        if (string.text.size() >= 4) {
            bytes_.add(utf16(string.text, false), id + 1);
            bytes_.add(utf16(string.text, true), id + 1);
        }
        return;
    }
    const auto latin1 = dicom::CharacterSet::parse("ISO_IR 100");
    for (const std::string& form :
         {string.text, in_case(string.text, true), in_case(string.text, false), dicom::fold(string.text)}) {
        bytes_.add(form, id);
        if (dicom::is_ascii(form)) continue;
        const auto add_encoded = [&](const dicom::CharacterSet& set) {
            const auto encoded = set.from_utf8(form, Vr::LO);
            if (encoded && encoded->size() >= 3) bytes_.add(*encoded, id);
        };
        add_encoded(latin1);
        for (const auto& set : identity.character_sets) {
            if (!set.is_utf8()) add_encoded(set);
        }
        const std::string little = utf16(form, false);
        if (little.size() < 4) continue;
        bytes_.add(little, id + 1);
        bytes_.add(utf16(form, true), id + 1);
    }
}

std::optional<std::string> Residue::cut(std::string_view utf8, const CleanOptions& options,
                                        ResidueCounts& counts) const {
    const FoldedText folded(utf8);
    const std::string_view text = folded.text();
    std::vector<Span> found;
    folded_.search(as_bytes(text), [&](std::size_t at, std::size_t length, std::uint32_t id) {
        const std::size_t end = at + length;
        const bool letter = folded.letter_before(at) || folded.letter_at(end);
        const bool digit = (at > 0 && is_digit(text[at - 1])) || (end < text.size() && is_digit(text[end]));
        if (fits(folded_patterns_[id].bounds, letter, digit))
            found.push_back({at, end, folded_patterns_[id].kind});
        return true;
    });
    if (options.dates) find_dates(text, found);
    if (options.patterns) {
        find_numbers_and_addresses(text, found);
        find_titled_names(folded, utf8, found);
    }
    if (found.empty()) return std::nullopt;
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    for (const Span& span : found) {
        counts.add(span.kind);
        spans.push_back(folded.original(span.first, span.last));
    }
    return without(utf8, std::move(spans));
}

std::optional<IdentityKind> Residue::find(std::string_view utf8) const {
    const FoldedText folded(utf8);
    const std::string_view text = folded.text();
    std::optional<IdentityKind> kind;
    folded_.search(as_bytes(text), [&](std::size_t at, std::size_t length, std::uint32_t id) {
        const std::size_t end = at + length;
        const bool letter = folded.letter_before(at) || folded.letter_at(end);
        const bool digit = (at > 0 && is_digit(text[at - 1])) || (end < text.size() && is_digit(text[end]));
        if (fits(folded_patterns_[id].bounds, letter, digit)) kind = folded_patterns_[id].kind;
        return !kind;
    });
    return kind;
}

std::vector<Residue::Hit> Residue::search(std::span<const std::byte> bytes, std::size_t limit) const {
    std::vector<Hit> hits;
    const std::string_view text = as_text(bytes);
    bytes_.search(bytes, [&](std::size_t at, std::size_t length, std::uint32_t id) {
        const Pattern& pattern = byte_patterns_[id];
        const std::size_t end = at + length;
        const char before = at > 0 ? text[at - 1] : ' ';
        const char after = end < text.size() ? text[end] : ' ';
        const bool letter = is_ascii_letter(before) || is_ascii_letter(after);
        const bool digit = is_digit(before) || is_digit(after);
        if (!pattern.wide && !fits(pattern.bounds, letter, digit)) return true;
        hits.push_back({at, length, pattern.kind, pattern.digits});
        return hits.size() < limit;
    });
    return hits;
}

}  // namespace sagitta::deid
