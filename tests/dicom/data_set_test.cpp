#include "dicom/data_set.h"

#include <array>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

namespace sagitta::dicom {
namespace {

ByteBuffer bytes_of(std::initializer_list<int> values) {
    ByteBuffer out;
    for (const int value : values) {
        const auto byte = static_cast<std::byte>(value);
        out.append({&byte, 1});
    }
    return out;
}

TEST(DataSet, KeepsElementsInOrderAndReplaces) {
    DataSet set;
    set.set_text(tags::PatientID, Vr::LO, "ABC");
    set.set_text(tags::PatientName, Vr::PN, "Doe^Jane");
    set.set_text(tags::PatientID, Vr::LO, "XYZ12");
    ASSERT_EQ(set.nodes().size(), 2u);
    EXPECT_EQ(set.nodes()[0].tag, tags::PatientName);
    EXPECT_EQ(set.text(tags::PatientID), "XYZ12");
    EXPECT_EQ(set.find(tags::PatientID)->length(), 6u);  // padded with a space
    set.erase(tags::PatientName);
    EXPECT_FALSE(set.contains(tags::PatientName));
}

TEST(DataSet, SplitsAndTrimsValues) {
    DataSet set;
    set.set_text(tags::ImageType, Vr::CS, "ORIGINAL\\ PRIMARY \\AXIAL");
    EXPECT_EQ(set.find(tags::ImageType)->text(1), "PRIMARY");
    EXPECT_EQ(set.find(tags::ImageType)->text(3), "");
    set.set_text(tags::InstanceNumber, Vr::IS, " +12 ");
    EXPECT_EQ(set.integer(tags::InstanceNumber), 12);
    set.set_text(tags::InstanceNumber, Vr::IS, "1x");
    EXPECT_FALSE(set.integer(tags::InstanceNumber));
}

// (0040,0275) RequestAttributesSequence, one item of undefined length holding (0040,0009) "1 ".
TEST(Parser, ReadsNestedUndefinedLengthsExplicit) {
    const auto bytes =
        bytes_of({0x40, 0x00, 0x75, 0x02, 'S',  'Q',  0,    0,    0xff, 0xff, 0xff, 0xff,  // SQ, undefined
                  0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff,                          // item, undefined
                  0x40, 0x00, 0x09, 0x00, 'S',  'H',  2,    0,    '1',  ' ',               // (0040,0009)
                  0xfe, 0xff, 0x0d, 0xe0, 0,    0,    0,    0,                             // item delimiter
                  0xfe, 0xff, 0xdd, 0xe0, 0,    0,    0,    0});  // sequence delimiter
    const auto parsed = parse_data_set(bytes.span(), explicit_vr_little_endian());
    ASSERT_TRUE(parsed) << parsed.error().message();
    const auto sequence = parsed->data_set.find(tags::RequestAttributesSequence);
    ASSERT_TRUE(sequence);
    EXPECT_EQ(sequence->vr(), Vr::SQ);
    int items = 0;
    for (const Element item : sequence->children()) {
        ++items;
        EXPECT_EQ(item.children().text(tags::ScheduledProcedureStepID), "1");
    }
    EXPECT_EQ(items, 1);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        const auto part = parse_data_set(bytes.span().first(cut), explicit_vr_little_endian());
        ASSERT_FALSE(part) << cut;
        EXPECT_EQ(part.error().code, Errc::truncated) << cut;
    }
}

TEST(Parser, RefusesWhatPassesTheContainerAround) {
    // A sequence of 10 bytes whose item says 64.
    const auto bytes =
        bytes_of({0x40, 0x00, 0x75, 0x02, 'S', 'Q', 0,    0,    10,   0,    0,   0,   0xfe, 0xff, 0x00, 0xe0,
                  64,   0,    0,    0,    1,   2,   0x40, 0x00, 0x80, 0x02, 'S', 'T', 2,    0,    'x',  'y'});
    const auto parsed = parse_data_set(bytes.span(), explicit_vr_little_endian());
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Errc::malformed);
}

TEST(Parser, DepthIsBoundedWithoutRecursion) {
    ByteBuffer bytes;
    const auto opening = bytes_of({0x40, 0x00, 0x75, 0x02, 'S',  'Q',  0,    0,    0xff, 0xff,
                                   0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff});
    for (int depth = 0; depth < 100000; ++depth) bytes.append(opening.span());
    const auto parsed = parse_data_set(bytes.span(), explicit_vr_little_endian());
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Errc::limit_exceeded);
}

TEST(Parser, TooDeepANestingStillLeavesTheReadablePart) {
    ByteBuffer bytes;
    bytes.append(bytes_of({0x10, 0x00, 0x20, 0x00, 'L', 'O', 2, 0, 'i', 'd'}).span());
    const auto opening = bytes_of({0x40, 0x00, 0x75, 0x02, 'S',  'Q',  0,    0,    0xff, 0xff,
                                   0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff});
    for (int depth = 0; depth < 100; ++depth) bytes.append(opening.span());
    ParseOptions options;
    options.keep_readable_part = true;
    const auto parsed = parse_data_set(bytes.span(), explicit_vr_little_endian(), options);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->data_set.text(tags::PatientID), "id");
    ASSERT_FALSE(parsed->warnings.empty());
    EXPECT_EQ(parsed->warnings.back().code, Errc::limit_exceeded);
}

TEST(Parser, ReadsUnknownVrByTheDictionaryAndWritesItBackAsItWas) {
    const auto bytes = bytes_of({
        0x10, 0x00, 0x20, 0x00, 'U', 'N', 0, 0, 2,   0,   0, 0, 'i',  'd',   // Patient ID
        0x28, 0x00, 0x03, 0x01, 'U', 'S', 2, 0, 1,   0,                      // signed pixels
        0x28, 0x00, 0x06, 0x01, 'U', 'N', 0, 0, 2,   0,   0, 0, 0xff, 0xff,  // US or SS
        0x40, 0x00, 0x75, 0x02, 'U', 'N', 0, 0, 18,  0,   0, 0,              // a sequence,
        0xfe, 0xff, 0x00, 0xe0, 10,  0,   0, 0,                              // implicit inside
        0x40, 0x00, 0x09, 0x00, 2,   0,   0, 0, '1', ' ',
    });
    const auto parsed = parse_data_set(bytes.span(), explicit_vr_little_endian());
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_TRUE(parsed->warnings.empty());
    const auto& set = parsed->data_set;
    EXPECT_EQ(set.find(tags::PatientID)->vr(), Vr::LO);
    EXPECT_EQ(set.integer(tags::SmallestImagePixelValue), -1);
    const auto sequence = set.find(tags::RequestAttributesSequence);
    EXPECT_EQ(sequence->vr(), Vr::SQ);
    EXPECT_EQ((*sequence->children().begin()).children().text(tags::ScheduledProcedureStepID), "1");
    ByteBuffer written;
    ASSERT_TRUE(write_data_set(set, explicit_vr_little_endian(), written));
    EXPECT_EQ(as_text(written.span()), as_text(bytes.span()));
}

TEST(Parser, KeepsUnknownVrAsBytesWhereItIsNoReadableSequence) {
    const auto bytes = bytes_of({
        0x40, 0x00, 0x75, 0x02, 'U', 'N', 0, 0, 12,  0,   0, 0,  // item longer than the value
        0xfe, 0xff, 0x00, 0xe0, 64,  0,   0, 0, 'a', 'b', 0, 0,
        0x40, 0x00, 0x80, 0x02, 'S', 'T', 2, 0, 'x', 'y',
    });
    const auto parsed = parse_data_set(bytes.span(), explicit_vr_little_endian());
    ASSERT_TRUE(parsed) << parsed.error().message();
    const auto kept = parsed->data_set.find(tags::RequestAttributesSequence);
    EXPECT_EQ(kept->vr(), Vr::UN);
    EXPECT_EQ(kept->length(), 12u);
    EXPECT_EQ(parsed->data_set.text(Tag(0x0040, 0x0280)), "xy");
    EXPECT_EQ(parsed->warnings.size(), 1u);
    ByteBuffer written;
    ASSERT_TRUE(write_data_set(parsed->data_set, explicit_vr_little_endian(), written));
    EXPECT_EQ(as_text(written.span()), as_text(bytes.span()));
}

TEST(Parser, BoundsWhatADeflatedDataSetBecomes) {
    DataSet set;
    set.set(tags::PixelData, Vr::OB, std::vector<std::byte>(8u << 20));
    const auto& syntax = *find_transfer_syntax("1.2.840.10008.1.2.1.99");
    ByteBuffer deflated;
    ASSERT_TRUE(write_data_set(set, syntax, deflated));
    EXPECT_LT(deflated.size(), 64u << 10);
    EXPECT_TRUE(parse_data_set(deflated.span(), syntax));
    ParseOptions options;
    options.max_inflated_bytes = 1 << 20;
    const auto refused = parse_data_set(deflated.span(), syntax, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::limit_exceeded);
}

TEST(Part10, HeaderWeWriteIsTheHeaderWeRead) {
    FileMeta meta;
    meta.sop_class_uid = *Uid::parse("1.2.840.10008.5.1.4.1.1.2");
    meta.sop_instance_uid = *Uid::parse("1.2.3.4");
    meta.transfer_syntax_uid = "1.2.840.10008.1.2.1";
    meta.source_ae_title = "SCANNER";
    const auto header = make_file_header(meta);
    const auto layout = read_file_layout(header.span());
    ASSERT_TRUE(layout) << layout.error().message();
    EXPECT_EQ(layout->data_set_offset, header.size());
    EXPECT_EQ(layout->meta.text(tags::SourceApplicationEntityTitle), "SCANNER");
    const auto length = layout->meta.integer(tags::FileMetaInformationGroupLength);
    EXPECT_EQ(length, static_cast<std::int64_t>(header.size() - 128 - 4 - 12));
}

TEST(Part10, RefusesWhatIsNoDicomFile) {
    const std::string_view text = "#!/bin/sh\necho this is a script, not an object\n";
    const auto layout = read_file_layout(as_bytes(text));
    ASSERT_FALSE(layout);
    EXPECT_EQ(layout.error().code, Errc::malformed);
}

TEST(Dictionary, FindsTagsKeywordsAndRepeatingGroups) {
    EXPECT_EQ(find_tag(tags::PatientName)->keyword, "PatientName");
    EXPECT_EQ(find_tag(Tag(0x6002, 0x3000))->keyword, "OverlayData");
    EXPECT_EQ(find_tag(Tag(0x0009, 0x0010)), nullptr);
    EXPECT_EQ(find_keyword("PatientID")->tag, tags::PatientID);
    EXPECT_EQ(find_keyword("patientid"), nullptr);
    EXPECT_EQ(suggest_keyword("PatientNam"), "PatientName");
    EXPECT_EQ(suggest_keyword("StudyDte"), "StudyDate");
    EXPECT_EQ(*parse_tag("(0010,0020)"), tags::PatientID);
    EXPECT_EQ(*parse_tag("7fe00010"), tags::PixelData);
    EXPECT_FALSE(parse_tag("Nonsense"));
}

TEST(Uid, TakesOnlyDigitsAndDots) {
    EXPECT_TRUE(Uid::parse(std::string_view("1.2.840\0", 8)));
    EXPECT_FALSE(Uid::parse("1.2/../3"));
    EXPECT_FALSE(Uid::parse(""));
    EXPECT_FALSE(Uid::parse("."));
    EXPECT_FALSE(Uid::parse(std::string(65, '1')));
    const auto made = Uid::generate();
    EXPECT_TRUE(made.view().starts_with("2.25."));
    EXPECT_LE(made.view().size(), 64u);
    EXPECT_NE(made, Uid::generate());
    EXPECT_TRUE(find_uid("1.2.840.10008.5.1.4.1.1.2")->is_storage_sop_class);
    EXPECT_FALSE(find_uid("1.2.840.10008.1.1")->is_storage_sop_class);
}

}  // namespace
}  // namespace sagitta::dicom
