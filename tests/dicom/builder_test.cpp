#include "dicom/builder.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/transfer_syntax.h"
#include "dicom/writer.h"

namespace sagitta::dicom {
namespace {

using namespace std::string_view_literals;

// (0008,0060) CS "CT", (0040,0275) SQ of one item with (0008,0050) SH "A1", implicit VR little endian.
constexpr std::string_view kOriginal =
    "\x08\x00\x60\x00\x02\x00\x00\x00"
    "CT"
    "\x40\x00\x75\x02\x12\x00\x00\x00"
    "\xfe\xff\x00\xe0\x0a\x00\x00\x00"
    "\x08\x00\x50\x00\x02\x00\x00\x00"
    "A1"sv;

DataSet original() {
    auto parsed = parse_data_set(as_bytes(kOriginal), implicit_vr_little_endian());
    EXPECT_TRUE(parsed);
    return std::move(parsed->data_set);
}

std::string written(const DataSet& data_set) {
    ByteBuffer out;
    EXPECT_TRUE(write_data_set(data_set, implicit_vr_little_endian(), out));
    return std::string(as_text(out.span()));
}

TEST(DataSetBuilder, MakesFromNothingWhatTheBytesSay) {
    DataSetBuilder builder;
    builder.add_text(tags::Modality, Vr::CS, "CT");
    builder.begin_sequence(tags::RequestAttributesSequence);
    builder.begin_item();
    builder.add_text(tags::AccessionNumber, Vr::SH, "A1");
    builder.end();
    builder.end();
    EXPECT_EQ(written(builder.finish()), kOriginal);
}

TEST(DataSetBuilder, KeepsRowsAndChangesInsideAnItem) {
    const DataSet before = original();
    DataSetBuilder builder(before);
    builder.keep(*before.find(tags::Modality));
    const Element sequence = *before.find(tags::RequestAttributesSequence);
    builder.begin_like(sequence);
    builder.begin_like(*sequence.children().begin());
    builder.add_text(tags::AccessionNumber, Vr::SH, "B22");
    builder.end();
    builder.end();
    const DataSet after = builder.finish();
    EXPECT_EQ(written(before), kOriginal);
    EXPECT_EQ(written(after),
              "\x08\x00\x60\x00\x02\x00\x00\x00"
              "CT"
              "\x40\x00\x75\x02\x14\x00\x00\x00"
              "\xfe\xff\x00\xe0\x0c\x00\x00\x00"
              "\x08\x00\x50\x00\x04\x00\x00\x00"
              "B22 "sv);
    const Element changed = *after.find(tags::RequestAttributesSequence);
    EXPECT_FALSE(changed.empty());
    EXPECT_EQ((*changed.children().begin()).children().text(tags::AccessionNumber), "B22");
}

}  // namespace
}  // namespace sagitta::dicom
