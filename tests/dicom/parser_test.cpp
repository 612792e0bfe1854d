// What a caller may ask of the parser beside the whole data set: parts of it, strictness, and where
// things went wrong.
#include "dicom/parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

using namespace std::string_view_literals;

// (0008,0060) CS "CT", (0008,1115) SQ of one item with (0020,000E) UI "1.2", (0010,0020) LO "A1",
// (7FE0,0010) OW of four bytes. Explicit VR little endian.
constexpr std::string_view kImage =
    "\x08\x00\x60\x00"
    "CS\x02\x00"
    "CT"
    "\x08\x00\x15\x11"
    "SQ\x00\x00\x14\x00\x00\x00"
    "\xfe\xff\x00\xe0\x0c\x00\x00\x00"
    "\x20\x00\x0e\x00"
    "UI\x04\x00"
    "1.2\x00"
    "\x10\x00\x20\x00"
    "LO\x02\x00"
    "A1"
    "\xe0\x7f\x10\x00"
    "OW\x00\x00\x04\x00\x00\x00"
    "\x01\x02\x03\x04"sv;

std::vector<Tag> tags_of(const DataSet& data_set) {
    std::vector<Tag> tags;
    for (const Element element : data_set.elements()) tags.push_back(element.tag());
    return tags;
}

Result<ParsedDataSet> parse(std::string_view bytes, const ParseOptions& options = {}) {
    return parse_data_set(as_bytes(bytes), explicit_vr_little_endian(), options);
}

TEST(Parser, GivesOnlyTheAttributesAskedFor) {
    constexpr std::array wanted{tags::Modality, tags::PatientID};
    ParseOptions options;
    options.only = wanted;
    const auto parsed = parse(kImage, options);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(tags_of(parsed->data_set), (std::vector{tags::Modality, tags::PatientID}));
    EXPECT_EQ(parsed->data_set.text(tags::PatientID), "A1");
    EXPECT_EQ(parsed->data_set.nodes().size(), 2u);
}

TEST(Parser, LooksAtNothingBehindTheLastAttributeAskedFor) {
    constexpr std::array wanted{tags::Modality};
    ParseOptions options;
    options.only = wanted;
    const auto parsed = parse(kImage.substr(0, 30), options);  // cut inside the sequence
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(tags_of(parsed->data_set), std::vector{tags::Modality});
}

TEST(Parser, EveryBeginningOfADataSetGivesItsWholeElements) {
    const auto whole = parse(kImage);
    ASSERT_TRUE(whole);
    const std::vector<Tag> all = tags_of(whole->data_set);
    constexpr std::array<std::size_t, 4> ends{10, 42, 52, 68};  // of the four elements
    ASSERT_EQ(ends.back(), kImage.size());
    ParseOptions options;
    options.prefix = true;
    for (std::size_t cut = 0; cut <= kImage.size(); ++cut) {
        SCOPED_TRACE(cut);
        const auto part = parse(kImage.substr(0, cut), options);
        ASSERT_TRUE(part) << part.error().message();
        const auto complete = static_cast<std::ptrdiff_t>(
            std::count_if(ends.begin(), ends.end(), [&](auto end) { return end <= cut; }));
        EXPECT_EQ(tags_of(part->data_set), std::vector(all.begin(), all.begin() + complete));
        const bool at_an_end =
            cut == 0 || (complete > 0 && ends[static_cast<std::size_t>(complete) - 1] == cut);
        EXPECT_EQ(part->wanted_bytes == 0, at_an_end);
        EXPECT_TRUE(at_an_end || part->wanted_bytes > cut);
    }
}

TEST(Parser, SaysHowManyBytesAValueNeeds) {
    ParseOptions options;
    options.prefix = true;
    const auto part = parse(kImage.substr(0, 66), options);
    ASSERT_TRUE(part);
    EXPECT_GE(part->wanted_bytes, kImage.size());
}

// Each of these is read, and refused when strict.
constexpr std::array<std::string_view, 4> kQuirks{
    "\x08\x00\x60\x00"
    "CS\x03\x00"
    "CT "sv,  // odd length
    "\x10\x00\x20\x00"
    "LO\x02\x00"
    "A1"
    "\x08\x00\x60\x00"
    "CS\x02\x00"
    "CT"sv,  // out of order
    "\x08\x00\x60\x00"
    "CS\x02\x00"
    "CT"
    "\x08\x00\x60\x00"
    "CS\x02\x00"
    "MR"sv,  // twice
    "\x08\x00\x60\x00"
    "ZZ\x02\x00"
    "CT"sv,  // no VR of the standard
};

TEST(Parser, RecordsWhatItRepairsAndRefusesItWhenStrict) {
    for (const auto quirk : kQuirks) {
        const auto lenient = parse(quirk);
        ASSERT_TRUE(lenient) << lenient.error().message();
        ASSERT_EQ(lenient->warnings.size(), 1u);
        ParseOptions options;
        options.strict = true;
        const auto strict = parse(quirk, options);
        ASSERT_FALSE(strict);
        EXPECT_EQ(strict.error(), lenient->warnings.front());
    }
    ParseOptions options;
    options.strict = true;
    EXPECT_TRUE(parse(kImage, options));
}

TEST(Parser, ErrorsNameThePathAndTheByte) {
    std::string broken(kImage);
    broken[36] = '\x20';  // the length of (0020,000E) inside the item
    const auto parsed = parse(broken);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message(),
              "ReferencedSeriesSequence[0].(0020,000e) is longer than the item around it at byte 30");
}

TEST(Corpus, TheHeaderOfAFileIsTheBeginningOfTheWhole) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    ParseOptions lenient;
    lenient.keep_readable_part = true;
    lenient.stop_before_pixel_data = true;
    int compared = 0;
    for (const auto& path : files) {
        SCOPED_TRACE(path.string());
        const auto whole = read_file(path.string(), lenient);
        for (const std::size_t first : {std::size_t{1}, std::size_t{16 * 1024}}) {
            HeaderOptions options;
            options.first_read_bytes = first;
            const auto header = read_file_header(path.string(), options);
            ASSERT_EQ(whole.has_value(), header.has_value());
            if (!whole) continue;
            ASSERT_EQ(tags_of(header->data_set), tags_of(whole->data_set));
            ByteBuffer ours;
            ByteBuffer theirs;
            ASSERT_TRUE(write_data_set(header->data_set, explicit_vr_little_endian(), ours));
            ASSERT_TRUE(write_data_set(whole->data_set, explicit_vr_little_endian(), theirs));
            ASSERT_EQ(as_text(ours.span()), as_text(theirs.span()));
            ++compared;
        }
    }
    EXPECT_GT(compared, 700);
}

TEST(Corpus, PixelDataIsFoundWhereTheWholeHasIt) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int native = 0;
    int encapsulated = 0;
    for (const auto& path : files) {
        SCOPED_TRACE(path.string());
        const auto whole = read_file(path.string());
        if (!whole || whole->layout.syntax->deflated) continue;
        const auto header = read_file_header(path.string());
        ASSERT_TRUE(header) << header.error().message();
        std::optional<Element> pixels;
        for (const Tag tag : {tags::FloatPixelData, tags::DoubleFloatPixelData, tags::PixelData})
            if (!pixels) pixels = whole->data_set.find(tag);
        ASSERT_EQ(header->pixel_data.has_value(), pixels.has_value());
        if (!pixels) continue;
        ASSERT_EQ(header->pixel_data->tag, pixels->tag());
        ASSERT_EQ(header->pixel_data->encapsulated, pixels->node().undefined_length);
        ASSERT_GT(header->pixel_group_offset, header->layout.data_set_offset);
        ASSERT_LE(header->pixel_group_offset + 8, header->pixel_data->offset_bytes);
        const auto value = read_value(path.string(), *header->pixel_data, 0, UINT64_MAX);
        ASSERT_TRUE(value);
        const auto expected = pixels->value();
        ASSERT_GE(value->size(), expected.size());
        ASSERT_TRUE(std::equal(expected.begin(), expected.end(), value->data()));
        if (pixels->node().undefined_length) {
            ++encapsulated;
        } else {
            ASSERT_EQ(value->size(), expected.size());
            ++native;
        }
    }
    EXPECT_GT(native, 100);
    EXPECT_GT(encapsulated, 100);
}

TEST(Corpus, ASelectionIsWhatTheWholeHas) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    constexpr std::array wanted{tags::SOPInstanceUID, tags::PatientID, tags::SeriesInstanceUID, tags::Rows};
    int compared = 0;
    for (const auto& path : files) {
        SCOPED_TRACE(path.string());
        const auto whole = read_file(path.string());
        if (!whole || !whole->warnings.empty()) continue;
        HeaderOptions options;
        options.only = wanted;
        const auto some = read_file_header(path.string(), options);
        ASSERT_TRUE(some) << some.error().message();
        for (const Tag tag : wanted) {
            ASSERT_EQ(some->data_set.contains(tag), whole->data_set.contains(tag));
            ASSERT_EQ(some->data_set.text(tag), whole->data_set.text(tag));
        }
        for (const Tag tag : tags_of(some->data_set))
            ASSERT_NE(std::find(wanted.begin(), wanted.end(), tag), wanted.end());
        ++compared;
    }
    EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace sagitta::dicom
