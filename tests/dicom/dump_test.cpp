#include "dicom/dump.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/part10.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

std::string dumped(const DataSet& data_set, const DumpOptions& options = {}) {
    std::string text;
    dump(data_set, options, [&](std::string_view line) { text.append(line).append("\n"); });
    return text;
}

// Explicit VR little endian, written out by hand.
// clang-format off
constexpr char kSmall[] =
    "\x08\x00\x05\x00" "CS\x0a\x00" "ISO_IR 100"                // (0008,0005)
    "\x08\x00\x16\x00" "UI\x1a\x00" "1.2.840.10008.5.1.4.1.1.2\0"  // CT Image Storage
    "\x08\x00\x15\x11" "SQ\0\0\xff\xff\xff\xff"                 // (0008,1115) undefined length
    "\xfe\xff\x00\xe0\x0c\0\0\0"                                 // item, 12 bytes
    "\x20\x00\x0e\x00" "UI\x04\x00" "1.2\0"
    "\xfe\xff\xdd\xe0\0\0\0\0"                                   // end of sequence
    "\x09\x00\x10\x00" "LO\x04\x00" "ACME"                       // private creator
    "\x09\x00\x01\x10" "UN\0\0\x06\0\0\0" "secret"               // of ACME
    "\x10\x00\x10\x00" "PN\x0a\x00" "M\xfcller^\xc9va"           // Latin-1
    "\x28\x00\x09\x00" "AT\x04\x00" "\x18\x00\x63\x10"
    "\x28\x00\x10\x00" "US\x02\x00" "\x00\x02"                   // 512
    "\xe0\x7f\x10\x00" "OB\0\0\xff\xff\xff\xff"                 // encapsulated pixel data
    "\xfe\xff\x00\xe0\0\0\0\0"                                   // empty offset table
    "\xfe\xff\x00\xe0\x04\0\0\0" "\xff\xd8\xff\xd9"
    "\xfe\xff\xdd\xe0\0\0\0\0";
// clang-format on

ParsedDataSet parsed_small() {
    auto parsed = parse_data_set(as_bytes({kSmall, sizeof kSmall - 1}), explicit_vr_little_endian());
    EXPECT_TRUE(parsed.has_value());
    return parsed ? std::move(*parsed) : ParsedDataSet{};
}

TEST(Dump, ShowsOneAlignedLinePerElement) {
    EXPECT_EQ(
        dumped(parsed_small().data_set),
        "        8 (0008,0005) CS        10   1  SpecificCharacterSet              ISO_IR 100\n"
        "       26 (0008,0016) UI        26   1  SOPClassUID                       1.2.840.10008.5.1.4.1.1.2 "
        "CT "
        "Image Storage\n"
        "       64 (0008,1115) SQ       u/l   1  ReferencedSeriesSequence          1 item\n"
        "       72   item 0                12\n"
        "       80     (0020,000e) UI         4   1  SeriesInstanceUID             1.2\n"
        "      100 (0009,0010) LO         4   1  PrivateCreator                    ACME\n"
        "      116 (0009,1001) UN         6   1  ACME 01                           \"secret\"\n"
        "      130 (0010,0010) PN        10   1  PatientName                       Müller^Éva\n"
        "      148 (0028,0009) AT         4   1  FrameIncrementPointer             (0018,1063) FrameTime\n"
        "      160 (0028,0010) US         2   1  Rows                              512\n"
        "      174 (7fe0,0010) OB       u/l   1  PixelData                         1 fragment, 4 bytes\n"
        "      182   offset table           0      0 frame offsets\n"
        "      190   fragment 1             4      ff d8 ff d9\n");
}

TEST(Dump, ShowsOnlyWhatIsAskedForWithItsPath) {
    DumpOptions options;
    options.only = {tags::SeriesInstanceUID, tags::Rows};
    EXPECT_EQ(dumped(parsed_small().data_set, options),
              "       80 (0020,000e) UI         4   1  ReferencedSeriesSequence[0].SeriesInstanceUID  1.2\n"
              "      160 (0028,0010) US         2   1  Rows                              512\n");
}

TEST(Dump, ClosesSequencesBelowTheDepth) {
    DumpOptions options;
    options.depth = 0;
    options.only = {tags::ReferencedSeriesSequence};
    EXPECT_EQ(dumped(parsed_small().data_set, options),
              "       64 (0008,1115) SQ       u/l   1  ReferencedSeriesSequence          1 item\n");
}

TEST(Dump, ShortensLongValuesUnlessFull) {
    DataSet data_set;
    data_set.set_text(tags::ImageComments, Vr::LT, std::string(500, 'x'));
    DumpOptions options;
    options.width = 100;
    const std::string line = dumped(data_set, options);
    EXPECT_TRUE(line.ends_with("x…\n"));
    EXPECT_LE(line.size(), 104u);  // the ellipsis has three bytes
    options.full = true;
    EXPECT_NE(dumped(data_set, options).find(std::string(500, 'x')), std::string::npos);
}

TEST(Dump, LetsNoControlCharacterThrough) {
    DataSet data_set;
    data_set.set_text(tags::ImageComments, Vr::LT, "a\x07[31mb\r\nc\td");
    EXPECT_NE(dumped(data_set).find("a\\x07[31mb↵c\\x09d\n"), std::string::npos);
}

TEST(Dump, GivesEveryFileOfTheCorpusWithoutControlCharacters) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "no corpus beside the project";
    for (const auto& path : files) {
        ParseOptions options;
        options.keep_readable_part = true;
        const auto file = read_file(path.string(), options);
        if (!file) continue;
        dump(file->data_set, {}, [&](std::string_view line) {
            for (const char c : line)
                ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20) << path << ": " << line;
        });
    }
}

}  // namespace
}  // namespace sagitta::dicom
