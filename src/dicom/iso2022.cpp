#include "dicom/iso2022.h"

#include <array>
#include <optional>

#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

constexpr char kEscape = '\x1b';

/// An escape sequence behind its ESC, and what it does.
struct Designation {
    std::string_view sequence;
    Repertoire repertoire;
    bool to_g1;
};

// The first row of a repertoire is the one DICOM writes. The rows at the end are the forms that
// e-mail and old systems use for the same sets; they are only read.
constexpr auto kDesignations = std::to_array<Designation>({
    {"(B", Repertoire::ascii, false},      {"(J", Repertoire::romaji, false},
    {")I", Repertoire::katakana, true},    {"-A", Repertoire::latin1, true},
    {"-B", Repertoire::latin2, true},      {"-C", Repertoire::latin3, true},
    {"-D", Repertoire::latin4, true},      {"-M", Repertoire::latin5, true},
    {"-b", Repertoire::latin9, true},      {"-L", Repertoire::cyrillic, true},
    {"-G", Repertoire::arabic, true},      {"-F", Repertoire::greek, true},
    {"-H", Repertoire::hebrew, true},      {"-T", Repertoire::thai, true},
    {"$B", Repertoire::jis_x0208, false},  {"$(D", Repertoire::jis_x0212, false},
    {"$)C", Repertoire::ks_x1001, true},   {"$)A", Repertoire::gb_2312, true},
    {"(I", Repertoire::katakana, false},   {"$@", Repertoire::jis_x0208, false},
    {"$(B", Repertoire::jis_x0208, false}, {"$)B", Repertoire::jis_x0208, true},
    {"$)D", Repertoire::jis_x0212, true},  {"$(C", Repertoire::ks_x1001, false},
    {"$A", Repertoire::gb_2312, false},    {"$(A", Repertoire::gb_2312, false},
});

const Designation* designation_at(std::string_view behind_escape) {
    for (const Designation& row : kDesignations) {
        if (behind_escape.starts_with(row.sequence)) return &row;
    }
    return nullptr;
}

const Designation* designation_of(Repertoire repertoire) {
    for (const Designation& row : kDesignations) {
        if (row.repertoire == repertoire) return &row;
    }
    return nullptr;
}

/// PS3.5 6.1.2.5.3: where the initial repertoires are active again.
bool is_delimiter(char c, Vr vr) {
    switch (c) {
        case '\r':
        case '\n':
        case '\f':
        case '\t': return true;
        case '\\': return !is_single_valued_text(vr);
        case '^':
        case '=': return vr == Vr::PN;
        default: return false;
    }
}

class Decoder {
public:
    Decoder(const CodeExtensions& extensions, Vr vr) : extensions_(extensions), vr_(vr) { reset(); }

    std::string decode(std::string_view bytes) && {
        text_.reserve(bytes.size() + bytes.size() / 2);
        for (std::size_t at = 0; at < bytes.size();) at += step(bytes.substr(at));
        return std::move(text_);
    }

private:
    void reset() {
        g0_ = extensions_.initial_g0;
        g1_ =
            extensions_.initial_g1 != Repertoire::none ? extensions_.initial_g1 : extensions_.undesignated_g1;
    }

    /// Consumes one character or escape sequence and says how many bytes it had.
    std::size_t step(std::string_view rest) {
        const auto byte = static_cast<unsigned char>(rest[0]);
        if (rest[0] == kEscape) return escape(rest);
        if (byte >= 0x80) return right(rest);
        // A control character is one in every repertoire, and so is a space.
        if (byte <= 0x20 || byte == 0x7f) {
            if (is_delimiter(rest[0], vr_)) reset();
            text_.push_back(rest[0]);
            return 1;
        }
        return left(rest);
    }

    std::size_t escape(std::string_view rest) {
        const Designation* found = designation_at(rest.substr(1));
        if (found == nullptr) {
            append_utf8(text_, kReplacementCharacter);
            return 1;
        }
        (found->to_g1 ? g1_ : g0_) = found->repertoire;
        return 1 + found->sequence.size();
    }

    std::size_t left(std::string_view rest) {
        const auto byte = static_cast<unsigned char>(rest[0]);
        if (!is_double_byte(g0_)) {
            put(g0_ == Repertoire::katakana ? decode_code(g0_, byte | 0x80) : decode_code(g0_, byte));
            if (is_delimiter(rest[0], vr_)) reset();
            return 1;
        }
        const auto trail = rest.size() > 1 ? static_cast<unsigned char>(rest[1]) : 0;
        if (trail < 0x21 || trail > 0x7e) {
            put(std::nullopt);
            return 1;
        }
        put(decode_code(g0_, static_cast<std::uint16_t>(byte << 8 | trail)));
        return 2;
    }

    std::size_t right(std::string_view rest) {
        const auto byte = static_cast<unsigned char>(rest[0]);
        if (byte < 0xa0) {
            put(std::nullopt);
            return 1;
        }
        if (!is_double_byte(g1_)) {
            put(decode_code(g1_, byte));
            return 1;
        }
        const auto trail = rest.size() > 1 ? static_cast<unsigned char>(rest[1]) : 0;
        if (byte < 0xa1 || byte > 0xfe || trail < 0xa1 || trail > 0xfe) {
            put(std::nullopt);
            return 1;
        }
        put(decode_code(g1_, static_cast<std::uint16_t>((byte & 0x7f) << 8 | (trail & 0x7f))));
        return 2;
    }

    void put(std::optional<char32_t> code_point) {
        append_utf8(text_, code_point.value_or(kReplacementCharacter));
    }

    const CodeExtensions& extensions_;
    Vr vr_;
    Repertoire g0_ = Repertoire::none;
    Repertoire g1_ = Repertoire::none;
    std::string text_;
};

class Encoder {
public:
    Encoder(const CodeExtensions& extensions, Vr vr)
        : extensions_(extensions), vr_(vr), g0_(extensions.initial_g0), g1_(extensions.initial_g1) {}

    Result<std::string> encode(std::string_view text) && {
        bytes_.reserve(text.size());
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t before = at;
            const auto code_point = next_code_point(text, at);
            if (!code_point) return Error{Errc::malformed, "text to encode is not UTF-8", before};
            if (!put(*code_point)) {
                return Error{Errc::unsupported, "a character is outside the specific character set", before};
            }
        }
        if (!bytes_.empty()) restore();
        return std::move(bytes_);
    }

private:
    bool put(char32_t code_point) {
        if (code_point == U'\x1b') return false;
        if (code_point <= 0x20 || code_point == 0x7f || is_delimiter_point(code_point)) {
            // Nothing but single-byte repertoires may be active here; DICOM asks for the initial
            // ones before delimiters, and before a space it does no harm.
            if (is_delimiter_point(code_point)) {
                restore();
            } else if (is_double_byte(g0_)) {
                designate(extensions_.initial_g0);
            }
            bytes_.push_back(static_cast<char>(code_point));
            return true;
        }
        if (put_in(g0_, code_point) || put_in(g1_, code_point)) return true;
        for (const Repertoire repertoire : extensions_.designable) {
            if (!encode_code(repertoire, code_point)) continue;
            designate(repertoire);
            return put_in(repertoire, code_point);
        }
        return false;
    }

    [[nodiscard]] bool is_delimiter_point(char32_t code_point) const {
        return code_point < 0x80 && is_delimiter(static_cast<char>(code_point), vr_);
    }

    bool put_in(Repertoire repertoire, char32_t code_point) {
        const auto code = encode_code(repertoire, code_point);
        if (!code) return false;
        if (!is_double_byte(repertoire)) {
            bytes_.push_back(static_cast<char>(*code));
            return true;
        }
        const int high = repertoire == g1_ ? 0x8080 : 0;
        bytes_.push_back(static_cast<char>((*code | high) >> 8));
        bytes_.push_back(static_cast<char>(*code | high));
        return true;
    }

    void designate(Repertoire repertoire) {
        const Designation* row = designation_of(repertoire);
        if (row == nullptr) return;
        bytes_.push_back(kEscape);
        bytes_.append(row->sequence);
        (row->to_g1 ? g1_ : g0_) = repertoire;
    }

    /// To the initial state. A G1 that was empty at first cannot be emptied again, and need not:
    /// readers forget it at the delimiter.
    void restore() {
        if (g0_ != extensions_.initial_g0) designate(extensions_.initial_g0);
        if (g1_ != extensions_.initial_g1 && extensions_.initial_g1 != Repertoire::none) {
            designate(extensions_.initial_g1);
        }
        g1_ = extensions_.initial_g1;
    }

    const CodeExtensions& extensions_;
    Vr vr_;
    Repertoire g0_;
    Repertoire g1_;
    std::string bytes_;
};

}  // namespace

std::string decode_iso2022(std::string_view bytes, const CodeExtensions& extensions, Vr vr) {
    return Decoder(extensions, vr).decode(bytes);
}

Result<std::string> encode_iso2022(std::string_view text, const CodeExtensions& extensions, Vr vr) {
    return Encoder(extensions, vr).encode(text);
}

}  // namespace sagitta::dicom
