#include "dicom/character_set.h"

#include <array>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "dicom/part10.h"
#include "dicom/text.h"
#include "dicom/utf8.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

using namespace std::string_literals;

std::string decoded(std::string_view terms, std::string_view bytes, Vr vr = Vr::LO) {
    return CharacterSet::parse(terms).to_utf8(bytes, vr);
}

/// "(unsupported)" when it cannot be.
std::string encoded(std::string_view terms, std::string_view text, Vr vr = Vr::LO) {
    auto bytes = CharacterSet::parse(terms).from_utf8(text, vr);
    return bytes ? *bytes : "(" + std::string(to_string(bytes.error().code)) + ")";
}

constexpr auto kAllTerms = std::to_array<std::string_view>({
    "",
    "ISO_IR 6",
    "ISO_IR 100",
    "ISO_IR 101",
    "ISO_IR 109",
    "ISO_IR 110",
    "ISO_IR 144",
    "ISO_IR 127",
    "ISO_IR 126",
    "ISO_IR 138",
    "ISO_IR 148",
    "ISO_IR 203",
    "ISO_IR 13",
    "ISO_IR 166",
    "ISO_IR 192",
    "GB18030",
    "GBK",
    "ISO 2022 IR 6",
    "ISO 2022 IR 100",
    "ISO 2022 IR 101",
    "ISO 2022 IR 109",
    "ISO 2022 IR 110",
    "ISO 2022 IR 144",
    "ISO 2022 IR 127",
    "ISO 2022 IR 126",
    "ISO 2022 IR 138",
    "ISO 2022 IR 148",
    "ISO 2022 IR 203",
    "ISO 2022 IR 13",
    "ISO 2022 IR 166",
    "\\ISO 2022 IR 87",
    "\\ISO 2022 IR 159",
    "\\ISO 2022 IR 149",
    "\\ISO 2022 IR 58",
    "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126",
    "ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 101\\ISO 2022 IR 109\\ISO 2022 IR 110\\ISO 2022 IR 144\\"
    "ISO 2022 IR 127\\ISO 2022 IR 126\\ISO 2022 IR 138\\ISO 2022 IR 148\\ISO 2022 IR 203\\ISO 2022 IR 13\\"
    "ISO 2022 IR 166\\ISO 2022 IR 87\\ISO 2022 IR 159\\ISO 2022 IR 149\\ISO 2022 IR 58",
});

TEST(CharacterSet, KnowsAllDefinedTerms) {
    for (const auto terms : kAllTerms) EXPECT_TRUE(CharacterSet::parse(terms).is_known()) << terms;
    EXPECT_TRUE(CharacterSet::parse("ISO_IR 192").is_utf8());
    EXPECT_TRUE(CharacterSet::utf8().is_utf8());
    EXPECT_FALSE(CharacterSet().is_utf8());
    EXPECT_TRUE(CharacterSet().is_known());
    EXPECT_EQ(CharacterSet().to_utf8("a\xfc", Vr::LO), decoded("", "a\xfc"));
}

TEST(CharacterSet, UnderstandsMisspellings) {
    for (const auto terms : {"ISO-IR 100", "ISO IR 100", "iso_ir_100", "ISO_IR100", " ISO_IR 100 ",
                             "ISO 2022 IR 100", "ISO 8859-1", "ISO-8859-1"}) {
        EXPECT_EQ(decoded(terms, "M\xfcller"), "Müller") << terms;
        EXPECT_TRUE(CharacterSet::parse(terms).is_known()) << terms;
    }
    for (const auto terms :
         {"UTF-8", "UTF8", "ISO IR 192", "ISO 2022 IR 192", "\\ISO_IR 192", "ISO_IR 192\\ISO 2022 IR 87"}) {
        EXPECT_TRUE(CharacterSet::parse(terms).is_utf8()) << terms;
    }
    EXPECT_EQ(decoded("ISO_IR 100\\ISO 2022 IR 87", "M\xfcller \x1b$B;3\x1b(B"), "Müller 山");
}

TEST(CharacterSet, UnknownTermsLeaveAsciiReadable) {
    for (const auto terms : {"ISO_IR 99", "KLINGON", "ISO 2022", "ISO_IR", "KLINGON\\ISO 2022 IR 100"}) {
        EXPECT_FALSE(CharacterSet::parse(terms).is_known()) << terms;
        EXPECT_EQ(decoded(terms, "M\xfcller"), "M\ufffdller") << terms;
        EXPECT_EQ(encoded(terms, "Muller"), "Muller") << terms;
    }
}

TEST(CharacterSet, DefaultRepertoireIsAscii) {
    EXPECT_EQ(decoded("", "Doe^John"), "Doe^John");
    EXPECT_EQ(decoded("", "M\xfcller"), "M\ufffdller");
    EXPECT_EQ(decoded("ISO_IR 192", "M\xc3\xbcller", Vr::CS), "M\ufffd\ufffdller");
    EXPECT_EQ(encoded("", "Müller"), "(unsupported)");
    EXPECT_EQ(encoded("ISO_IR 192", "Müller", Vr::CS), "(unsupported)");
    EXPECT_EQ(encoded("ISO_IR 192", "CT\\MR", Vr::CS), "CT\\MR");
}

TEST(CharacterSet, InvalidBytesBecomeReplacements) {
    EXPECT_EQ(decoded("ISO_IR 192", "a\xff\xe5\xb1z\xc0\x80"), "a\ufffd\ufffd\ufffdz\ufffd\ufffd");
    EXPECT_EQ(decoded("ISO_IR 100", "a\x92z"), "a\ufffdz");
    EXPECT_EQ(decoded("ISO_IR 126", "\xff"), "\ufffd");
    EXPECT_EQ(decoded("GBK", "a\xff\x80z\xd5"), "a\ufffd\ufffdz\ufffd");
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$B;"), "\ufffd");
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$B;\x1b(Bx"), "\ufffdx");
    EXPECT_EQ(decoded("\\ISO 2022 IR 149", "\x1b$)C\xfbz"), "\ufffdz");
    EXPECT_EQ(decoded("ISO 2022 IR 100", "a\x1bZb"), "a\ufffdZb");
    EXPECT_EQ(decoded("ISO 2022 IR 100", "a\x1b"), "a\ufffd");
}

TEST(CharacterSet, EncodingRefusesWhatIsNoUtf8) {
    for (const auto terms : kAllTerms) {
        const auto bytes = CharacterSet::parse(terms).from_utf8("a\xff", Vr::LO);
        ASSERT_FALSE(bytes.has_value()) << terms;
        EXPECT_EQ(bytes.error().code, Errc::malformed);
        EXPECT_EQ(bytes.error().offset_bytes, 1u);
    }
}

TEST(CharacterSet, BackslashInTheSecondByteIsNoDelimiter) {
    EXPECT_EQ(decoded("GBK", "\xd5\x5c^\x81\x5c", Vr::PN), "誠^乗");
    EXPECT_EQ(decoded("GB18030", "\xd5\x5c\\\x81\x5c"), "誠\\乗");
    EXPECT_EQ(encoded("GBK", "誠^乗", Vr::PN), "\xd5\x5c^\x81\x5c");
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$B!@\x1b(B\\x"), "＼\\x");  // 2140 is a fullwidth backslash
    // Every double-byte code with a 5C in it, in every set: never a backslash.
    for (int other = 0x21; other < 0x7f; ++other) {
        for (const auto escape : {"\x1b$B", "\x1b$(D", "\x1b$(C", "\x1b$A"}) {
            const std::string lead = escape + "\x5c"s + static_cast<char>(other);
            const std::string trail = escape + std::string(1, static_cast<char>(other)) + "\x5c";
            EXPECT_EQ(decoded("", lead).find('\\'), std::string::npos);
            EXPECT_EQ(decoded("", trail).find('\\'), std::string::npos);
        }
    }
}

TEST(CharacterSet, JapaneseRomajiKeepsTheDelimiter) {
    EXPECT_EQ(decoded("ISO_IR 13", "\xd4\xcf\\\xc0"), "ﾔﾏ\\ﾀ");
    EXPECT_EQ(decoded("ISO_IR 13", "~"), "‾");
    EXPECT_EQ(encoded("ISO_IR 13", "‾"), "~");
    EXPECT_EQ(encoded("ISO_IR 13", "~"), "(unsupported)");
    EXPECT_EQ(encoded("ISO_IR 13", "¥"), "(unsupported)");
    EXPECT_EQ(decoded("ISO 2022 IR 13\\ISO 2022 IR 87", "\x1b$B;3\x1b(J\\\xd4"), "山\\ﾔ");
}

// PS3.5 Annexes H to K, and the combinations around them.
TEST(CharacterSet, CodeExtensionsOfTheStandardsExamples) {
    struct Row {
        std::string_view terms;
        Vr vr;
        std::string bytes;
        std::string text;
    };
    const std::vector<Row> rows = {
        {"\\ISO 2022 IR 87", Vr::PN,
         "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
         "Yamada^Tarou=山田^太郎=やまだ^たろう"},
        {"ISO 2022 IR 13\\ISO 2022 IR 87", Vr::PN,
         "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&"
         "\x1b(J",
         "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"},
        {"\\ISO 2022 IR 149", Vr::PN,
         "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
         "Hong^Gildong=洪^吉洞=홍^길동"},
        {"\\ISO 2022 IR 58", Vr::PN,
         "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东="},
        {"ISO 2022 IR 100\\ISO 2022 IR 144", Vr::LO, "M\xfcller \x1b-L\xb8\xd2\x1b-A", "Müller Ив"},
        {"ISO 2022 IR 100\\ISO 2022 IR 144", Vr::LO, "\x1b-L\xb8\x1b-A\\\xfc", "И\\ü"},
        {"ISO 2022 IR 6\\ISO 2022 IR 100", Vr::LO, "M\x1b-A\xfcller", "Müller"},
        {"\\ISO 2022 IR 87\\ISO 2022 IR 159", Vr::LO, "\x1b$B;3\x1b$(D0!\x1b(B", "山丂"},
        {"\\ISO 2022 IR 87", Vr::LT, "\x1b$BBh\x1b(B\r\n\x1b$BFs\x1b(B", "第\r\n二"},
        {"\\ISO 2022 IR 149", Vr::LT, "\x1b$)C\xc8\xab\\\xc8\xab", "홍\\홍"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(decoded(row.terms, row.bytes, row.vr), row.text);
        EXPECT_EQ(encoded(row.terms, row.text, row.vr), row.bytes) << row.text;
    }
}

TEST(CharacterSet, DelimitersBringTheInitialStateBack) {
    // Kanji stay designated over no delimiter: what follows is ASCII again even without an escape.
    for (const auto delimiter : {"\r", "\n", "\f", "\t"}) {
        EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$B;3"s + delimiter + "ED"), "山"s + delimiter + "ED");
        EXPECT_EQ(decoded("ISO 2022 IR 100\\ISO 2022 IR 144", "\x1b-L\xb8"s + delimiter + "\xfc"),
                  "И"s + delimiter + "ü");
    }
    for (const auto delimiter : {"^", "=", "\\"}) {
        EXPECT_EQ(decoded("ISO 2022 IR 100\\ISO 2022 IR 144", "\x1b-L\xb8"s + delimiter + "\xfc", Vr::PN),
                  "И"s + delimiter + "ü");
    }
    EXPECT_EQ(decoded("ISO 2022 IR 100\\ISO 2022 IR 144", "\x1b-L\xb8^\xb8", Vr::LO), "И^И");
    EXPECT_EQ(decoded("ISO 2022 IR 100\\ISO 2022 IR 144", "\x1b-L\xb8\\\xb8", Vr::LT), "И\\И");
}

TEST(CharacterSet, FollowsWhatWritersForgot) {
    EXPECT_EQ(decoded("", "\x1b$B;3ED\x1b(B"), "山田");                             // not declared
    EXPECT_EQ(decoded("ISO_IR 100", "\xfc\x1b-L\xb8"), "üИ");                       // no code extensions
    EXPECT_EQ(decoded("\\ISO 2022 IR 149", "\xc8\xab^\xc8\xab", Vr::PN), "홍^홍");  // no escape at all
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$@;3\x1b(B"), "山");                 // the 1978 kanji
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b(IT\x1b(B"), "ﾔ");                   // katakana in G0
    EXPECT_EQ(decoded("\\ISO 2022 IR 87", "\x1b$B|b-!\x1b(B"), "髙①");              // NEC kanji
    EXPECT_EQ(encoded("\\ISO 2022 IR 87", "髙"), "(unsupported)");
    EXPECT_EQ(decoded("GBK", "\x90\x30\x81\x30"), "\U00010000");  // GB 18030 under the name of GBK
}

TEST(CharacterSet, Gb18030) {
    EXPECT_EQ(decoded("GB18030", "\xcd\xf5^\xd0\xa1\xb6\xab", Vr::PN), "王^小东");
    EXPECT_EQ(decoded("GB18030", "\x81\x30\x81\x30"), "\u0080");
    EXPECT_EQ(decoded("GB18030", "\x90\x30\x81\x30\xe3\x32\x9a\x35"), "\U00010000\U0010FFFF");
    EXPECT_EQ(decoded("GB18030", "\xe3\x32\x9a\x36"), "\ufffd");
    EXPECT_EQ(encoded("GB18030", "王\U00010000\u0080"), "\xcd\xf5\x90\x30\x81\x30\x81\x30\x81\x30");
    EXPECT_EQ(encoded("GBK", "\U00010000"), "(unsupported)");
    EXPECT_EQ(encoded("GBK", "王"), "\xcd\xf5");
}

// Every character, alone and between delimiters, in every set: what can be written reads back.
TEST(CharacterSet, WhatCanBeWrittenReadsBack) {
    for (const auto terms : kAllTerms) {
        const auto set = CharacterSet::parse(terms);
        std::size_t written = 0;
        for (char32_t c = 0; c <= 0x10ffff; c += c < 0x30000 ? 1 : 0x101) {
            if (c >= 0xd800 && c <= 0xdfff) continue;
            std::string text = "a";
            append_utf8(text, c);
            text += "^";
            append_utf8(text, c);
            text += " b";
            const auto bytes = set.from_utf8(text, Vr::PN);
            if (!bytes) {
                ASSERT_EQ(bytes.error().code, Errc::unsupported);
                continue;
            }
            ++written;
            ASSERT_EQ(set.to_utf8(*bytes, Vr::PN), text)
                << terms << " U+" << std::hex << static_cast<unsigned>(c);
        }
        EXPECT_GE(written, 126u) << terms;
    }
}

TEST(CharacterSet, RepertoiresHaveTheirSize) {
    const auto count = [](std::string_view terms) {
        const auto set = CharacterSet::parse(terms);
        std::size_t written = 0;
        for (char32_t c = 0x80; c <= 0xffff; ++c) {
            if (c >= 0xd800 && c <= 0xdfff) continue;
            std::string text;
            append_utf8(text, c);
            written += set.from_utf8(text, Vr::LO).has_value();
        }
        return written;
    };
    EXPECT_EQ(count("ISO_IR 100"), 96u);
    EXPECT_EQ(count("ISO_IR 203"), 96u);
    EXPECT_EQ(count("ISO_IR 166"), 87u);
    EXPECT_EQ(count("ISO_IR 13"), 64u);  // 63 katakana and the overline
    EXPECT_EQ(count("\\ISO 2022 IR 87"), 6879u);
    EXPECT_EQ(count("\\ISO 2022 IR 159"), 6067u);
    EXPECT_EQ(count("\\ISO 2022 IR 58"), 7445u);
    EXPECT_GE(count("\\ISO 2022 IR 149"), 8224u);
    EXPECT_GE(count("GB18030"), 63300u);  // all but private use that newer editions moved
}

TEST(CharacterSet, ManyThreadsBuildTheTablesOnce) {
    std::vector<std::thread> threads;
    std::array<bool, 8> right{};
    for (std::size_t i = 0; i < right.size(); ++i) {
        threads.emplace_back([&right, i] {
            right[i] = decoded("\\ISO 2022 IR 87", "\x1b$B;3\x1b(B") == "山" &&
                       decoded("GB18030", "\xcd\xf5") == "王" &&
                       decoded("\\ISO 2022 IR 149", "\x1b$)C\xc8\xab") == "홍";
        });
    }
    for (auto& thread : threads) thread.join();
    for (const bool one : right) EXPECT_TRUE(one);
}

// The corpus: text known by construction ("truth"), else what an independent reader decoded.

nlohmann::json oracle_of(const std::filesystem::path& path) {
    auto expected = test::shared_data() / "expected" / "charset" / path.filename();
    expected += ".json";
    std::ifstream file(expected);
    return file ? nlohmann::json::parse(file) : nlohmann::json();
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
    return text;
}

std::string text_of(const Element& element, std::string_view terms) {
    return trimmed(CharacterSet::parse(terms).to_utf8(as_text(element.value()), element.vr()));
}

/// "(0010,0010)" or "(0040,0275)[1](0010,0010)": the element, and the terms in force there.
struct Found {
    std::optional<Element> element;
    std::string terms;
};
Found find_path(const DataSet& data_set, std::string path) {
    Found found;
    ElementRange level = data_set.elements();
    found.terms = level.text(Tag{0x00080005u});
    while (true) {
        found.element = level.find(*parse_tag(path.substr(0, 11)));
        if (path.size() <= 11 || !found.element) return found;
        auto item = found.element->children().begin();
        for (int i = path[12] - '0'; i > 0; --i) ++item;
        level = (*item).children();
        if (const auto own = level.find(Tag{0x00080005u})) found.terms = own->text();
        path.erase(0, 14);
    }
}

/// The values of a JSON-model element joined as in a data set.
std::string joined(const nlohmann::json& element) {
    std::string text;
    for (const auto& value : element.value("Value", nlohmann::json::array())) {
        std::string one = value.is_string() ? value.get<std::string>() : "";
        if (value.is_object()) {
            one = value.value("Alphabetic", "") + "=" + value.value("Ideographic", "") + "=" +
                  value.value("Phonetic", "");
            while (one.ends_with('=')) one.pop_back();
        }
        text += (text.empty() ? "" : "\\") + one;
    }
    return text;
}

TEST(CharacterSetCorpus, ReadsWhatIsKnownByConstruction) {
    if (!std::filesystem::exists(test::shared_data())) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / "charset")) {
        SCOPED_TRACE(entry.path().filename().string());
        const auto oracle = oracle_of(entry.path());
        if (!oracle.contains("truth") || !oracle["truth"].is_object()) continue;
        const auto parsed = read_file(entry.path().string());
        ASSERT_TRUE(parsed.has_value());
        for (const auto& [path, truth] : oracle["truth"]["text"].items()) {
            SCOPED_TRACE(path);
            const auto found = find_path(parsed->data_set, path);
            ASSERT_TRUE(found.element.has_value());
            const auto text = text_of(*found.element, found.terms);
            ++compared;
            if (truth.is_null()) {  // undecidable without the right term: what is wrong shows
                EXPECT_NE(text.find("\ufffd"), std::string::npos);
                continue;
            }
            EXPECT_EQ(text, truth.get<std::string>());
            // And back: our bytes may differ in escapes that are free, the text may not.
            const auto set = CharacterSet::parse(found.terms);
            const auto bytes = set.from_utf8(text, found.element->vr());
            ASSERT_TRUE(bytes.has_value());
            EXPECT_EQ(set.to_utf8(*bytes, found.element->vr()), text);
        }
    }
    EXPECT_GE(compared, 50);
}

TEST(CharacterSetCorpus, AgreesWithAnIndependentReader) {
    if (!std::filesystem::exists(test::shared_data())) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::shared_data() / "charset")) {
        SCOPED_TRACE(entry.path().filename().string());
        const auto oracle = oracle_of(entry.path());
        const bool has_truth = oracle.contains("truth") && oracle["truth"].is_object();
        const auto parsed = read_file(entry.path().string());
        ASSERT_TRUE(parsed.has_value());
        const auto compare = [&](const auto& self, ElementRange level, const nlohmann::json& expected,
                                 std::string terms) -> void {
            if (const auto own = level.find(Tag{0x00080005u})) terms = own->text();
            for (const Element element : level) {
                std::string name = to_string(element.tag());
                std::erase_if(name, [](char c) { return c == '(' || c == ')' || c == ','; });
                for (char& c : name) c = static_cast<char>(std::toupper(c));
                if (!expected.contains(name)) continue;
                const auto& other = expected[name];
                if (element.vr() == Vr::SQ) {
                    std::size_t i = 0;
                    for (const Element item : element.children()) {
                        if (i < other.value("Value", nlohmann::json::array()).size())
                            self(self, item.children(), other["Value"][i++], terms);
                    }
                    continue;
                }
                if (!uses_character_set(element.vr()) || other.contains("TextLength")) continue;
                const auto theirs = trimmed(joined(other));
                // Where the other reader gave up, or the file is known better, see above.
                if (has_truth && (oracle["truth"]["text"].contains(to_string(element.tag())))) continue;
                if (theirs.find("\ufffd") != std::string::npos || theirs.find('\x1b') != std::string::npos)
                    continue;
                auto ours = text_of(element, terms);
                if (element.vr() == Vr::PN)
                    while (ours.ends_with('=')) ours.pop_back();
                EXPECT_EQ(ours, theirs) << name;
                ++compared;
            }
        };
        compare(compare, parsed->data_set.elements(), oracle["dataset"], "");
    }
    EXPECT_GE(compared, 100);
}

}  // namespace
}  // namespace sagitta::dicom
