#include "dicom/json.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

std::string json_of(const DataSet& data_set) {
    std::string text;
    append_json(data_set, text);
    return text;
}

TEST(Json, WritesPersonNamesByGroupInUtf8) {
    DataSet data_set;
    data_set.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    data_set.set_text(tags::PatientName, Vr::PN, "M\xfcller^\xc9va\\Doe^J==x");
    EXPECT_EQ(
        json_of(data_set),
        R"({"00080005":{"vr":"CS","Value":["ISO_IR 192"]},)"
        R"("00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Éva"},{"Alphabetic":"Doe^J","Phonetic":"x"}]}})");
}

TEST(Json, WritesNumbersAsNumbersWhereTheyAreSome) {
    DataSet data_set;
    data_set.set_text(tags::InstanceNumber, Vr::IS, "+007");
    data_set.set_text(tags::SliceThickness, Vr::DS, ".5\\1.\\-2.50E+1\\abc\\");
    data_set.set_uint16(tags::Rows, 512);
    EXPECT_EQ(json_of(data_set),
              R"({"00180050":{"vr":"DS","Value":[0.5,1,-2.50E+1,"abc",null]},)"
              R"("00200013":{"vr":"IS","Value":[7]},"00280010":{"vr":"US","Value":[512]}})");
}

TEST(Json, WritesEmptyValuesSequencesAndBytes) {
    DataSet data_set;
    data_set.set_text(tags::AccessionNumber, Vr::SH, "");
    data_set.set_empty_sequence(tags::ReferencedStudySequence);
    data_set.set(tags::PixelData, Vr::OW, as_bytes("\x01\x02\x03\x04"));
    EXPECT_EQ(
        json_of(data_set),
        R"({"00080050":{"vr":"SH"},"00081110":{"vr":"SQ"},"7FE00010":{"vr":"OW","InlineBinary":"AQIDBA=="}})");
}

TEST(Json, EscapesStrings) {
    std::string text;
    append_json_string("a\"b\\c\n\x01\xff", text);
    EXPECT_EQ(text, "\"a\\\"b\\\\c\\n\\u0001\xef\xbf\xbd\"");
}

TEST(Json, IsJsonForEveryFileOfTheCorpus) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "no corpus beside the project";
    for (const auto& path : files) {
        ParseOptions options;
        options.keep_readable_part = true;
        const auto file = read_file(path.string(), options);
        if (!file) continue;
        EXPECT_TRUE(nlohmann::json::accept(json_of(file->data_set))) << path;
    }
}

}  // namespace
}  // namespace sagitta::dicom
