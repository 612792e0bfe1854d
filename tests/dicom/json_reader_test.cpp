#include "dicom/json_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/json.h"
#include "dicom/part10.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

DataSet read(std::string_view text, const JsonReadOptions& options = {}) {
    auto made = read_json(text, options);
    if (!made) {
        ADD_FAILURE() << made.error().message();
        return {};
    }
    return std::move(made->data_set);
}

std::string refusal(std::string_view text, const JsonReadOptions& options = {}) {
    const auto made = read_json(text, options);
    return made ? std::string() : made.error().message();
}

std::string json_of(const DataSet& data_set) {
    std::string text;
    append_json(data_set, text);
    return text;
}

TEST(JsonReader, ReadsAttributesInAnyOrderAndMembersInAnyOrder) {
    const auto data_set = read(
        R"({"00280010":{"Value":[512],"vr":"US"},"00080018":{"vr":"UI","Value":["1.2.3"]},"00080000":{"vr":"UL","Value":[4]}})");
    EXPECT_EQ(data_set.nodes().size(), 2u) << "group lengths are not kept";
    EXPECT_EQ(data_set.nodes()[0].tag, tags::SOPInstanceUID);
    EXPECT_EQ(as_text(data_set.find(tags::SOPInstanceUID)->value()), std::string_view("1.2.3\0", 6));
    EXPECT_EQ(data_set.integer(tags::Rows), 512);
}

TEST(JsonReader, TakesGroup2Apart) {
    const auto made = read_json(
        R"([{"00020010":{"vr":"UI","Value":["1.2.840.10008.1.2.1"]},"00080060":{"vr":"CS","Value":["CT"]}}])");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->meta.text(tags::TransferSyntaxUID), "1.2.840.10008.1.2.1");
    EXPECT_EQ(json_of(made->data_set), R"({"00080060":{"vr":"CS","Value":["CT"]}})");
}

TEST(JsonReader, KeepsTheSpellingOfDecimalNumbers) {
    const auto data_set = read(
        R"({"00180050":{"vr":"DS","Value":[1.50,"+2.0",-0.0,0.12345678901234567,null,1e3]},"00200013":{"vr":"IS","Value":[7,"+08",2.0]}})");
    EXPECT_EQ(data_set.text(tags::SliceThickness), "1.50\\+2.0\\-0.0\\0.12345678901235\\\\1e3");
    EXPECT_EQ(data_set.text(tags::InstanceNumber), "7\\+08\\2");
}

TEST(JsonReader, ReadsNumbersAsNumbersAndAsStrings) {
    const auto data_set = read(
        R"({"00080001":{"vr":"UL","Value":[4294967295]},"00189074":{"vr":"FD","Value":["nan","-Infinity",0.1]},)"
        R"("00191001":{"vr":"UV","Value":["18446744073709551615",18446744073709551615]},)"
        R"("00191002":{"vr":"SV","Value":[-9223372036854775808]},"00191003":{"vr":"FL","Value":[0.1,3]},)"
        R"("00280106":{"vr":"SS","Value":[-32768,"7",1e2]}})");
    const auto bytes = data_set.find(Tag(0x0018, 0x9074))->value();
    EXPECT_TRUE(std::isnan(std::bit_cast<double>(load_le<std::uint64_t>(bytes.data()))));
    EXPECT_EQ(std::bit_cast<double>(load_le<std::uint64_t>(bytes.data() + 8)), -HUGE_VAL);
    EXPECT_EQ(std::bit_cast<double>(load_le<std::uint64_t>(bytes.data() + 16)), 0.1);
    const auto uv = data_set.find(Tag(0x0019, 0x1001))->value();
    EXPECT_EQ(load_le<std::uint64_t>(uv.data()), UINT64_MAX);
    EXPECT_EQ(load_le<std::uint64_t>(uv.data() + 8), UINT64_MAX);
    EXPECT_EQ(data_set.integer(Tag(0x0019, 0x1002)), INT64_MIN);
    const auto single = data_set.find(Tag(0x0019, 0x1003))->value();
    EXPECT_EQ(std::bit_cast<float>(load_le<std::uint32_t>(single.data())), 0.1f);
    EXPECT_EQ(data_set.find(Tag(0x0028, 0x0106))->integer(2), 100);
}

TEST(JsonReader, ReadsPersonNamesAndSaysThatTextIsUtf8) {
    const auto data_set = read(
        R"({"00100010":{"vr":"PN","Value":[{"Phonetic":"x","Alphabetic":"M\u00fcller^\u00c9va"},null,{},{"Ideographic":"山田"}]}})");
    EXPECT_EQ(data_set.text(tags::PatientName), "Müller^Éva==x\\\\\\=山田");
    EXPECT_EQ(data_set.text(tags::SpecificCharacterSet), "ISO_IR 192");
    EXPECT_FALSE(read(R"({"00100010":{"vr":"PN","Value":[{"Alphabetic":"A"}]}})")
                     .contains(tags::SpecificCharacterSet));
    EXPECT_EQ(read(R"({"00080005":{"vr":"CS","Value":["ISO_IR 100"]}})").text(tags::SpecificCharacterSet),
              "ISO_IR 192");
}

TEST(JsonReader, ReadsSequencesAndDropsTheCharacterSetsOfItems) {
    const auto data_set = read(
        R"({"00081140":{"vr":"SQ","Value":[null,{"00081155":{"vr":"UI","Value":["1.2"]},"00080005":{"vr":"CS","Value":["ISO_IR 100"]}},{},)"
        R"({"00081199":{"Value":[{}],"vr":"SQ"}}]},"00081110":{"vr":"SQ"}})");
    EXPECT_EQ(
        json_of(data_set),
        R"({"00081110":{"vr":"SQ"},"00081140":{"vr":"SQ","Value":[{},{"00081155":{"vr":"UI","Value":["1.2"]}},{},)"
        R"({"00081199":{"vr":"SQ","Value":[{}]}}]}})");
}

TEST(JsonReader, ReadsTagsBytesAndEmptyValues) {
    const auto data_set = read(
        R"({"00280009":{"vr":"AT","Value":["00181063","0018106A"]},"00091001":{"vr":"UN","InlineBinary":"AQID"},)"
        R"("00080050":{"vr":"SH","Value":[]},"00080090":{"vr":"PN","Value":[null]},"00280010":{"vr":"US","Value":[null]},)"
        R"("7FE00010":{"vr":"OW","InlineBinary":""},"00281201":{"vr":"OW","InlineBinary":null}})");
    EXPECT_EQ(as_text(data_set.find(Tag(0x0028, 0x0009))->value()),
              std::string_view("\x18\0\x63\x10\x18\0\x6a\x10", 8));
    EXPECT_EQ(as_text(data_set.find(Tag(0x0009, 0x1001))->value()), std::string_view("\1\2\3\0", 4));
    for (const Tag tag : {tags::AccessionNumber, tags::ReferringPhysicianName, tags::Rows, tags::PixelData}) {
        ASSERT_TRUE(data_set.contains(tag)) << to_string(tag);
        EXPECT_TRUE(data_set.find(tag)->empty());
    }
}

TEST(JsonReader, AsksForBulkData) {
    JsonReadOptions options;
    options.bulk_data = [](std::string_view uri) -> Result<ByteBuffer> {
        if (uri != "bulk/1") return Error(Errc::not_found, "nothing there");
        return ByteBuffer(as_bytes(std::string_view("\1\2", 2)));
    };
    const auto data_set = read(R"({"00281201":{"vr":"US","BulkDataURI":"bulk/1"}})", options);
    EXPECT_EQ(data_set.integer(Tag(0x0028, 0x1201)), 513);
    EXPECT_EQ(refusal(R"({"00281201":{"vr":"OW","BulkDataURI":"other"}})", options),
              "(0028,1201): nothing there");
    EXPECT_EQ(refusal(R"({"00281201":{"vr":"OW","BulkDataURI":"bulk/1"}})"),
              "(0028,1201): a BulkDataURI that nothing resolves");
}

TEST(JsonReader, TellsFragmentsFromPixels) {
    constexpr std::string_view kItems =
        R"({"7FE00010":{"vr":"OB","InlineBinary":"/v8A4AAAAAD+/wDgAgAAAP/Y"}})";
    constexpr std::string_view kPixels = R"({"7FE00010":{"vr":"OB","InlineBinary":"AQIDBA=="}})";
    JsonReadOptions encapsulated;
    encapsulated.encapsulated = true;
    const auto data_set = read(kItems, encapsulated);
    ASSERT_EQ(data_set.nodes().size(), 3u);
    EXPECT_TRUE(data_set.nodes()[0].undefined_length);
    EXPECT_EQ(as_text(data_set.value_of(data_set.nodes()[2])), "\xff\xd8");
    EXPECT_EQ(json_of(data_set), kItems);
    EXPECT_EQ(refusal(kItems), "(7fe0,0010): encapsulated pixel data, for a syntax that is not");
    EXPECT_EQ(refusal(kPixels, encapsulated),
              "(7fe0,0010): pixel data that is no run of items, for an encapsulated syntax");
}

TEST(JsonReader, RefusesWhatTheModelHasNot) {
    struct Case {
        std::string_view text;
        std::string_view why;
    };
    constexpr Case kCases[] = {
        {"", "not JSON"},
        {"5", "no object"},
        {"[5]", "no object"},
        {"[]", "0 data sets"},
        {"[{},{}]", "2 data sets"},
        {"[[{}]]", "an array where none can be"},
        {R"({"00100010":{"vr":"PN"})", "not JSON"},
        {"{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"\xff\"]}}", "not JSON"},
        {R"({"PatientID":{"vr":"LO"}})", "no tag"},
        {R"({"0010002":{"vr":"LO"}})", "no tag"},
        {R"({"0010002G":{"vr":"LO"}})", "no tag"},
        {R"({"00100020":5})", "no object"},
        {R"({"00100020":["x"]})", "an array where none can be"},
        {R"({"00100020":{}})", "(0010,0020): an attribute without vr"},
        {R"({"00100020":{"vr":"LX"}})", "(0010,0020): an unknown VR"},
        {R"({"00100020":{"vr":null}})", "where text is expected"},
        {R"({"00100020":{"vr":"LO","vr":"LO"}})", "more than one"},
        {R"({"00100020":{"vr":"LO","Value":["a"],"InlineBinary":""}})", "more than one"},
        {R"({"00100020":{"vr":"LO","Vaule":["a"]}})", "unknown member"},
        {R"({"00100020":{"vr":"LO","Value":"a"}})", "no array"},
        {R"({"00100020":{"vr":"LO","Value":[["a"]]}})", "an array where none can be"},
        {R"({"00100020":{"vr":"LO","Value":[5]}})", "(0010,0020): a number in a VR of text"},
        {R"({"00100020":{"vr":"LO","Value":[true]}})", "(0010,0020): a truth value"},
        {R"({"00100020":{"vr":"LO","Value":["a\\b"]}})", "(0010,0020): a backslash"},
        {R"({"00100020":{"vr":"LO","Value":[{"00080005":{"vr":"CS"}}]}})", "an object in a VR that has none"},
        {R"({"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}})", "(0010,0020): an attribute twice"},
        {R"({"00080060":{"vr":"CS","Value":["É"]}})", "beyond ASCII"},
        {R"({"00104000":{"vr":"LT","Value":["a","b"]}})", "several values"},
        {R"({"00100010":{"vr":"PN","Value":["A^B"]}})", "no object"},
        {R"({"00100010":{"vr":"PN","Value":[{"Alphabetic":"a=b"}]}})", "a delimiter"},
        {R"({"00100010":{"vr":"PN","Value":[{"Alphabetic":"a","Alphabetic":"b"}]}})", "twice"},
        {R"({"00100010":{"vr":"PN","Value":[{"Family":"a"}]}})", "no tag"},
        {R"({"00100010":{"vr":"PN","Value":[{"Alphabetic":5}]}})", "no text"},
        {R"({"00100010":{"vr":"PN","Value":[{"00080005":{"vr":"CS"}}]}})", "an item where"},
        {R"({"00081140":{"vr":"SQ","Value":[{"Alphabetic":"a"}]}})", "(0008,1140)[0]: a person name where"},
        {R"({"00081140":{"vr":"SQ","Value":["a"]}})", "no array of objects"},
        {R"({"00081140":{"vr":"SQ","Value":[{},1]}})", "(0008,1140)[0]: objects among"},
        {R"({"00081140":{"vr":"SQ","Value":[{},{"00080018":{"vr":"UI","Value":[1]}}]}})",
         "(0008,1140)[1](0008,0018): a number in a VR of text"},
        {R"({"00081140":{"vr":"SQ","InlineBinary":"AQID"}})", "no array of objects"},
        {R"({"Alphabetic":"a"})", "in no person name"},
        {R"({"00280010":{"vr":"US","Value":[65536]}})", "(0028,0010): a value that is no number of this VR"},
        {R"({"00280010":{"vr":"US","Value":[-1]}})", "no number"},
        {R"({"00280010":{"vr":"US","Value":[1.5]}})", "no number"},
        {R"({"00280010":{"vr":"US","Value":[""]}})", "no number"},
        {R"({"00280010":{"vr":"US","Value":["0x10"]}})", "no number"},
        {R"({"00280010":{"vr":"US","Value":[1,null]}})", "no number"},
        {R"({"00280010":{"vr":"US","InlineBinary":"AQID"}})", "no multiple"},
        {R"({"00200013":{"vr":"IS","Value":[1.5]}})", "no integer"},
        {R"({"00200013":{"vr":"IS","Value":[1234567890123]}})", "too long"},
        {R"({"00189074":{"vr":"FD","Value":[1e999]}})", "not JSON, or a number"},
        {R"({"00280009":{"vr":"AT","Value":["0018"]}})", "eight hexadecimal"},
        {R"({"00280009":{"vr":"AT","Value":[5]}})", "eight hexadecimal"},
        {R"({"7FE00010":{"vr":"OB","Value":[1]}})", "only InlineBinary"},
        {R"({"7FE00010":{"vr":"OB","InlineBinary":"AQI"}})", "no base 64"},
        {R"({"7FE00010":{"vr":"OB","InlineBinary":"AQ=D"}})", "no base 64"},
        {R"({"7FE00010":{"vr":"OB","InlineBinary":"AR=="}})", "no base 64"},
        {R"({"7FE00010":{"vr":"OB","InlineBinary":"A Q="}})", "no base 64"},
        {R"({"7FE00010":{"vr":"OB","InlineBinary":5}})", "where text is expected"},
        {R"({"FFFEE000":{"vr":"OB"}})", "a tag that no data set has"},
        {R"({"00000100":{"vr":"US"}})", "a tag that no data set has"},
    };
    for (const auto& [text, why] : kCases) {
        const auto said = refusal(text);
        EXPECT_NE(said.find(why), std::string::npos) << text << ": " << said;
    }
}

TEST(JsonReader, SaysNothingOfValuesInItsErrors) {
    for (const auto* text :
         {R"({"00100010":{"vr":"PN","Value":["SECRET^NAME"]}})",
          R"({"00100020":{"vr":"LO","Value":["SECRET\\NAME"]}})",
          R"({"00100020":{"vr":"LO","Value":["SECRET}})", R"({"00280010":{"vr":"US","Value":["SECRET"]}})",
          R"({"00280010":{"vr":"SECRET"}})", R"({"SECRET":{"vr":"US"}})",
          R"({"00281201":{"vr":"OW","BulkDataURI":"SECRET"}})"}) {
        const auto said = refusal(text);
        EXPECT_FALSE(said.empty()) << text;
        EXPECT_EQ(said.find("SECRET"), std::string::npos) << said;
    }
}

TEST(JsonReader, HoldsItsLimits) {
    std::string deep;
    for (int level = 0; level < 64; ++level) deep += R"({"00081199":{"vr":"SQ","Value":[)";
    std::string text = deep + "{}";
    for (int level = 0; level < 64; ++level) text += "]}}";
    EXPECT_EQ(refusal(text), "");
    text = R"({"00081199":{"vr":"SQ","Value":[)" + text + "]}}";
    EXPECT_NE(refusal(text).find("nested too deep"), std::string::npos);
    std::string endless;
    for (int level = 0; level < 100000; ++level) endless += R"({"00081199":{"vr":"SQ","Value":[)";
    EXPECT_NE(refusal(endless).find("nested too deep"), std::string::npos);
    EXPECT_NE(refusal(std::string(1000000, '[')), "");
    JsonReadOptions options;
    options.max_elements = 3;
    EXPECT_EQ(refusal(R"({"00080060":{"vr":"CS"},"00080061":{"vr":"CS"}})", options), "");
    EXPECT_NE(refusal(R"({"00080060":{"vr":"CS"},"00080061":{"vr":"CS"},"00080062":{"vr":"CS"}})", options),
              "");
    EXPECT_NE(refusal(R"({"00081140":{"vr":"SQ","Value":[null,null,{}]}})", options), "");
    options.max_bytes = 10;
    EXPECT_EQ(refusal("{}         ", options), "more JSON than is allowed");
}

TEST(JsonReader, ReadsListsOfDataSets) {
    const auto list =
        read_json_list(R"([{"00100010":{"vr":"PN","Value":[{"Alphabetic":"É"}]}},{"00080060":{"vr":"CS"}}])");
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 2u);
    EXPECT_TRUE((*list)[0].data_set.contains(tags::SpecificCharacterSet));
    EXPECT_FALSE((*list)[1].data_set.contains(tags::SpecificCharacterSet));
    EXPECT_TRUE(read_json_list("[]")->empty());
}

}  // namespace
}  // namespace sagitta::dicom
