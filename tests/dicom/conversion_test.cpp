// Random data sets, and every readable file of the corpus, through other encodings and back. What is
// compared is what the encodings can say: implicit VR loses the VRs that no dictionary knows.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/parser.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

using Form = WriteOptions::Form;

// The same data sets in every run; RC_PARAMS of the environment says otherwise.
const bool kSeeded = setenv("RC_PARAMS", "seed=2025 max_success=300", 0) == 0;

const TransferSyntax& syntax_of(std::string_view uid) {
    return *find_transfer_syntax(uid);
}
const std::vector<const TransferSyntax*> kSyntaxes = {
    &syntax_of("1.2.840.10008.1.2"), &syntax_of("1.2.840.10008.1.2.1"), &syntax_of("1.2.840.10008.1.2.2"),
    &syntax_of("1.2.840.10008.1.2.1.99")};

// One known tag of each VR at least, ascending; the last ones are private.
struct Attribute {
    Tag tag;
    Vr vr;
};
const std::vector<Attribute> kAttributes = {
    {Tag(0x0008, 0x0008), Vr::CS}, {Tag(0x0008, 0x0020), Vr::DA}, {Tag(0x0008, 0x002a), Vr::DT},
    {Tag(0x0008, 0x0030), Vr::TM}, {Tag(0x0008, 0x0054), Vr::AE}, {Tag(0x0008, 0x0104), Vr::LO},
    {Tag(0x0008, 0x0119), Vr::UC}, {Tag(0x0008, 0x0120), Vr::UR}, {Tag(0x0008, 0x1115), Vr::SQ},
    {Tag(0x0008, 0x1140), Vr::SQ}, {Tag(0x0010, 0x0010), Vr::PN}, {Tag(0x0010, 0x1010), Vr::AS},
    {Tag(0x0018, 0x6020), Vr::SL}, {Tag(0x0018, 0x9219), Vr::SS}, {Tag(0x0020, 0x000d), Vr::UI},
    {Tag(0x0020, 0x0013), Vr::IS}, {Tag(0x0028, 0x0009), Vr::AT}, {Tag(0x0028, 0x0010), Vr::US},
    {Tag(0x0028, 0x0030), Vr::DS}, {Tag(0x0029, 0x0010), Vr::LO}, {Tag(0x0029, 0x1001), Vr::SQ},
    {Tag(0x0029, 0x1002), Vr::UN}, {Tag(0x0029, 0x1003), Vr::UL}, {Tag(0x0040, 0x0280), Vr::ST},
    {Tag(0x0040, 0xa160), Vr::UT}, {Tag(0x0042, 0x0011), Vr::OB}, {Tag(0x0066, 0x0016), Vr::OF},
    {Tag(0x0066, 0x0040), Vr::OL}, {Tag(0x0072, 0x0068), Vr::LT}, {Tag(0x0072, 0x0074), Vr::FD},
    {Tag(0x0072, 0x0076), Vr::FL}, {Tag(0x0072, 0x0078), Vr::UL}, {Tag(0x0072, 0x007e), Vr::SS},
    {Tag(0x0072, 0x0082), Vr::SV}, {Tag(0x0072, 0x0083), Vr::UV}, {Tag(0x7fe0, 0x0003), Vr::UV},
    {Tag(0x7fe0, 0x0009), Vr::OD}};

std::string random_value(Vr vr) {
    const auto unit = std::max<std::size_t>(swap_unit(vr), 1);
    const auto count = *rc::gen::inRange<std::size_t>(0, 6);
    std::string value;
    for (std::size_t i = 0; i < count * unit; ++i) {
        value += is_text(vr) ? *rc::gen::inRange<char>('!', '~') : *rc::gen::arbitrary<char>();
    }
    return value;
}

void add_level(DataSetBuilder& builder, int depth) {
    for (const auto& [tag, vr] : kAttributes) {
        if (*rc::gen::inRange(0, 4) != 0) continue;
        if (vr == Vr::SQ) {
            if (depth == 0) continue;
            builder.begin_sequence(tag, *rc::gen::arbitrary<bool>());
            for (int items = *rc::gen::inRange(0, 3); items > 0; --items) {
                builder.begin_item(*rc::gen::arbitrary<bool>());
                add_level(builder, depth - 1);
                builder.end();
            }
            builder.end();
        } else {
            builder.add_text(tag, vr, random_value(vr));
        }
    }
}

DataSet random_data_set() {
    DataSetBuilder builder;
    add_level(builder, 3);
    return builder.finish();
}

std::string written(const DataSet& data_set, const TransferSyntax& syntax, Form form = Form::as_read) {
    ByteBuffer out;
    WriteOptions options;
    options.form = form;
    const auto done = write_data_set(data_set, syntax, out, options);
    return done ? std::string(as_text(out.span())) : done.error().message();
}

DataSet parsed(std::string_view bytes, const TransferSyntax& syntax) {
    auto owner = std::make_shared<const ByteBuffer>(as_bytes(bytes));
    const auto span = owner->span();
    auto read = parse_data_set(span, syntax, {}, std::move(owner));
    EXPECT_TRUE(read) << (read ? "" : read.error().message());
    return read ? std::move(read->data_set) : DataSet();
}

bool is_container(const Node& node) {
    return node.subtree != 0 || node.vr == Vr::SQ || node.undefined_length || node.tag == kItem;
}

// Little endian, and without what canonical writing takes away; `vr` of the two that were compared
// is the one that knows.
std::string plain_value(const DataSet& data_set, const Node& node, Vr vr) {
    std::string value(as_text(data_set.value_of(node)));
    const auto unit = swap_unit(node.vr);
    if (node.big_endian) {
        for (std::size_t at = 0; at + unit <= value.size(); at += unit)
            std::reverse(value.begin() + static_cast<std::ptrdiff_t>(at),
                         value.begin() + static_cast<std::ptrdiff_t>(at + unit));
    }
    if (is_text(vr)) {
        while (value.ends_with(' ') || value.ends_with('\0')) value.pop_back();
    } else if (value.size() % 2 != 0) {
        value += '\0';
    }
    return value;
}

// What the dictionary cannot know comes back from implicit VR as UN, or as a VR of its own choice.
bool same_vr(const Node& a, const Node& b) {
    if (a.vr == b.vr || a.vr == Vr::UN || b.vr == Vr::UN) return true;
    const auto* known = find_tag(a.tag);
    return known != nullptr && (known->ambiguous_vr || known->vr == a.vr || known->vr == b.vr);
}

// The first difference, or nothing.
std::string difference(const DataSet& a, const DataSet& b) {
    const auto kept = [](const DataSet& data_set) {
        std::vector<const Node*> rows;
        for (const Node& node : data_set.nodes())
            if (!node.tag.is_group_length()) rows.push_back(&node);
        return rows;
    };
    const auto first = kept(a);
    const auto second = kept(b);
    for (std::size_t row = 0; row < std::min(first.size(), second.size()); ++row) {
        const Node& x = *first[row];
        const Node& y = *second[row];
        if (x.tag != y.tag) return to_string(x.tag) + " became " + to_string(y.tag);
        if (!same_vr(x, y)) return to_string(x.tag) + " has another VR";
        if (is_container(x) != is_container(y)) return to_string(x.tag) + " has another structure";
        const Vr vr = x.vr == Vr::UN ? y.vr : x.vr;
        if (!is_container(x) && plain_value(a, x, vr) != plain_value(b, y, vr))
            return to_string(x.tag) + " has another value";
    }
    return first.size() == second.size() ? "" : "another number of elements";
}

TEST(Conversion, TheTableOfAttributesIsTheDictionarys) {
    for (const auto& [tag, vr] : kAttributes) {
        const auto* known = find_tag(tag);
        EXPECT_EQ(known == nullptr, tag.is_private()) << to_string(tag);
        if (known != nullptr) {
            EXPECT_EQ(known->vr, vr) << to_string(tag);
        }
    }
}

RC_GTEST_PROP(Conversion, RandomDataSetsAreReadAsTheyWereWritten, ()) {
    const DataSet data_set = random_data_set();
    for (const auto* syntax : kSyntaxes) {
        const std::string once = written(data_set, *syntax);
        const DataSet again = parsed(once, *syntax);
        RC_ASSERT(difference(data_set, again) == "");
        RC_ASSERT(written(again, *syntax) == once);
    }
}

RC_GTEST_PROP(Conversion, RandomDataSetsComeBackFromAnyChainOfEncodings, ()) {
    const DataSet data_set = random_data_set();
    DataSet there = parsed(written(data_set, explicit_vr_little_endian()), explicit_vr_little_endian());
    // Explicit big endian in front: behind implicit VR the numbers of private elements are bytes.
    for (const std::size_t next : {std::size_t{2}, *rc::gen::inRange<std::size_t>(0, 4), std::size_t{0},
                                   std::size_t{3}, *rc::gen::element<std::size_t>(0, 1, 3)}) {
        const auto form =
            *rc::gen::element(Form::as_read, Form::canonical, Form::canonical_undefined_lengths);
        there = parsed(written(there, *kSyntaxes[next], form), *kSyntaxes[next]);
        RC_ASSERT(difference(data_set, there) == "");
    }
}

RC_GTEST_PROP(Conversion, CanonicalWritingIsWrittenOnce, ()) {
    const DataSet data_set = random_data_set();
    const auto form = *rc::gen::element(Form::canonical, Form::canonical_undefined_lengths);
    const auto& syntax = *kSyntaxes[*rc::gen::inRange<std::size_t>(0, 4)];
    const std::string once = written(data_set, syntax, form);
    RC_ASSERT(written(parsed(once, syntax), syntax, form) == once);
}

TEST(Conversion, EveryReadableFileComesBackFromOtherEncodings) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    constexpr Form kForms[] = {Form::as_read, Form::canonical, Form::canonical_undefined_lengths};
    for (const auto& path : files) {
        const auto file = read_file(path.string());
        if (!file || !file->warnings.empty()) continue;
        const TransferSyntax& own = *file->layout.syntax;
        for (std::size_t i = 0; i < kSyntaxes.size(); ++i) {
            // Each syntax meets each form, though not with each file.
            const auto form = kForms[(i + static_cast<std::size_t>(compared)) % std::size(kForms)];
            const auto& syntax = *kSyntaxes[i];
            SCOPED_TRACE(path.string() + " " + std::string(syntax.name) + " " +
                         std::to_string(static_cast<int>(form)));
            const DataSet there = parsed(written(file->data_set, syntax, form), syntax);
            const DataSet back = parsed(written(there, own, form), own);
            EXPECT_EQ(difference(file->data_set, back), "");
        }
        ++compared;
    }
    EXPECT_GT(compared, 350);
}

}  // namespace
}  // namespace sagitta::dicom
