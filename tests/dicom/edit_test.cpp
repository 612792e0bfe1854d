// Changes to a data set at any path: what comes out, that the original stays, and how text is encoded.
#include "dicom/edit.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/value_text.h"
#include "dicom/writer.h"

namespace sagitta::dicom {
namespace {

using namespace std::string_view_literals;
using Text = EditOptions::Text;

std::string written(const DataSet& data_set, const TransferSyntax& syntax = explicit_vr_little_endian()) {
    ByteBuffer out;
    const auto done = write_data_set(data_set, syntax, out);
    EXPECT_TRUE(done);
    return std::string(as_text(out.span()));
}

// Read from bytes, so that rows lie in a source that the copy must share.
DataSet parsed(std::string_view bytes, const TransferSyntax& syntax = explicit_vr_little_endian()) {
    auto owner = std::make_shared<const ByteBuffer>(as_bytes(bytes));
    const auto span = owner->span();
    auto read = parse_data_set(span, syntax, {}, std::move(owner));
    EXPECT_TRUE(read);
    return std::move(read->data_set);
}

DataSet sample() {
    DataSetBuilder builder;
    builder.add_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    builder.add_text(tags::Modality, Vr::CS, "CT");
    builder.begin_sequence(tags::ReferencedSeriesSequence, true);
    for (const char* uid : {"1.2", "1.3"}) {
        builder.begin_item();
        builder.add_text(tags::SeriesInstanceUID, Vr::UI, uid);
        builder.end();
    }
    builder.end();
    builder.add_text(tags::PatientName, Vr::PN, "M\xfcller^\xc9va");
    builder.add_text(Tag(0x0029, 0x0010), Vr::LO, "ACME 1.0");
    builder.add_text(Tag(0x0029, 0x1010), Vr::LO, "first");
    return parsed(written(builder.finish()));
}

Edit set(std::string_view text) {
    auto edit = parse_set(text);
    EXPECT_TRUE(edit) << (edit ? "" : edit.error().message());
    return edit ? *edit : Edit();
}
Edit with_path(Edit::Kind kind, std::string_view path) {
    Edit edit;
    edit.kind = kind;
    edit.path = *parse_path(path);
    return edit;
}
Edit erase(std::string_view path) {
    return with_path(Edit::Kind::erase, path);
}
Edit insert(std::string_view path) {
    return with_path(Edit::Kind::insert, path);
}

DataSet changed(const DataSet& original, const std::vector<Edit>& edits, const EditOptions& options = {}) {
    const std::string before = written(original);
    auto made = apply_edits(original, edits, options);
    EXPECT_EQ(written(original), before);
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return made ? std::move(*made) : DataSet();
}

std::string why_not(const DataSet& original, const std::vector<Edit>& edits,
                    const EditOptions& options = {}) {
    auto made = apply_edits(original, edits, options);
    return made ? "it was done" : made.error().message();
}

std::string value(const DataSet& data_set, std::string_view path) {
    const auto found = find(data_set, *parse_path(path));
    return found ? std::string(found->text()) : "nothing";
}

TEST(Edit, NoEditsGiveTheSameBytes) {
    const DataSet original = sample();
    EXPECT_EQ(written(changed(original, {})), written(original));
}

TEST(Edit, SetsReplacesAndErasesAtAnyPath) {
    const DataSet original = sample();
    const DataSet made = changed(original, {
                                               set("AccessionNumber=A1"),
                                               set("Modality=MR"),
                                               set("ReferencedSeriesSequence[1].SeriesInstanceUID=1.4"),
                                               set("ReferencedSeriesSequence[+].SeriesInstanceUID=1.5"),
                                               erase("PatientName"),
                                               erase("StudyDate"),
                                               erase("ContentSequence[0].TextValue"),
                                           });
    EXPECT_EQ(value(made, "AccessionNumber"), "A1");
    EXPECT_EQ(value(made, "Modality"), "MR");
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[0].SeriesInstanceUID"), "1.2");
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[1].SeriesInstanceUID"), "1.4");
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[2].SeriesInstanceUID"), "1.5");
    EXPECT_EQ(value(made, "PatientName"), "nothing");
    // Rows that nobody named lie where they lay.
    EXPECT_EQ(find(made, *parse_path("ReferencedSeriesSequence[0].SeriesInstanceUID"))->value().data(),
              find(original, *parse_path("ReferencedSeriesSequence[0].SeriesInstanceUID"))->value().data());
    // What comes out can be read, and says the same.
    const DataSet again = parsed(written(made));
    EXPECT_EQ(written(again), written(made));
    EXPECT_EQ(value(again, "ReferencedSeriesSequence[2].SeriesInstanceUID"), "1.5");
}

TEST(Edit, ChangesEveryItemThatIsThere) {
    const DataSet made = changed(sample(), {set("ReferencedSeriesSequence[*].Modality=MR")});
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[0].Modality"), "MR");
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[1].Modality"), "MR");
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[2].Modality"), "nothing");
    EXPECT_EQ(value(made, "ContentSequence[*].Modality"), "nothing");
    const DataSet bare = changed(made, {erase("ReferencedSeriesSequence[*].SeriesInstanceUID")});
    EXPECT_EQ(value(bare, "ReferencedSeriesSequence[1].SeriesInstanceUID"), "nothing");
    EXPECT_EQ(value(bare, "ReferencedSeriesSequence[1].Modality"), "MR");
}

TEST(Edit, MakesSequencesAndItemsOnTheWay) {
    const DataSet made = changed(
        DataSet(), {set("RequestAttributesSequence[0].ScheduledProtocolCodeSequence[+].CodeValue=A1")});
    EXPECT_EQ(written(made, implicit_vr_little_endian()),
              "\x40\x00\x75\x02\x22\x00\x00\x00"
              "\xfe\xff\x00\xe0\x1a\x00\x00\x00"
              "\x40\x00\x08\x00\x12\x00\x00\x00"
              "\xfe\xff\x00\xe0\x0a\x00\x00\x00"
              "\x08\x00\x00\x01\x02\x00\x00\x00"
              "A1"sv);
}

TEST(Edit, InsertsAndErasesItems) {
    const DataSet made =
        changed(sample(), {insert("ReferencedSeriesSequence[1]"),
                           set("ReferencedSeriesSequence[1].SeriesInstanceUID=9"),
                           insert("ReferencedSeriesSequence[3]"), erase("ReferencedSeriesSequence[0]")});
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[0].SeriesInstanceUID"), "9");
    EXPECT_EQ(value(made, "ReferencedSeriesSequence[1].SeriesInstanceUID"), "1.3");
    EXPECT_EQ(find_all(made, *parse_path("ReferencedSeriesSequence[*]")).size(), 3u);
    const DataSet emptied = changed(made, {erase("ReferencedSeriesSequence[*]")});
    ASSERT_TRUE(emptied.contains(tags::ReferencedSeriesSequence));
    EXPECT_TRUE(find_all(emptied, *parse_path("ReferencedSeriesSequence[*]")).empty());
    const DataSet cleared = changed(made, {set("ReferencedSeriesSequence=")});
    EXPECT_EQ(written(cleared),
              written(emptied).replace(written(emptied).find("\xff\xff\xff\xff"), 12, "\x00\x00\x00\x00"sv));
}

TEST(Edit, FindsOrMakesThePrivateBlock) {
    const DataSet original = sample();
    const DataSet there = changed(original, {set("(0029,\"ACME 1.0\",20):SH=x")});
    EXPECT_EQ(value(there, "(0029,1020)"), "x");
    const DataSet made =
        changed(original, {set("(0029,\"OTHER\",20):US=5"), set("(0029,\"OTHER\",21):LO=y")});
    EXPECT_EQ(value(made, "(0029,0011)"), "OTHER");
    EXPECT_EQ(made.integer(Tag(0x0029, 0x1120)), 5);
    EXPECT_EQ(value(made, "(0029,1121)"), "y");
    const DataSet inside = changed(original, {set("(0031,\"X\",01)[0].(0033,\"Y\",02):DS=1.5")});
    EXPECT_EQ(value(inside, "(0031,1001)[0].(0033,1002)"), "1.5");
    EXPECT_EQ(value(inside, "(0031,1001)[0].(0033,0010)"), "Y");
    EXPECT_EQ(value(changed(original, {erase("(0029,\"ACME 1.0\",10)")}), "(0029,1010)"), "nothing");
    // The VR is that of the element that is there.
    EXPECT_EQ(value(changed(original, {set("(0029,\"ACME 1.0\",10)=second")}), "(0029,1010)"), "second");
    // Or that which its creator's dictionary states.
    const DataSet siemens = changed(original, {set("(0029,\"SIEMENS CSA HEADER\",08)=IMAGE NUM 4")});
    EXPECT_EQ(siemens.find(Tag(0x0029, 0x1108))->vr(), Vr::CS);
    EXPECT_EQ(why_not(original, {set("(0029,\"ACME 1.0\",11)=second")}),
              "(0029,1011): has no VR in the dictionary, state one as in Path:LO=");
    DataSet crowded;
    for (std::uint16_t block = 0x10; block <= 0xff; ++block)
        crowded.set_text(Tag(0x0029, block), Vr::LO, "X");
    EXPECT_EQ(why_not(crowded, {set("(0029,\"OTHER\",20):US=5")}),
              "(0029,\"OTHER\",20) finds no free block in its group");
}

TEST(Edit, EncodesNumbersTagsAndBytes) {
    struct Case {
        std::string_view edit;
        std::string_view bytes;
    };
    for (const auto& [edit, bytes] : {
             Case{"Rows=512", "\x00\x02"sv},
             {"TagAngleSecondAxis:SS=-2", "\xfe\xff"sv},
             {"SelectorULValue=1\\4294967295", "\x01\x00\x00\x00\xff\xff\xff\xff"sv},
             {"SelectorSLValue=-1", "\xff\xff\xff\xff"sv},
             {"SelectorUVValue=18446744073709551615", "\xff\xff\xff\xff\xff\xff\xff\xff"sv},
             {"SelectorSVValue=-1", "\xff\xff\xff\xff\xff\xff\xff\xff"sv},
             {"SelectorFLValue=-1.5", "\x00\x00\xc0\xbf"sv},
             {"SelectorFDValue=1e0", "\x00\x00\x00\x00\x00\x00\xf0\x3f"sv},
             {"FrameIncrementPointer=(0018,1063)\\FrameTimeVector", "\x18\x00\x63\x10\x18\x00\x65\x10"sv},
             {"EncapsulatedDocument=hex:0a0B0c", "\x0a\x0b\x0c\x00"sv},
             {"Rows=", ""sv},
             {"(0009,1001):UN=hex:00", "\x00\x00"sv},
         }) {
        const DataSet made = changed(DataSet(), {set(edit)});
        ASSERT_EQ(made.nodes().size(), 1u);
        EXPECT_EQ(as_text(made.value_of(made.nodes()[0])), bytes) << edit;
    }
}

TEST(Edit, ChoosesAmongAmbiguousVrs) {
    const auto vr_of = [](const std::vector<Edit>& edits, Tag tag, const TransferSyntax& syntax) {
        EditOptions options;
        options.syntax = &syntax;
        const auto made = apply_edits(DataSet(), edits, options);
        EXPECT_TRUE(made);
        return made->find(tag)->vr();
    };
    const auto& plain = explicit_vr_little_endian();
    const auto& jpeg = *find_transfer_syntax("1.2.840.10008.1.2.4.50");
    const Tag smallest = tags::SmallestImagePixelValue;
    EXPECT_EQ(vr_of({set("SmallestImagePixelValue=1")}, smallest, plain), Vr::US);
    EXPECT_EQ(vr_of({set("SmallestImagePixelValue=-1"), set("PixelRepresentation=1")}, smallest, plain),
              Vr::SS);
    EXPECT_EQ(vr_of({set("PixelData=hex:0000"), set("BitsAllocated=16")}, tags::PixelData, plain), Vr::OW);
    EXPECT_EQ(vr_of({set("PixelData=hex:0000"), set("BitsAllocated=8")}, tags::PixelData, plain), Vr::OB);
    EXPECT_EQ(vr_of({set("PixelData=hex:0000")}, tags::PixelData, implicit_vr_little_endian()), Vr::OW);
    EXPECT_EQ(vr_of({set("PixelData=hex:0000"), set("BitsAllocated=16")}, tags::PixelData, jpeg), Vr::OB);
}

TEST(Edit, RefusesWhatMakesNoSense) {
    const DataSet original = sample();
    EXPECT_EQ(why_not(original, {set("Modality=ct")}),
              "Modality: has other characters than A-Z, 0-9, space and underscore");
    EXPECT_EQ(why_not(original, {set("Rows=1\\2")}), "Rows: has 2 values, not 1");
    EXPECT_EQ(why_not(original, {set("Rows=65536")}), "Rows: value 1 is no number of VR US");
    EXPECT_EQ(why_not(original, {set("FrameIncrementPointer=X")}),
              "FrameIncrementPointer: value 1 is no tag and no keyword");
    EXPECT_EQ(why_not(original, {set("EncapsulatedDocument=abc")}),
              "EncapsulatedDocument: a value of VR OB is given as hex:0a0b");
    EXPECT_EQ(why_not(original, {set("EncapsulatedDocument=hex:abc")}),
              "EncapsulatedDocument: hex: is followed by two hexadecimal digits for each byte");
    EXPECT_EQ(why_not(original, {set("ReferencedSeriesSequence=x")}),
              "ReferencedSeriesSequence: is a sequence, which has no value");
    EXPECT_EQ(why_not(original, {set("ReferencedSeriesSequence[0]=x")}),
              "ReferencedSeriesSequence[0] is an item, which has no value");
    EXPECT_EQ(why_not(original, {set("ReferencedSeriesSequence[3].Modality=CT")}),
              "ReferencedSeriesSequence[3] is more than one item behind the last");
    EXPECT_EQ(why_not(original, {set("Modality[0].Rows=1")}), "Modality[0] is no sequence");
    EXPECT_EQ(why_not(original, {insert("StudyDate[0]")}), "StudyDate[0] is no sequence");
    EXPECT_EQ(why_not(original, {insert("ReferencedSeriesSequence")}),
              "ReferencedSeriesSequence names no place for an item, as [0] or [+] would");
    EXPECT_EQ(why_not(original, {set("SpecificCharacterSet=ISO_IR 999")}),
              "SpecificCharacterSet: names a character set that PS3.3 C.12.1.1.2 does not define");
    EditOptions unchecked;
    unchecked.check_values = false;
    EXPECT_EQ(value(changed(original, {set("Modality=ct")}, unchecked), "Modality"), "ct");
}

TEST(Edit, ReadsAssignments) {
    const Edit edit = set("(0029,\"A=B:C\",10):LO=x=y:z");
    EXPECT_EQ(to_string(edit.path), "(0029,\"A=B:C\",10)");
    EXPECT_EQ(edit.vr, Vr::LO);
    EXPECT_EQ(edit.value, "x=y:z");
    EXPECT_EQ(parse_set("Modality").error().message(), "what to set is written Path=value");
    EXPECT_EQ(parse_set("Modality:XX=1").error().message(), "'XX' is no VR");
    EXPECT_EQ(parse_set("Modalty=1").error().message(),
              "'Modalty' is no keyword and no tag, did you mean Modality?");
}

TEST(Edit, DropsTheLengthOfAChangedGroupOnly) {
    DataSetBuilder builder;
    const std::array<std::byte, 4> length{std::byte{10}};
    builder.add(Tag(0x0008, 0x0000), Vr::UL, length);
    builder.add_text(tags::Modality, Vr::CS, "CT");
    builder.add(Tag(0x0010, 0x0000), Vr::UL, length);
    builder.add_text(tags::PatientID, Vr::LO, "1");
    const DataSet original = builder.finish();
    const DataSet made = changed(original, {set("PatientID=2"), erase("StudyDate")});
    EXPECT_TRUE(made.contains(Tag(0x0008, 0x0000)));
    EXPECT_FALSE(made.contains(Tag(0x0010, 0x0000)));
    EXPECT_FALSE(
        changed(original, {set("ReferencedSeriesSequence[0].Modality=MR")}).contains(Tag(0x0008, 0x0000)));
}

TEST(Edit, EncodesTextAsTheDataSetStates) {
    EXPECT_EQ(value(changed(sample(), {set("PatientName=J\u00e4ger")}), "PatientName"), "J\xe4ger");
    EXPECT_EQ(value(changed(sample(), {set("SpecificCharacterSet=ISO_IR 144"), set("PatientName=\u041b")}),
                    "PatientName"),
              "\xbb");
    // An item may state its own.
    const DataSet own = changed(sample(), {set("ReferencedSeriesSequence[0].SpecificCharacterSet=ISO_IR 192"),
                                           set("ReferencedSeriesSequence[*].SeriesDescription=\u00e4")});
    EXPECT_EQ(value(own, "ReferencedSeriesSequence[0].SeriesDescription"), "\xc3\xa4");
    EXPECT_EQ(value(own, "ReferencedSeriesSequence[1].SeriesDescription"), "\xe4");
    EXPECT_EQ(why_not(sample(), {set("ReferencedSeriesSequence[1].SeriesDescription=\u65e5")}),
              "ReferencedSeriesSequence[1].SeriesDescription: has a character outside the Specific Character "
              "Set (0008,0005)");
    EXPECT_EQ(why_not(DataSet(), {set("PatientName=\u00e4")}),
              "PatientName: has a character outside the Specific Character Set (0008,0005)");
}

TEST(Edit, WritesEscapeSequencesWhereCodeExtensionsNeedThem) {
    constexpr std::string_view kName =
        "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046";
    const DataSet made = changed(
        DataSet(), {set("SpecificCharacterSet=\\ISO 2022 IR 87"), set("PatientName=" + std::string(kName))});
    // PS3.5 H.3.1, byte by byte.
    EXPECT_EQ(value(made, "PatientName"),
              "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B");
    EXPECT_EQ(decoded_text(*made.find(tags::PatientName), character_set_of(made.elements(), CharacterSet())),
              kName);
    EXPECT_NE(why_not(made, {set("PatientName=\u00e4")}), "it was done");
}

TEST(Edit, SwitchesTheWholeDataSetToUtf8) {
    DataSet original = changed(sample(), {set("ReferencedSeriesSequence[0].SpecificCharacterSet=ISO_IR 144"),
                                          set("ReferencedSeriesSequence[0].SeriesDescription=\u041b"),
                                          set("ReferencedSeriesSequence[1].SeriesDescription=\u00e4")});
    original = parsed(written(original));
    EditOptions options;
    options.text = Text::utf8_when_needed;
    EXPECT_EQ(value(changed(original, {set("InstitutionName=\u00c4")}, options), "SpecificCharacterSet"),
              "ISO_IR 100");
    for (const auto how : {Text::utf8_when_needed, Text::utf8}) {
        options.text = how;
        const DataSet made = changed(original, {set("InstitutionName=\u65e5")}, options);
        EXPECT_EQ(value(made, "SpecificCharacterSet"), "ISO_IR 192");
        EXPECT_EQ(value(made, "InstitutionName"), "\u65e5");
        EXPECT_EQ(value(made, "PatientName"), "M\u00fcller^\u00c9va");
        EXPECT_EQ(value(made, "ReferencedSeriesSequence[0].SpecificCharacterSet"), "nothing");
        EXPECT_EQ(value(made, "ReferencedSeriesSequence[0].SeriesDescription"), "\u041b");
        EXPECT_EQ(value(made, "ReferencedSeriesSequence[1].SeriesDescription"), "\u00e4");
        EXPECT_EQ(written(parsed(written(made))), written(made));
    }
    options.text = Text::utf8;
    EXPECT_EQ(value(changed(DataSet(), {}, options), "SpecificCharacterSet"), "ISO_IR 192");
    // A wrong statement is repaired and converted in one go.
    const DataSet cyrillic = changed(original, {set("SpecificCharacterSet=ISO_IR 144")}, options);
    EXPECT_EQ(value(cyrillic, "PatientName"), "M\u045cller^\u0429va");
}

TEST(Edit, RefusesToLoseTextOnTheWayToUtf8) {
    DataSet broken;
    broken.set_text(tags::PatientName, Vr::PN, "M\xfcller");
    EditOptions options;
    options.text = Text::utf8;
    EXPECT_EQ(why_not(broken, {}, options),
              "PatientName: (0010,0010) has text that its character set does not allow");
    broken.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
    EXPECT_EQ(why_not(broken, {}, options),
              "PatientName: (0010,0010) has text that its character set does not allow");
}

TEST(Edit, WorksInsideSequencesStoredAsUnAndInBigEndian) {
    // (0008,1115) UN of undefined length: implicit inside, one item with (0020,000e) "1.2".
    constexpr std::string_view kStoredAsUn =
        "\x08\x00\x15\x11UN\x00\x00\xff\xff\xff\xff"
        "\xfe\xff\x00\xe0\x0c\x00\x00\x00"
        "\x20\x00\x0e\x00\x04\x00\x00\x00"
        "1.2\x00"
        "\xfe\xff\xdd\xe0\x00\x00\x00\x00"sv;
    const DataSet made = changed(parsed(kStoredAsUn), {set("ReferencedSeriesSequence[0].SeriesNumber=12")});
    EXPECT_EQ(written(made),
              "\x08\x00\x15\x11UN\x00\x00\xff\xff\xff\xff"
              "\xfe\xff\x00\xe0\x16\x00\x00\x00"
              "\x20\x00\x0e\x00\x04\x00\x00\x00"
              "1.2\x00"
              "\x20\x00\x11\x00\x02\x00\x00\x00"
              "12"
              "\xfe\xff\xdd\xe0\x00\x00\x00\x00"sv);
    const auto& big = *find_transfer_syntax("1.2.840.10008.1.2.2");
    const DataSet rows = parsed("\x00\x28\x00\x10US\x00\x02\x02\x00"sv, big);
    EXPECT_EQ(written(changed(rows, {set("Columns=256")}), big),
              "\x00\x28\x00\x10US\x00\x02\x02\x00"
              "\x00\x28\x00\x11US\x00\x02\x01\x00"sv);
}

}  // namespace
}  // namespace sagitta::dicom
