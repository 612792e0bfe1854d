#include "dicom/character_set.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <system_error>

#include "dicom/iso2022.h"
#include "dicom/repertoire.h"
#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

/// The repertoires behind the number of a defined term (PS3.3 Tables C.12-2 to C.12-4).
struct Term {
    unsigned number;
    Repertoire g0;
    Repertoire g1;
};

constexpr auto kTerms = std::to_array<Term>({
    {6, Repertoire::ascii, Repertoire::none},
    {100, Repertoire::ascii, Repertoire::latin1},
    {101, Repertoire::ascii, Repertoire::latin2},
    {109, Repertoire::ascii, Repertoire::latin3},
    {110, Repertoire::ascii, Repertoire::latin4},
    {144, Repertoire::ascii, Repertoire::cyrillic},
    {127, Repertoire::ascii, Repertoire::arabic},
    {126, Repertoire::ascii, Repertoire::greek},
    {138, Repertoire::ascii, Repertoire::hebrew},
    {148, Repertoire::ascii, Repertoire::latin5},
    {203, Repertoire::ascii, Repertoire::latin9},
    {13, Repertoire::romaji, Repertoire::katakana},
    {166, Repertoire::ascii, Repertoire::thai},
    {87, Repertoire::jis_x0208, Repertoire::none},
    {159, Repertoire::jis_x0212, Repertoire::none},
    {149, Repertoire::none, Repertoire::ks_x1001},
    {58, Repertoire::none, Repertoire::gb_2312},
});

/// A term as people write it: capital letters and digits, nothing between them.
std::string bare(std::string_view term) {
    std::string out;
    for (const char c : term) {
        if (c >= 'a' && c <= 'z') {
            out.push_back(static_cast<char>(c - 'a' + 'A'));
        } else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
            out.push_back(c);
        }
    }
    return out;
}

/// "ISO 8859-1" and its like are no defined terms, but they are met.
unsigned registration_of_iso8859(unsigned part) {
    constexpr std::array<unsigned, 17> kRegistrations = {0,   100, 101, 109, 110, 144, 127, 126, 138,
                                                         148, 0,   166, 0,   0,   0,   203, 0};
    return part < kRegistrations.size() ? kRegistrations[part] : 0;
}

std::optional<unsigned> number_in(std::string_view digits) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::string replace_invalid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        append_utf8(text, next_code_point(bytes, at).value_or(kReplacementCharacter));
    }
    return text;
}

std::string decode_ascii(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        append_utf8(text, byte < 0x80 ? char32_t{byte} : kReplacementCharacter);
    }
    return text;
}

std::string decode_gb(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() + bytes.size() / 2);
    while (!bytes.empty()) {
        const GbCharacter character = decode_gb18030(bytes);
        append_utf8(text, character.code_point);
        bytes.remove_prefix(character.length);
    }
    return text;
}

Error outside(std::size_t at) {
    return {Errc::unsupported, "a character is outside the specific character set", at};
}

template <class Encode>
Result<std::string> encode_with(std::string_view text, Encode encode) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t before = at;
        const auto code_point = next_code_point(text, at);
        if (!code_point) return Error{Errc::malformed, "text to encode is not UTF-8", before};
        const std::optional<std::uint32_t> code = encode(*code_point);
        if (!code) return outside(before);
        for (int shift = 24; shift >= 0; shift -= 8) {
            if (shift == 0 || (*code >> shift) != 0) bytes.push_back(static_cast<char>(*code >> shift));
        }
    }
    return bytes;
}

std::optional<std::uint32_t> encode_ascii(char32_t code_point) {
    if (code_point >= 0x80) return std::nullopt;
    return code_point;
}

std::optional<std::uint32_t> encode_utf8(char32_t code_point) {
    std::string bytes;
    append_utf8(bytes, code_point);
    std::uint32_t code = 0;
    for (const char c : bytes) code = code << 8 | static_cast<unsigned char>(c);
    return code;
}

/// The terms as what the ISO 2022 machine wants; owns what CodeExtensions only views.
class Designable {
public:
    Designable(std::span<const std::uint8_t> rows, bool extended, bool unknown) {
        if (!rows.empty()) {
            const Term& first = kTerms[rows[0]];
            // Alone or first, a multi-byte term has no initial state: ASCII until it is designated.
            if (!is_double_byte(first.g0) && first.g0 != Repertoire::none) {
                extensions_.initial_g0 = first.g0;
                extensions_.initial_g1 = first.g1;
            }
        }
        for (const std::uint8_t row : rows) {
            const Term& term = kTerms[row];
            if (!unknown && extensions_.undesignated_g1 == Repertoire::none) {
                extensions_.undesignated_g1 = term.g1;
            }
            if (extended) {
                add(term.g0);
                add(term.g1);
            }
        }
        extensions_.designable = std::span(repertoires_).first(count_);
    }
    Designable(const Designable&) = delete;
    Designable& operator=(const Designable&) = delete;

    [[nodiscard]] const CodeExtensions& extensions() const { return extensions_; }

private:
    void add(Repertoire repertoire) {
        const auto end = repertoires_.begin() + static_cast<std::ptrdiff_t>(count_);
        if (repertoire == Repertoire::none || std::find(repertoires_.begin(), end, repertoire) != end) return;
        repertoires_[count_++] = repertoire;
    }

    std::array<Repertoire, kRepertoires> repertoires_{};
    std::size_t count_ = 0;
    CodeExtensions extensions_;
};

}  // namespace

CharacterSet CharacterSet::parse(std::string_view specific_character_set) {
    CharacterSet set;
    std::string_view rest = specific_character_set;
    std::size_t values = 0;
    while (true) {
        const auto end = rest.find('\\');
        set.add(rest.substr(0, end));
        ++values;
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    if (values > 1) set.extended_ = true;
    return set;
}

void CharacterSet::add(std::string_view term) {
    const std::string normalised = bare(term);
    std::string_view name = normalised;
    // UTF-8 and the GB sets cannot be extended (PS3.3 C.12.1.1.2); where a file combines them with
    // others all the same, the first that says more than ASCII is believed.
    const bool only_ascii = count_ == 0 || (count_ == 1 && terms_[0] == 0);
    const auto whole = [&](Kind kind) {
        if (only_ascii && kind_ == Kind::iso2022) kind_ = kind;
    };
    if (name == "UTF8" || name == "ISOIR192" || name == "ISO2022IR192") return whole(Kind::utf8);
    if (name == "GB18030" || name == "ISO2022GB18030") return whole(Kind::gb18030);
    if (name == "GBK" || name == "GB2312" || name == "ISO2022GBK") return whole(Kind::gbk);

    unsigned number = 6;
    if (!name.empty() && name != "ASCII" && name != "USASCII") {
        const bool iso = take(name, "ISO");
        bool is_part_of_8859 = false;
        if (take(name, "2022")) {
            extended_ = true;
        } else {
            is_part_of_8859 = take(name, "8859");
        }
        if (!is_part_of_8859) take(name, "IR");
        const auto parsed = number_in(name);
        number = !iso || !parsed ? 0 : is_part_of_8859 ? registration_of_iso8859(*parsed) : *parsed;
    }
    const auto found =
        std::find_if(kTerms.begin(), kTerms.end(), [&](const Term& row) { return row.number == number; });
    if (found == kTerms.end()) {
        unknown_ = true;
        if (count_ == 0) terms_[count_++] = 0;  // its place: the next term is not the first
        return;
    }
    const auto row = static_cast<std::uint8_t>(found - kTerms.begin());
    const auto end = terms_.begin() + count_;
    if (std::find(terms_.begin(), end, row) == end) terms_[count_++] = row;
}

CharacterSet CharacterSet::utf8() {
    CharacterSet set;
    set.kind_ = Kind::utf8;
    return set;
}

std::string CharacterSet::to_utf8(std::string_view bytes, Vr vr) const {
    if (!uses_character_set(vr)) return is_ascii(bytes) ? std::string(bytes) : decode_ascii(bytes);
    switch (kind_) {
        case Kind::utf8: return replace_invalid_utf8(bytes);
        case Kind::gb18030:
        case Kind::gbk: return decode_gb(bytes);
        case Kind::iso2022: break;
    }
    // Plain ASCII is most of what there is. The tilde alone is another character in JIS X 0201.
    if (is_ascii(bytes) && bytes.find_first_of("\x1b~") == std::string_view::npos) return std::string(bytes);
    const Designable designable({terms_.data(), count_}, extended_, unknown_);
    return decode_iso2022(bytes, designable.extensions(), vr);
}

Result<std::string> CharacterSet::from_utf8(std::string_view text, Vr vr) const {
    if (!uses_character_set(vr)) return encode_with(text, encode_ascii);
    switch (kind_) {
        case Kind::utf8: return encode_with(text, encode_utf8);
        case Kind::gb18030: return encode_with(text, encode_gb18030);
        case Kind::gbk: return encode_with(text, encode_gbk);
        case Kind::iso2022: break;
    }
    const Designable designable({terms_.data(), count_}, extended_, unknown_);
    return encode_iso2022(text, designable.extensions(), vr);
}

}  // namespace sagitta::dicom
