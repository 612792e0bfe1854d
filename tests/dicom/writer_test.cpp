// The two forms of writing, byte by byte.
#include "dicom/writer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"

namespace sagitta::dicom {
namespace {

using namespace std::string_view_literals;
using Form = WriteOptions::Form;

const TransferSyntax& big_endian() {
    return *find_transfer_syntax("1.2.840.10008.1.2.2");
}

std::string written(const DataSet& data_set, const TransferSyntax& syntax, Form form) {
    ByteBuffer out;
    WriteOptions options;
    options.form = form;
    EXPECT_TRUE(write_data_set(data_set, syntax, out, options));
    return std::string(as_text(out.span()));
}

std::string rewritten(std::string_view bytes, Form form,
                      const TransferSyntax& to = explicit_vr_little_endian()) {
    auto read = parse_data_set(as_bytes(bytes), explicit_vr_little_endian());
    EXPECT_TRUE(read);
    return written(read->data_set, to, form);
}

// Group length, padding that says nothing, UN of known elements, undefined lengths.
constexpr std::string_view kAsRead =
    "\x08\x00\x00\x00UL\x04\x00\x2e\x00\x00\x00"
    "\x08\x00\x18\x00UI\x06\x00"
    "1.2  \x00"
    "\x08\x00\x60\x00UN\x00\x00\x04\x00\x00\x00"
    "CT  "
    "\x08\x00\x40\x11UN\x00\x00\xff\xff\xff\xff"
    "\xfe\xff\x00\xe0\xff\xff\xff\xff"
    "\x28\x00\x10\x00\x02\x00\x00\x00\x00\x02"
    "\xfe\xff\x0d\xe0\x00\x00\x00\x00"
    "\xfe\xff\xdd\xe0\x00\x00\x00\x00"sv;

TEST(Writer, AsReadIsAsItWasRead) {
    EXPECT_EQ(rewritten(kAsRead, Form::as_read), kAsRead);
}

TEST(Writer, CanonicalSaysItOneWay) {
    EXPECT_EQ(rewritten(kAsRead, Form::canonical),
              "\x08\x00\x18\x00UI\x04\x00"
              "1.2\x00"
              "\x08\x00\x60\x00"
              "CS\x02\x00"
              "CT"
              "\x08\x00\x40\x11SQ\x00\x00\x12\x00\x00\x00"
              "\xfe\xff\x00\xe0\x0a\x00\x00\x00"
              "\x28\x00\x10\x00US\x02\x00\x00\x02"sv);
    EXPECT_EQ(rewritten(kAsRead, Form::canonical_undefined_lengths, big_endian()),
              "\x00\x08\x00\x18UI\x00\x04"
              "1.2\x00"
              "\x00\x08\x00\x60"
              "CS\x00\x02"
              "CT"
              "\x00\x08\x11\x40SQ\x00\x00\xff\xff\xff\xff"
              "\xff\xfe\xe0\x00\xff\xff\xff\xff"
              "\x00\x28\x00\x10US\x00\x02\x02\x00"
              "\xff\xfe\xe0\x0d\x00\x00\x00\x00"
              "\xff\xfe\xe0\xdd\x00\x00\x00\x00"sv);
}

TEST(Writer, CanonicalTakesNoZerosFromNumbersUnderATextVr) {
    DataSet data_set;
    data_set.set_text(tags::GraphicLayerOrder, Vr::IS, "\x01\x00"sv);
    EXPECT_EQ(written(data_set, implicit_vr_little_endian(), Form::canonical).substr(8), "\x01\x00"sv);
    data_set.set_text(tags::GraphicLayerOrder, Vr::IS, "12\x00\x00"sv);
    EXPECT_EQ(written(data_set, implicit_vr_little_endian(), Form::canonical).substr(8), "12");
}

TEST(Writer, CanonicalKeepsTheGroupLengthsThatAreRequired) {
    DataSet data_set;
    data_set.set_uint32(Tag(0x0000, 0x0000), 0);
    data_set.set_uint32(Tag(0x0002, 0x0000), 0);
    data_set.set_uint32(Tag(0x0004, 0x0000), 0);
    EXPECT_EQ(written(data_set, implicit_vr_little_endian(), Form::canonical).size(), 24u);
}

TEST(Writer, ValuesTooLongForSixteenBitsBecomeUn) {
    for (const auto form : {Form::as_read, Form::canonical}) {
        DataSet data_set;
        data_set.set_text(tags::PatientComments, Vr::LT, std::string(65535, 'a'));
        data_set.set_text(tags::TextValue, Vr::UT, std::string(65536, 'b'));
        const std::string bytes = written(data_set, explicit_vr_little_endian(), form);
        EXPECT_EQ(bytes.substr(0, 12), "\x10\x00\x00\x40UN\x00\x00\x00\x00\x01\x00"sv);
        EXPECT_EQ(bytes.substr(12 + 65535, 5), " @\x00\x60\xa1"sv);
        const auto again = parse_data_set(as_bytes(bytes), explicit_vr_little_endian());
        ASSERT_TRUE(again);
        EXPECT_EQ(again->data_set.find(tags::PatientComments)->vr(), Vr::LT);
        EXPECT_EQ(written(again->data_set, explicit_vr_little_endian(), form), bytes);
        // Numbers, too, and little endian whatever stands around them.
        DataSet numbers;
        numbers.set(tags::SelectorUSValue, Vr::US, std::vector<std::byte>(65536, std::byte{1}));
        const std::string big = written(numbers, big_endian(), form);
        EXPECT_EQ(big.substr(0, 12), "\x00\x72\x00\x7aUN\x00\x00\x00\x01\x00\x00"sv);
    }
}

TEST(Writer, PrivateSequencesStaySequencesInImplicitVr) {
    DataSetBuilder builder;
    builder.begin_sequence(Tag(0x0029, 0x1001));
    builder.begin_item();
    builder.add_text(tags::Modality, Vr::CS, "CT");
    builder.end();
    builder.end();
    const DataSet data_set = builder.finish();
    for (const auto form : {Form::as_read, Form::canonical}) {
        EXPECT_EQ(written(data_set, implicit_vr_little_endian(), form),
                  "\x29\x00\x01\x10\xff\xff\xff\xff"
                  "\xfe\xff\x00\xe0\x0a\x00\x00\x00"
                  "\x08\x00\x60\x00\x02\x00\x00\x00"
                  "CT"
                  "\xfe\xff\xdd\xe0\x00\x00\x00\x00"sv);
    }
}

}  // namespace
}  // namespace sagitta::dicom
