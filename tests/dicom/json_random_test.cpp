// Data sets made at random go to JSON and back unchanged: every VR, nested sequences, text of all
// planes, numbers of any bits.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/json.h"
#include "dicom/json_reader.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

constexpr std::array kVrs{Vr::AE, Vr::AS, Vr::AT, Vr::CS, Vr::DA, Vr::DS, Vr::DT, Vr::FD, Vr::FL,
                          Vr::IS, Vr::LO, Vr::LT, Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW,
                          Vr::PN, Vr::SH, Vr::SL, Vr::SQ, Vr::SS, Vr::ST, Vr::SV, Vr::TM, Vr::UC,
                          Vr::UI, Vr::UL, Vr::UN, Vr::UR, Vr::US, Vr::UT, Vr::UV};
constexpr int kDepth = 4;

int number(int below) {
    return *rc::gen::inRange(0, below);
}

// A value without delimiters and without blanks at its ends, where they would mean nothing.
std::string word(bool ascii, std::string_view without) {
    std::string text;
    for (int left = number(12); left > 0; --left) {
        const auto c = static_cast<char32_t>(*rc::gen::inRange<std::uint32_t>(0x20, ascii ? 0x7f : 0x2ffff));
        const bool usable = c != 0x7f && (c < 0xd800 || c > 0xdfff) &&
                            (c >= 0x80 || without.find(static_cast<char>(c)) == std::string_view::npos);
        if (usable) append_utf8(text, c);
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    while (!text.empty() && text.front() == ' ') text.erase(0, 1);
    return text;
}

std::string name() {
    std::string text = word(false, "\\=") + "=" + word(false, "\\=") + "=" + word(false, "\\=");
    while (text.ends_with('=')) text.pop_back();
    return text;
}

std::string decimal() {
    return fmt::format("{}{}.{}{}", *rc::gen::element("", "-", "+", "0"), number(100), number(1000),
                       *rc::gen::element("", "e5", "E-07"));
}

std::string text_value(Vr vr) {
    if (is_single_valued_text(vr)) return word(vr == Vr::UR, "");
    std::string value;
    for (int left = number(4); left >= 0; --left) {
        value += vr == Vr::PN   ? name()
                 : vr == Vr::DS ? decimal()
                 : vr == Vr::IS ? std::to_string(number(2000) - 1000)
                                : word(!uses_character_set(vr), "\\");
        if (left > 0) value += '\\';
    }
    return value;
}

std::string binary_value(Vr vr) {
    const std::size_t unit = vr == Vr::AT ? 4 : std::max<std::size_t>(2, number_bytes(vr));
    const auto count = unit * static_cast<std::size_t>(number(5));
    std::string value;
    for (std::size_t n = 0; n < count; ++n) value += static_cast<char>(number(256));
    return value;
}

// Every bit pattern of a NaN is the same "nan": its payload is not kept.
bool holds_nan(Vr vr, std::string_view value) {
    if (vr != Vr::FL && vr != Vr::FD) return false;
    for (std::size_t at = 0; at < value.size(); at += number_bytes(vr)) {
        const auto* bytes = as_bytes(value).data() + at;
        const bool nan = vr == Vr::FL ? std::isnan(std::bit_cast<float>(load_le<std::uint32_t>(bytes)))
                                      : std::isnan(std::bit_cast<double>(load_le<std::uint64_t>(bytes)));
        if (nan) return true;
    }
    return false;
}

void add_elements(DataSetBuilder& builder, int depth) {
    std::vector<std::uint32_t> tags;
    for (int left = number(6); left > 0; --left)
        tags.push_back(*rc::gen::inRange<std::uint32_t>(0x00080006, 0x7fdfffff));
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    for (const auto value : tags) {
        const Tag tag(value);
        const Vr vr = *rc::gen::elementOf(kVrs);
        if (tag.is_group_length()) continue;
        if (vr == Vr::SQ) {
            builder.begin_sequence(tag);
            for (int items = depth > 0 ? number(3) : 0; items > 0; --items) {
                builder.begin_item();
                add_elements(builder, depth - 1);
                builder.end();
            }
            builder.end();
        } else if (is_text(vr)) {
            builder.add_text(tag, vr, text_value(vr));
        } else if (const auto bytes = binary_value(vr); !holds_nan(vr, bytes)) {
            builder.add_text(tag, vr, bytes);
        }
    }
}

// As numbers where they are spelled otherwise: "+07" comes back as 7.
std::string same_numbers(std::string_view text) {
    std::string all;
    while (true) {
        const auto slash = text.find('\\');
        const auto value = text.substr(0, slash);
        all += value.empty() ? std::string()
                             : fmt::format("{}", std::strtod(std::string(value).c_str(), nullptr));
        if (slash == std::string_view::npos) return all;
        all += '\\';
        text.remove_prefix(slash + 1);
    }
}

TEST(JsonRandom, DataSetsComeBackAsTheyWere) {
    const bool good = rc::check("data set to JSON and back", [] {
        DataSetBuilder builder;
        builder.add_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        add_elements(builder, kDepth);
        const DataSet data_set = builder.finish();
        std::string text;
        append_json(data_set, text);
        const auto made = read_json(text);
        if (!made) RC_FAIL(made.error().message() + "\n" + text);
        const auto a = data_set.nodes();
        const auto b = made->data_set.nodes();
        RC_ASSERT(a.size() == b.size());
        for (std::uint32_t row = 0; row < a.size(); ++row) {
            RC_ASSERT(a[row].tag == b[row].tag);
            RC_ASSERT(a[row].vr == b[row].vr);
            RC_ASSERT(a[row].subtree == b[row].subtree);
            const auto mine = Element(data_set, row).text();
            const auto other = Element(made->data_set, row).text();
            if (a[row].vr == Vr::DS || a[row].vr == Vr::IS) {
                RC_ASSERT(same_numbers(mine) == same_numbers(other));
            } else if (is_text(a[row].vr)) {
                RC_ASSERT(mine == other);
            } else {
                RC_ASSERT(as_text(data_set.value_of(a[row])) == as_text(made->data_set.value_of(b[row])));
            }
        }
        std::string again;
        append_json(made->data_set, again);
        RC_ASSERT(again == text);
    });
    EXPECT_TRUE(good);
}

}  // namespace
}  // namespace sagitta::dicom
