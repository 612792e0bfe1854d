// The examples of docs/PARSER.md, compiled and run. What stands between `// example: NAME` and
// `// end of example` is in the page word for word; tests/lint/check_examples.py compares them.
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>

#include <gtest/gtest.h>

#include "dicom/ambiguous_vr.h"
#include "dicom/builder.h"
#include "dicom/data_set_matching.h"
#include "dicom/dictionary.h"
#include "dicom/dump.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "dicom/private_block.h"
#include "dicom/series.h"
#include "dicom/values.h"
#include "dicom/walk.h"
#include "dicom/writer.h"

namespace {

using namespace sagitta;
using namespace sagitta::dicom;

// example: read
Result<std::string> modality_of(const std::string& path) {
    auto file = read_file(path);
    if (!file) return std::move(file).error();  // code, what, byte offset; never a patient's data
    for (const Error& warning : file->warnings) std::clog << warning.message() << '\n';
    return std::string(file->data_set.text(tags::Modality));
}
// end of example

// example: strict
bool is_flawless(std::span<const std::byte> bytes) {
    ParseOptions options;
    options.strict = true;   // what is otherwise repaired and recorded is now an error
    options.max_depth = 16;  // limits are options, too
    return parse_file(bytes, options).has_value();
}
// end of example

// example: header
Result<std::string> what_is_it(const std::string& path) {
    static constexpr std::array kWanted = {tags::SOPClassUID, tags::Modality};  // ascending
    HeaderOptions options;
    options.only = kWanted;  // leave it empty for everything before the pixels
    const auto header = read_file_header(path, options);
    if (!header) return header.error();
    const UidEntry* known = find_uid(header->data_set.text(tags::SOPClassUID));
    return std::string(known ? known->name : "unknown");
}
// end of example

// example: presence
std::string slice_thickness(const DataSet& data_set) {
    const Values values(data_set);
    if (!values.contains(tags::SliceThickness)) return "absent";
    const auto thickness = values.get<DecimalString>(tags::SliceThickness);
    if (!thickness) return "wrong: " + thickness.error().message();  // another VR, or not a number
    if (!*thickness) return "empty";
    return (*thickness)->text + " mm";  // as written; ->value is the double
}
// end of example

// example: by-name
std::string by_name(const DataSet& data_set, std::string_view name) {
    // "PatientID", "(0010,0020)", "0010,0020" and "00100020" are all the same.
    const auto tag = parse_tag(name);
    if (!tag) return "did you mean " + std::string(suggest_keyword(name)) + "?";
    return Values(data_set).get<std::string>(*tag).value_or(std::nullopt).value_or("");
}
// end of example

// example: typed
Result<std::string> greeting(const DataSet& data_set) {
    const Values values(data_set);  // decodes with the data set's character set
    const auto name = values.get<PersonName>(tags::PatientName);
    if (!name) return name.error();  // not_found, invalid_argument (another VR), malformed
    const auto born = values.get<Date>(tags::PatientBirthDate);
    if (!born) return born.error();
    std::string text = *name ? (*name)->alphabetic.given : "somebody";
    if (*born) text += ", born on day " + std::to_string((*born)->day);
    return text;
}
// end of example

// example: dates
bool was_in_march(const DataSet& data_set) {
    const auto at = Values(data_set).get<DateTime>(tags::AcquisitionDateTime);
    if (!at || !*at) return false;
    // "202403" is the whole month, "2024" the whole year: a value covers what it does not say.
    const std::chrono::sys_days march{std::chrono::year{2024} / 3 / 1};
    const std::chrono::sys_days april{std::chrono::year{2024} / 4 / 1};
    return (*at)->first() >= march && (*at)->last() < april;
}
// end of example

// example: numbers
Result<std::uint64_t> sum_of_pixels(const DataSet& data_set) {
    const auto pixels = Values(data_set).numbers<std::uint16_t>(tags::PixelData);
    if (!pixels) return pixels.error();  // also when they are compressed: no numbers then
    std::uint64_t sum = 0;
    if (const auto in_place = pixels->in_place()) {  // aligned, this machine's byte order: a span
        for (const std::uint16_t pixel : *in_place) sum += pixel;
    } else {
        for (const std::uint16_t pixel : *pixels) sum += pixel;  // anywhere, either byte order
    }
    return sum;
}
// end of example

// example: items
std::vector<Uid> referenced_series(const DataSet& data_set) {
    std::vector<Uid> uids;
    const auto items = Values(data_set).items(tags::ReferencedSeriesSequence);
    if (!items) return uids;
    for (const Values& item : *items) {
        const auto uid = item.get<Uid>(tags::SeriesInstanceUID);
        if (uid && *uid) uids.push_back(**uid);
    }
    return uids;
}
// end of example

// example: private
std::string csa_header_type(const DataSet& data_set) {
    // (0029,xx08), in whichever block its creator reserved.
    const auto element = find_private(data_set.elements(), "SIEMENS CSA HEADER", 0x0029, 0x08);
    if (!element) return "not of this vendor";
    const auto known = find_private_tag("SIEMENS CSA HEADER", element->tag());
    return std::string(known->name) + " = " + std::string(element->text());
}
// end of example

// example: walk
std::vector<std::string> where_are_names(const DataSet& data_set) {
    std::vector<std::string> paths;
    for (Walk walk(data_set); walk.next();) {
        if (walk.element().tag() == tags::OriginalAttributesSequence) walk.skip_inside();
        if (walk.element().vr() == Vr::PN) paths.push_back(walk.path_text());
    }
    return paths;
}
// end of example

// example: ambiguous
bool has_signed_padding(const DataSet& data_set) {
    const auto padding = data_set.find(tags::PixelPaddingValue);  // "US or SS" in the dictionary
    return padding && resolved_vr(*padding) == Vr::SS;            // by Pixel Representation around it
}
// end of example

// example: match
Result<std::vector<const DataSet*>> chests_of_january(const std::vector<DataSet>& instances) {
    DataSet identifier;
    identifier.set_text(tags::StudyDate, Vr::DA, "20240101-20240131");
    identifier.set_text(tags::Modality, Vr::CS, "CT\\MR");
    identifier.set_text(tags::StudyDescription, Vr::LO, "*CHEST*");
    const auto matcher = DataSetMatcher::parse(identifier);
    if (!matcher) return matcher.error();
    std::vector<const DataSet*> found;
    for (const DataSet& instance : instances) {
        if (matcher->matches(instance)) found.push_back(&instance);
    }
    return found;
}
// end of example

// example: series
Result<std::string> report(const std::string& folder) {
    const auto found = read_series_below(folder);
    if (!found) return found.error();
    std::string text;
    for (const Series& series : found->series) {
        text += series.modality + ", " + std::to_string(series.instances.size()) + " instances\n";
        for (const SeriesFinding& finding : series.findings) {
            text +=
                std::string(to_string(finding.kind)) + " before " + series.instances[finding.instance].path;
            text += '\n';
        }
    }
    for (const UnreadableFile& file : found->unreadable) text += file.error.message() + '\n';
    return text;
}
// end of example

// example: copy
DataSet without_comments(const DataSet& original) {
    DataSet changed = original;  // shares the bytes that were read; the original stays as it is
    changed.erase(tags::PatientComments);
    changed.set_text(tags::ImageComments, Vr::LT, "checked");
    return changed;
}
// end of example

// example: build
DataSet referenced_instance(const Uid& series, const Uid& instance) {
    DataSetBuilder builder;
    builder.begin_sequence(tags::ReferencedSeriesSequence);
    builder.begin_item();
    builder.begin_sequence(tags::ReferencedInstanceSequence);
    builder.begin_item();
    builder.add_text(tags::ReferencedSOPInstanceUID, Vr::UI, instance.view());
    builder.end();
    builder.end();
    builder.add_text(tags::SeriesInstanceUID, Vr::UI, series.view());
    builder.end();
    builder.end();
    return builder.finish();
}
// end of example

// example: write
Result<ByteBuffer> as_file(const DataSet& data_set) {
    const auto sop_class = data_set.uid(tags::SOPClassUID);
    const auto instance = data_set.uid(tags::SOPInstanceUID);
    if (!sop_class || !instance) return Error(Errc::invalid_argument, "no SOP Class or Instance UID");
    FileMeta meta;
    meta.sop_class_uid = *sop_class;
    meta.sop_instance_uid = *instance;
    meta.transfer_syntax_uid = std::string(uids::ExplicitVRLittleEndian);
    ByteBuffer file = make_file_header(meta);
    auto written = write_data_set(data_set, explicit_vr_little_endian(), file);
    if (!written) return std::move(written).error();
    return file;
}
// end of example

// example: dump
std::string as_text(const DataSet& data_set) {
    std::string text;
    DumpOptions options;
    options.only = {tags::Modality, tags::SeriesInstanceUID};  // at any depth; empty: everything
    dump(data_set, options, [&](std::string_view line) { text.append(line).append("\n"); });
    return text;
}
// end of example

/// A folder with one CT file, made with the examples themselves.
class ParserExamples : public ::testing::Test {
protected:
    ParserExamples() {
        data_set_.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
        data_set_.set_text(tags::SOPClassUID, Vr::UI, uids::CTImageStorage);
        data_set_.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4");
        data_set_.set_text(tags::StudyDate, Vr::DA, "20240115");
        data_set_.set_text(tags::Modality, Vr::CS, "CT");
        data_set_.set_text(tags::StudyDescription, Vr::LO, "LOW DOSE CHEST");
        data_set_.set_text(tags::PatientName, Vr::PN, "Test^J\xf6rg");
        data_set_.set_text(tags::PatientID, Vr::LO, "P1");
        data_set_.set_text(tags::PatientBirthDate, Vr::DA, "19700321");
        data_set_.set_text(tags::AcquisitionDateTime, Vr::DT, "202403");
        data_set_.set_text(tags::PatientComments, Vr::LT, "none");
        data_set_.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3");
        data_set_.set_text(Tag(0x00290010u), Vr::LO, "SIEMENS CSA HEADER");
        data_set_.set_text(Tag(0x00291008u), Vr::CS, "IMAGE NUM 4");
        EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    }
    ~ParserExamples() override { std::filesystem::remove_all(folder_); }

    std::string write() {
        const auto bytes = as_file(data_set_);
        EXPECT_TRUE(bytes.has_value());
        std::string path = folder_ + "/ct.dcm";
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes->span().data()),
                   static_cast<std::streamsize>(bytes->size()));
        return path;
    }

    std::string folder_ = (std::filesystem::temp_directory_path() / "examples-XXXXXX").string();
    DataSet data_set_;
};

TEST_F(ParserExamples, ReadFilesAndHeaders) {
    const std::string path = write();
    EXPECT_EQ(modality_of(path).value(), "CT");
    EXPECT_EQ(modality_of(folder_ + "/none").error().code, Errc::not_found);
    EXPECT_EQ(what_is_it(path).value(), "CT Image Storage");
    EXPECT_TRUE(is_flawless(as_file(data_set_)->span()));
    EXPECT_EQ(report(folder_).value(), "CT, 1 instances\n");
    std::ofstream(folder_ + "/notes.txt") << "notes";
    EXPECT_NE(report(folder_).value().find("notes.txt: "), std::string::npos);
}

TEST_F(ParserExamples, ReadValues) {
    EXPECT_EQ(slice_thickness(data_set_), "absent");
    data_set_.set_text(tags::SliceThickness, Vr::DS, "");
    EXPECT_EQ(slice_thickness(data_set_), "empty");
    data_set_.set_text(tags::SliceThickness, Vr::DS, "2.50");
    EXPECT_EQ(slice_thickness(data_set_), "2.50 mm");
    data_set_.set_text(tags::SliceThickness, Vr::DS, "thick");
    EXPECT_EQ(slice_thickness(data_set_).find("wrong: (0018,0050)"), 0u);
    EXPECT_EQ(by_name(data_set_, "PatientID"), "P1");
    EXPECT_EQ(by_name(data_set_, "0010,0020"), "P1");
    EXPECT_EQ(by_name(data_set_, "PatientAge"), "");
    EXPECT_EQ(by_name(data_set_, "PatintID"), "did you mean PatientID?");
    EXPECT_EQ(greeting(data_set_).value(), "Jörg, born on day 21");
    EXPECT_TRUE(was_in_march(data_set_));
    data_set_.set_text(tags::AcquisitionDateTime, Vr::DT, "2024");
    EXPECT_FALSE(was_in_march(data_set_));
    EXPECT_EQ(csa_header_type(data_set_), "CSA Image Header Type = IMAGE NUM 4");
    EXPECT_EQ(csa_header_type(DataSet()), "not of this vendor");
}

TEST_F(ParserExamples, ReadNumbers) {
    EXPECT_EQ(sum_of_pixels(data_set_).error().code, Errc::not_found);
    const std::array<std::byte, 4> pixels = {std::byte{1}, std::byte{1}, std::byte{2}, std::byte{0}};
    data_set_.set(tags::PixelData, Vr::OW, pixels);
    EXPECT_EQ(sum_of_pixels(data_set_).value(), 259u);
    EXPECT_FALSE(has_signed_padding(data_set_));
    data_set_.set_uint16(tags::PixelRepresentation, 1);
    data_set_.set_uint16(tags::PixelPaddingValue, 0xfc18);
    EXPECT_TRUE(has_signed_padding(data_set_));
}

TEST_F(ParserExamples, GoInside) {
    const DataSet made = referenced_instance(*Uid::parse("1.2.3"), *Uid::parse("1.2.3.4"));
    EXPECT_EQ(referenced_series(made), std::vector<Uid>{*Uid::parse("1.2.3")});
    EXPECT_TRUE(referenced_series(data_set_).empty());
    EXPECT_EQ(where_are_names(data_set_), std::vector<std::string>{"PatientName"});
    EXPECT_NE(as_text(made).find("ReferencedSeriesSequence[0].SeriesInstanceUID"), std::string::npos);
}

TEST_F(ParserExamples, MatchAndChange) {
    const DataSet changed = without_comments(data_set_);
    EXPECT_FALSE(changed.contains(tags::PatientComments));
    EXPECT_TRUE(data_set_.contains(tags::PatientComments));
    EXPECT_EQ(chests_of_january({data_set_, DataSet()}).value().size(), 1u);
    EXPECT_FALSE(as_file(DataSet()).has_value());
}

}  // namespace
