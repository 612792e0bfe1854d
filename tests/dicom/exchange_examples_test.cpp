// The examples of docs/PARSER.md for JSON and DICOMDIR, run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <stdlib.h>

#include "core/bytes.h"
#include "dicom/dicomdir.h"
#include "dicom/dicomdir_writer.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/json.h"
#include "dicom/json_reader.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

using namespace sagitta;
using namespace sagitta::dicom;

namespace {

// example: json
std::string as_json(const DataSet& data_set) {
    std::string text;
    append_json(data_set, text);
    return text;
}
// end of example

// example: json-bulk
std::string as_json_with_references(const DataSet& data_set, std::map<std::string, std::string>& kept) {
    JsonOptions options;
    options.bulk_data_threshold_bytes = 4096;
    options.bulk_data = [&kept](std::string_view path, const Element&, std::span<const std::byte> value) {
        std::string uri = "bulk/" + std::string(path);  // "7FE00010", "00540016.0.00181271" …
        kept[uri] = std::string(as_text(value));        // little endian
        return uri;                                     // empty: stays inline
    };
    std::string text;
    append_json(data_set, text, options);
    return text;
}
// end of example

// example: from-json
Result<DataSet> from_json(std::string_view text, const std::map<std::string, std::string>& kept) {
    JsonReadOptions options;
    options.bulk_data = [&kept](std::string_view uri) -> Result<ByteBuffer> {
        const auto found = kept.find(std::string(uri));
        if (found == kept.end()) return Error(Errc::not_found, "no such bulk data");
        return ByteBuffer(as_bytes(found->second));
    };
    auto made = read_json(text, options);
    if (!made) return std::move(made).error();  // "(0008,1140)[2](0008,1155): a number in a VR of text"
    return std::move(made->data_set);           // made->meta: group 0002, when there was one
}
// end of example

// example: read-dicomdir
Result<std::vector<std::string>> files_of(const std::string& folder, std::span<const std::byte> dicomdir) {
    const auto set = read_dicomdir(dicomdir);
    if (!set) return set.error();
    FileIdResolver files(folder);  // upper or lower case, `;1`; never outside the folder
    std::vector<std::string> found;
    for (const auto& record : set->records) {  // each record before those below it
        if (record.file_id.empty()) continue;  // PATIENT, STUDY, SERIES
        const auto path = files.find(record.file_id);
        found.push_back(path ? record.type + " " + *path : path.error().message());
    }
    return found;
}
// end of example

// example: write-dicomdir
Result<ByteBuffer> dicomdir_of(const std::vector<std::string>& paths) {
    DicomdirWriter writer("EXPORT_1");
    std::uint32_t number = 0;
    for (const auto& path : paths) {
        const auto file = read_file(path);
        if (!file) return file.error();
        const auto id = numbered_file_id(number++);  // DICOM\00000000\00000000: where the file belongs
        auto added = writer.add(id, file->data_set, file->layout.transfer_syntax_uid);
        if (!added) return std::move(added).error();
    }
    return writer.finish();
}
// end of example

class ExchangeExamples : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        data_set_.set_text(tags::SOPClassUID, Vr::UI, uids::CTImageStorage);
        data_set_.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4");
        data_set_.set_text(tags::StudyInstanceUID, Vr::UI, "1.2");
        data_set_.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3");
        data_set_.set_text(tags::PatientID, Vr::LO, "P1");
        data_set_.set_text(tags::Modality, Vr::CS, "CT");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string folder_ = (std::filesystem::temp_directory_path() / "examples-XXXXXX").string();
    DataSet data_set_;
};

TEST_F(ExchangeExamples, JsonBothWays) {
    data_set_.set(tags::PixelData, Vr::OW, std::vector<std::byte>(5000, std::byte{7}));
    std::map<std::string, std::string> kept;
    const std::string text = as_json_with_references(data_set_, kept);
    EXPECT_EQ(kept.at("bulk/7FE00010").size(), 5000u);
    EXPECT_NE(text.find(R"("7FE00010":{"vr":"OW","BulkDataURI":"bulk/7FE00010"})"), std::string::npos);
    const auto again = from_json(text, kept);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(as_json(*again), as_json(data_set_));
    EXPECT_EQ(from_json(text, {}).error().code, Errc::not_found);
}

TEST_F(ExchangeExamples, DicomdirBothWays) {
    std::string path = folder_;
    for (const auto& component : numbered_file_id(0)) {
        std::filesystem::create_directories(path);
        path += "/" + component;
    }
    FileMeta meta;
    meta.sop_class_uid = *data_set_.uid(tags::SOPClassUID);
    meta.sop_instance_uid = *data_set_.uid(tags::SOPInstanceUID);
    meta.transfer_syntax_uid = std::string(uids::ExplicitVRLittleEndian);
    ByteBuffer file = make_file_header(meta);
    ASSERT_TRUE(write_data_set(data_set_, explicit_vr_little_endian(), file));
    std::ofstream(path, std::ios::binary) << as_text(file.span());
    const auto dicomdir = dicomdir_of({path});
    ASSERT_TRUE(dicomdir) << dicomdir.error().message();
    const auto files = files_of(folder_, dicomdir->span());
    ASSERT_TRUE(files) << files.error().message();
    EXPECT_EQ(*files, std::vector<std::string>{"IMAGE " + path});
}

}  // namespace
