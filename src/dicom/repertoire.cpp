#include "dicom/repertoire.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <iconv.h>

#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

/// iconv for one character at a time, while a table is being built.
class Converter {
public:
    explicit Converter(const char* encoding) : handle_(iconv_open("UTF-32LE", encoding)) {}
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    ~Converter() {
        if (is_open()) iconv_close(handle_);
    }

    /// Zero when `bytes` are not exactly one character, or the system lacks the conversion.
    [[nodiscard]] char32_t operator()(std::span<const unsigned char> bytes) const {
        if (!is_open()) return 0;
        std::array<char, 8> in{};
        std::array<unsigned char, 8> out{};
        std::copy(bytes.begin(), bytes.end(), in.begin());
        char* from = in.data();
        char* to = reinterpret_cast<char*>(out.data());
        std::size_t in_left = bytes.size();
        std::size_t out_left = out.size();
        iconv(handle_, nullptr, nullptr, nullptr, nullptr);
        const auto result = iconv(handle_, &from, &in_left, &to, &out_left);
        if (result == static_cast<std::size_t>(-1) || in_left != 0 || out_left != 4) return 0;
        return static_cast<char32_t>(out[0] | (out[1] << 8) | (out[2] << 16));
    }

private:
    [[nodiscard]] bool is_open() const { return reinterpret_cast<std::intptr_t>(handle_) != -1; }

    iconv_t handle_;
};

/// Both directions. Zero means unassigned.
struct CodeTable {
    std::vector<char32_t> code_points;                      ///< by index
    std::vector<std::pair<char32_t, std::uint32_t>> codes;  ///< sorted by code point

    void sort() {
        std::sort(codes.begin(), codes.end());
        codes.erase(std::unique(codes.begin(), codes.end(),
                                [](const auto& a, const auto& b) { return a.first == b.first; }),
                    codes.end());
    }

    [[nodiscard]] std::optional<std::uint32_t> find(char32_t code_point) const {
        const auto found =
            std::lower_bound(codes.begin(), codes.end(), std::pair{code_point, std::uint32_t{0}});
        if (found == codes.end() || found->first != code_point) return std::nullopt;
        return found->second;
    }
};

/// No double-byte character may turn into a delimiter: fullwidth forms stay fullwidth.
char32_t never_ascii(char32_t code_point) {
    return code_point > 0x20 && code_point < 0x7f ? code_point + 0xfee0 : code_point;
}

/// Where the codes come from. Vendors use code points beyond the standard (NEC and IBM kanji in
/// names above all); `superset` reads those, and they are never written.
struct Source {
    const char* encoding;
    const char* superset;
    bool shift3;  ///< EUC code set 3: byte 8F in front
};

Source source_of(Repertoire repertoire) {
    switch (repertoire) {
        case Repertoire::latin1: return {"ISO-8859-1", nullptr, false};
        case Repertoire::latin2: return {"ISO-8859-2", nullptr, false};
        case Repertoire::latin3: return {"ISO-8859-3", nullptr, false};
        case Repertoire::latin4: return {"ISO-8859-4", nullptr, false};
        case Repertoire::latin5: return {"ISO-8859-9", nullptr, false};
        case Repertoire::latin9: return {"ISO-8859-15", nullptr, false};
        case Repertoire::cyrillic: return {"ISO-8859-5", nullptr, false};
        case Repertoire::arabic: return {"ISO-8859-6", nullptr, false};
        case Repertoire::greek: return {"ISO-8859-7", nullptr, false};
        case Repertoire::hebrew: return {"ISO-8859-8", nullptr, false};
        case Repertoire::thai: return {"TIS-620", nullptr, false};
        case Repertoire::jis_x0208: return {"EUC-JP", "CP932", false};
        case Repertoire::jis_x0212: return {"EUC-JP", nullptr, true};
        case Repertoire::ks_x1001: return {"EUC-KR", nullptr, false};
        case Repertoire::gb_2312: return {"EUC-CN", "GBK", false};
        case Repertoire::none:
        case Repertoire::ascii:
        case Repertoire::romaji:
        case Repertoire::katakana: break;
    }
    return {"ASCII", nullptr, false};
}

CodeTable build_single_byte(const Source& source) {
    const Converter convert(source.encoding);
    CodeTable table;
    table.code_points.resize(96);
    for (unsigned i = 0; i < 96; ++i) {
        const auto byte = static_cast<unsigned char>(0xa0 + i);
        const char32_t code_point = convert(std::span(&byte, 1));
        table.code_points[i] = code_point;
        if (code_point != 0) table.codes.emplace_back(code_point, byte);
    }
    table.sort();
    return table;
}

/// The two bytes in which `superset` has the code of this row and cell, both from 0.
std::array<unsigned char, 2> superset_bytes(Repertoire repertoire, unsigned row, unsigned cell) {
    if (repertoire != Repertoire::jis_x0208) {
        return {static_cast<unsigned char>(0xa1 + row), static_cast<unsigned char>(0xa1 + cell)};
    }
    const unsigned lead = row / 2 + (row < 62 ? 0x81 : 0xc1);  // Shift JIS folds two rows into one lead byte
    const unsigned trail = row % 2 == 1 ? 0x9f + cell : cell < 63 ? 0x40 + cell : 0x41 + cell;
    return {static_cast<unsigned char>(lead), static_cast<unsigned char>(trail)};
}

CodeTable build_double_byte(Repertoire repertoire, const Source& source) {
    const Converter convert(source.encoding);
    const Converter convert_more(source.superset == nullptr ? "ASCII" : source.superset);
    CodeTable table;
    table.code_points.resize(std::size_t{94} * 94);
    for (unsigned i = 0; i < table.code_points.size(); ++i) {
        const std::array<unsigned char, 3> bytes = {0x8f, static_cast<unsigned char>(0xa1 + i / 94),
                                                    static_cast<unsigned char>(0xa1 + i % 94)};
        const std::span<const unsigned char> code = std::span(bytes).subspan(source.shift3 ? 0 : 1);
        char32_t code_point = never_ascii(convert(code));
        if (code_point != 0) {
            table.codes.emplace_back(code_point, (0x21 + i / 94) << 8 | (0x21 + i % 94));
        } else {
            code_point = never_ascii(convert_more(superset_bytes(repertoire, i / 94, i % 94)));
        }
        table.code_points[i] = code_point;
    }
    table.sort();
    return table;
}

const CodeTable& table_of(Repertoire repertoire) {
    static std::array<std::once_flag, kRepertoires> once;
    static std::array<CodeTable, kRepertoires> tables;
    const auto i = static_cast<std::size_t>(repertoire);
    std::call_once(once[i], [&] {
        const Source source = source_of(repertoire);
        tables[i] =
            is_double_byte(repertoire) ? build_double_byte(repertoire, source) : build_single_byte(source);
    });
    return tables[i];
}

constexpr char32_t kOverline = 0x203e;
constexpr char32_t kFirstHalfwidthKatakana = 0xff61;  // of JIS X 0201 A1
constexpr std::uint32_t kGbTrails = 190;              // 40-7E and 80-FE
constexpr std::uint32_t kGbPairs = 126 * kGbTrails;
constexpr std::uint32_t kGbBmpQuads = 39420;  // 81308130 to 8431A439, the rest of the BMP

std::uint32_t gb_trail(std::uint32_t index) {
    return index < 63 ? 0x40 + index : 0x41 + index;
}

std::uint32_t gb_quad_code(std::uint32_t lead, std::uint32_t linear) {
    return (lead + linear / 12600) << 24 | (0x30 + linear / 1260 % 10) << 16 |
           (0x81 + linear / 10 % 126) << 8 | (0x30 + linear % 10);
}

/// Pairs first, then the quads of the BMP; beyond the BMP the code is arithmetic.
CodeTable build_gb(const char* encoding, bool quads) {
    const Converter convert(encoding);
    CodeTable table;
    table.code_points.resize(kGbPairs + (quads ? kGbBmpQuads : 0));
    for (std::uint32_t i = 0; i < table.code_points.size(); ++i) {
        const bool pair = i < kGbPairs;
        const std::uint32_t code =
            pair ? (0x81 + i / kGbTrails) << 8 | gb_trail(i % kGbTrails) : gb_quad_code(0x81, i - kGbPairs);
        const std::array<unsigned char, 4> bytes = {
            static_cast<unsigned char>(code >> 24), static_cast<unsigned char>(code >> 16),
            static_cast<unsigned char>(code >> 8), static_cast<unsigned char>(code)};
        const char32_t code_point = never_ascii(convert(std::span(bytes).subspan(pair ? 2 : 0)));
        table.code_points[i] = code_point;
        if (code_point != 0) table.codes.emplace_back(code_point, code);
    }
    table.sort();
    return table;
}

const CodeTable& gb18030_table() {
    static const CodeTable table = build_gb("GB18030", true);
    return table;
}

const CodeTable& gbk_table() {
    static const CodeTable table = build_gb("GBK", false);
    return table;
}

GbCharacter gb_quad(unsigned b1, unsigned b2, unsigned b3, unsigned b4) {
    const auto linear = [&](unsigned lead) {
        return (((b1 - lead) * 10 + (b2 - 0x30)) * 126 + (b3 - 0x81)) * 10 + (b4 - 0x30);
    };
    char32_t code_point = 0;
    if (b1 >= 0x90) {
        code_point = 0x10000 + linear(0x90);
        if (code_point > 0x10ffff) code_point = 0;
    } else if (const auto index = linear(0x81); index < kGbBmpQuads) {
        code_point = gb18030_table().code_points[kGbPairs + index];
    }
    return {code_point == 0 ? kReplacementCharacter : code_point, 4};
}

}  // namespace

std::optional<char32_t> decode_code(Repertoire repertoire, std::uint16_t code) {
    switch (repertoire) {
        case Repertoire::none: return std::nullopt;
        case Repertoire::ascii: return code;
        case Repertoire::romaji: return code == 0x7e ? kOverline : char32_t{code};
        case Repertoire::katakana:
            if (code < 0xa1 || code > 0xdf) return std::nullopt;
            return kFirstHalfwidthKatakana + (code - 0xa1u);
        default: break;
    }
    const CodeTable& table = table_of(repertoire);
    const std::size_t index = is_double_byte(repertoire)
                                  ? std::size_t{94} * ((code >> 8) - 0x21u) + ((code & 0xffu) - 0x21u)
                                  : std::size_t{code} - 0xa0u;
    if (index >= table.code_points.size() || table.code_points[index] == 0) return std::nullopt;
    return table.code_points[index];
}

std::optional<std::uint16_t> encode_code(Repertoire repertoire, char32_t code_point) {
    switch (repertoire) {
        case Repertoire::none: return std::nullopt;
        case Repertoire::ascii:
            if (code_point > 0x7f) return std::nullopt;
            return static_cast<std::uint16_t>(code_point);
        case Repertoire::romaji:
            if (code_point == kOverline) return 0x7e;
            if (code_point > 0x7f || code_point == 0x7e) return std::nullopt;
            return static_cast<std::uint16_t>(code_point);
        case Repertoire::katakana:
            if (code_point < kFirstHalfwidthKatakana || code_point > kFirstHalfwidthKatakana + 0x3e)
                return std::nullopt;
            return static_cast<std::uint16_t>(0xa1 + (code_point - kFirstHalfwidthKatakana));
        default: break;
    }
    const auto code = table_of(repertoire).find(code_point);
    if (!code) return std::nullopt;
    return static_cast<std::uint16_t>(*code);
}

GbCharacter decode_gb18030(std::string_view bytes) {
    const auto at = [&](std::size_t i) -> unsigned {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
    };
    const unsigned lead = at(0);
    const unsigned trail = at(1);
    if (lead < 0x80) return {lead, 1};
    if (lead == 0x80 || lead == 0xff) return {kReplacementCharacter, 1};
    if (trail >= 0x40 && trail != 0x7f && trail != 0xff) {
        const std::uint32_t index = (lead - 0x81) * kGbTrails + (trail < 0x7f ? trail - 0x40 : trail - 0x41);
        const char32_t code_point = gb18030_table().code_points[index];
        return {code_point == 0 ? kReplacementCharacter : code_point, 2};
    }
    const auto is_digit = [](unsigned byte) { return byte >= 0x30 && byte <= 0x39; };
    if (is_digit(trail) && at(2) >= 0x81 && at(2) <= 0xfe && is_digit(at(3))) {
        return gb_quad(lead, trail, at(2), at(3));
    }
    return {kReplacementCharacter, 1};
}

std::optional<std::uint32_t> encode_gb18030(char32_t code_point) {
    if (code_point < 0x80) return code_point;
    if (code_point >= 0x10000) return gb_quad_code(0x90, code_point - 0x10000);
    return gb18030_table().find(code_point);
}

std::optional<std::uint32_t> encode_gbk(char32_t code_point) {
    if (code_point < 0x80) return code_point;
    return gbk_table().find(code_point);
}

}  // namespace sagitta::dicom
