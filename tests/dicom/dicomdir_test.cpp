#include "dicom/dicomdir.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dicomdir_writer.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

namespace fs = std::filesystem;

DataSet instance(std::string_view patient, std::string_view study, std::string_view series, int number,
                 std::string_view sop_class = uids::CTImageStorage) {
    DataSet data_set;
    data_set.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    data_set.set_text(tags::SOPClassUID, Vr::UI, sop_class);
    data_set.set_text(tags::SOPInstanceUID, Vr::UI, fmt::format("{}.{}", series, number));
    data_set.set_text(tags::StudyDate, Vr::DA, "20240102");
    data_set.set_text(tags::StudyTime, Vr::TM, "1112");
    data_set.set_text(tags::Modality, Vr::CS, "CT");
    data_set.set_text(tags::PatientName, Vr::PN, fmt::format("M\xfcller^{}", patient));
    data_set.set_text(tags::PatientID, Vr::LO, patient);
    data_set.set_text(tags::StudyInstanceUID, Vr::UI, study);
    data_set.set_text(tags::SeriesInstanceUID, Vr::UI, series);
    data_set.set_text(tags::StudyID, Vr::SH, "S");
    data_set.set_text(tags::SeriesNumber, Vr::IS, "1");
    data_set.set_text(tags::InstanceNumber, Vr::IS, std::to_string(number));
    return data_set;
}

// Two patients; the first with two studies of which one has two series. Given out of order.
ByteBuffer sample() {
    DicomdirWriter writer("SAMPLE_1");
    std::uint32_t number = 0;
    const auto add = [&](const DataSet& header) {
        EXPECT_TRUE(writer.add(numbered_file_id(number++), header, "1.2.840.10008.1.2.1"));
    };
    add(instance("A", "1.1", "1.1.1", 1));
    add(instance("B", "2.1", "2.1.1", 1));
    add(instance("A", "1.1", "1.1.2", 1));
    add(instance("A", "1.1", "1.1.1", 2));
    add(instance("A", "1.2", "1.2.1", 1));
    EXPECT_TRUE(writer.warnings().empty());
    auto made = writer.finish(*Uid::parse("2.25.1"));
    EXPECT_TRUE(made);
    return std::move(*made);
}

FileSet read(const ByteBuffer& bytes) {
    auto set = read_dicomdir(bytes.span());
    EXPECT_TRUE(set) << (set ? "" : set.error().message());
    return set ? std::move(*set) : FileSet();
}

std::string outline(const FileSet& set) {
    std::string text;
    for (const auto& record : set.records) {
        text += std::string(record.depth, ' ') + record.type;
        if (!record.file_id.empty()) text += " " + record.file_id.back().substr(7);
        text += '\n';
    }
    return text;
}

constexpr std::string_view kOutline =
    "PATIENT\n STUDY\n  SERIES\n   IMAGE 0\n   IMAGE 3\n  SERIES\n   IMAGE 2\n STUDY\n  SERIES\n   IMAGE 4\n"
    "PATIENT\n STUDY\n  SERIES\n   IMAGE 1\n";

TEST(Dicomdir, ReadsTheTreeItWrote) {
    const auto bytes = sample();
    const auto set = read(bytes);
    EXPECT_EQ(outline(set), kOutline);
    EXPECT_TRUE(set.warnings.empty());
    EXPECT_FALSE(set.in_order_of_records);
    EXPECT_EQ(set.file.data_set.text(tags::FileSetID), "SAMPLE_1");
    EXPECT_TRUE(is_dicomdir(set.file.layout));
    EXPECT_EQ(set.records[0].subtree, 9u);
    EXPECT_EQ(set.records[9].parent, 8u);
    EXPECT_EQ(set.keys(set.records[0]).text(tags::PatientID), "A");
    EXPECT_EQ(set.keys(set.records[0]).text(tags::SpecificCharacterSet), "ISO_IR 100");
    EXPECT_FALSE(set.keys(set.records[1]).find(tags::SpecificCharacterSet))
        << "the study has no text beyond ASCII";
    EXPECT_EQ(set.keys(set.records[3]).text(tags::ReferencedSOPInstanceUIDInFile), "1.1.1.1");
    EXPECT_EQ(set.records[3].file_id, (std::vector<std::string>{"DICOM", "00000000", "00000000"}));
}

// Where the links of the records are, found in the bytes of the sample.
std::vector<std::size_t> link_places(const ByteBuffer& bytes, Tag tag) {
    std::vector<std::size_t> places;
    ByteBuffer wanted;
    append_le(wanted, tag.group());
    append_le(wanted, tag.element());
    append_text(wanted, std::string_view("UL\4\0", 4));
    const auto text = as_text(bytes.span());
    const auto key = as_text(std::as_const(wanted).span());
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1))
        places.push_back(at + key.size());
    return places;
}

TEST(Dicomdir, TakesTheOrderOfRecordsWhenLinksAreWrong) {
    const auto next = link_places(sample(), tags::OffsetOfTheNextDirectoryRecord);
    const auto lower = link_places(sample(), tags::OffsetOfReferencedLowerLevelDirectoryEntity);
    ASSERT_EQ(next.size(), 14u);
    struct Case {
        std::string_view name;
        std::size_t place;
        std::uint32_t offset;
    };
    const auto root =
        link_places(sample(), tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity).front();
    const auto first = static_cast<std::uint32_t>(next[0] - 16);
    const Case cases[] = {
        {"the root points nowhere", root, 7},
        {"the root was never set", root, 0},
        {"beyond the file", lower[0], 0xfffffff0},
        {"into a record", lower[0], first + 2},
        {"a circle", lower[0], first},
        {"its own sibling", next[0], first},
    };
    for (const auto& wrong : cases) {
        auto bytes = sample();
        store_le(bytes.data() + wrong.place, wrong.offset);
        const auto set = read(bytes);
        EXPECT_TRUE(set.in_order_of_records) << wrong.name;
        EXPECT_FALSE(set.warnings.empty()) << wrong.name;
        EXPECT_EQ(set.records.size(), 14u) << wrong.name;
        EXPECT_EQ(
            std::count_if(set.records.begin(), set.records.end(), [](const auto& r) { return r.depth == 3; }),
            5);
    }
}

TEST(Dicomdir, LeavesOutWhatIsNotInUse) {
    auto bytes = sample();
    const auto places = link_places(bytes, tags::OffsetOfReferencedLowerLevelDirectoryEntity);
    // The flag stands before the link to the lower level; the third record is the first series.
    store_le(bytes.data() + places[2] - 10, std::uint16_t{0});
    const auto set = read(bytes);
    EXPECT_FALSE(set.in_order_of_records);
    EXPECT_EQ(outline(set),
              "PATIENT\n STUDY\n  SERIES\n   IMAGE 2\n STUDY\n  SERIES\n   IMAGE 4\nPATIENT\n STUDY\n  "
              "SERIES\n   IMAGE 1\n");
}

TEST(Dicomdir, SaysWhenItIsNone) {
    DataSet data_set = instance("A", "1", "1.1", 1);
    ByteBuffer bytes = make_file_header({*data_set.uid(tags::SOPClassUID),
                                         *data_set.uid(tags::SOPInstanceUID),
                                         std::string(uids::ExplicitVRLittleEndian),
                                         {}});
    EXPECT_EQ(read_dicomdir(bytes.span()).error().code, Errc::malformed);
    const DicomdirWriter empty;
    const auto directory = empty.finish();
    ASSERT_TRUE(directory);
    EXPECT_TRUE(read(*directory).records.empty());
}

TEST(DicomdirWriter, PutsInstancesUnderTheRecordOfTheirKind) {
    struct Case {
        std::string_view sop_class;
        std::string_view type;
    };
    constexpr Case kCases[] = {
        {uids::CTImageStorage, "IMAGE"},
        {uids::SegmentationStorage, "IMAGE"},
        {uids::RTDoseStorage, "RT DOSE"},
        {uids::RTImageStorage, "IMAGE"},
        {uids::BasicTextSRStorage, "SR DOCUMENT"},
        {uids::WaveformAnnotationSRStorage, "SR DOCUMENT"},
        {uids::KeyObjectSelectionDocumentStorage, "KEY OBJECT DOC"},
        {uids::GrayscaleSoftcopyPresentationStateStorage, "PRESENTATION"},
        {uids::TwelveLeadECGWaveformStorage, "WAVEFORM"},
        {uids::EncapsulatedPDFStorage, "ENCAP DOC"},
        {uids::EncapsulatedSTLStorage, "ENCAP DOC"},
    };
    for (const auto& [sop_class, type] : kCases) {
        const auto* record = directory_record_type_of(sop_class);
        ASSERT_NE(record, nullptr) << sop_class;
        EXPECT_EQ(record->name, type);
    }
    EXPECT_EQ(directory_record_type_of("1.2.3"), nullptr);
    EXPECT_EQ(directory_record_type_of(uids::Verification), nullptr);
}

TEST(DicomdirWriter, CopiesOnlyTheModifiersOfATitle) {
    auto report = instance("A", "1.1", "1.1.1", 1, uids::BasicTextSRStorage);
    DataSetBuilder builder(report);
    for (const Element element : report.elements()) builder.keep(element);
    builder.begin_sequence(tags::VerifyingObserverSequence);
    for (const auto* time : {"20240101", "20240301", "20240201"}) {
        builder.begin_item();
        builder.add_text(tags::VerificationDateTime, Vr::DT, time);
        builder.end();
    }
    builder.end();
    builder.begin_sequence(tags::ContentSequence);
    for (const auto* relation : {"HAS CONCEPT MOD", "CONTAINS"}) {
        builder.begin_item();
        builder.add_text(tags::RelationshipType, Vr::CS, relation);
        builder.end();
    }
    builder.end();
    DicomdirWriter writer;
    ASSERT_TRUE(writer.add(numbered_file_id(0), builder.finish(), uids::ExplicitVRLittleEndian));
    EXPECT_EQ(writer.warnings().size(), 5u) << "no date, time, title, completion, verification";
    const auto bytes = writer.finish();
    ASSERT_TRUE(bytes);
    const auto set = read(*bytes);
    const auto keys = set.keys(set.records[3]);
    EXPECT_EQ(keys.text(tags::VerificationDateTime), "20240301");
    const auto content = keys.find(tags::ContentSequence);
    ASSERT_TRUE(content);
    EXPECT_EQ(std::distance(content->children().begin(), content->children().end()), 1);
}

TEST(DicomdirWriter, RefusesWhatAFileSetCannotHold) {
    DicomdirWriter writer;
    const auto good = instance("A", "1.1", "1.1.1", 1);
    const auto code = [&](std::vector<std::string> file_id, const DataSet& header) {
        const auto done = writer.add(file_id, header, uids::ExplicitVRLittleEndian);
        return done ? std::optional<Errc>() : std::optional<Errc>(done.error().code);
    };
    EXPECT_EQ(code({}, good), Errc::invalid_argument);
    EXPECT_EQ(code({"image"}, good), Errc::invalid_argument);
    EXPECT_EQ(code({"IMAGE.DCM"}, good), Errc::invalid_argument);
    EXPECT_EQ(code({"NINECHARS"}, good), Errc::invalid_argument);
    EXPECT_EQ(code({".."}, good), Errc::invalid_argument);
    EXPECT_EQ(code(std::vector<std::string>(9, "A"), good), Errc::invalid_argument);
    EXPECT_EQ(code({"A"}, instance("A", "1.1", "1.1.1", 1, uids::Verification)), Errc::unsupported);
    DataSet homeless = good;
    homeless.erase(tags::StudyInstanceUID);
    EXPECT_EQ(code({"A"}, homeless), Errc::malformed);
    EXPECT_EQ(code({"A"}, good), std::nullopt);
    EXPECT_EQ(code({"A"}, good), Errc::invalid_argument) << "twice";
    EXPECT_EQ(DicomdirWriter("lower case").finish().error().code, Errc::invalid_argument);
}

class Folder : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "sagitta-set-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        outer_ = pattern;
        folder_ = outer_ / "cd";
        fs::create_directories(folder_ / "dicom" / "Series1");
        std::ofstream(folder_ / "dicom" / "Series1" / "im1.;1") << "x";
        std::ofstream(folder_ / "dicom" / "Series1" / "IM2;1") << "x";
        std::ofstream(outer_ / "SECRET") << "x";
        fs::create_symlink(outer_ / "SECRET", folder_ / "LINK");
    }
    void TearDown() override { fs::remove_all(outer_); }

    fs::path outer_;
    fs::path folder_;
};

TEST_F(Folder, FileIdsAreFoundAsMediaSpellThem) {
    FileIdResolver resolver(folder_.string());
    const auto find = [&](std::vector<std::string> file_id) {
        auto found = resolver.find(file_id);
        return found ? fs::path(*found).filename().string() : std::string(to_string(found.error().code));
    };
    EXPECT_EQ(find({"DICOM", "SERIES1", "IM1"}), "im1.;1");
    EXPECT_EQ(find({"DICOM", "SERIES1", "IM2"}), "IM2;1");
    EXPECT_EQ(find({"dicom", "Series1", "IM2;1"}), "IM2;1");
    EXPECT_EQ(find({"DICOM", "SERIES1", "IM3"}), "not_found");
    EXPECT_EQ(find({"DICOM"}), "not_found") << "a folder is no file";
    EXPECT_EQ(find({}), "not_found");
    EXPECT_EQ(find({"..", "SECRET"}), "refused");
    EXPECT_EQ(find({"dicom/../../SECRET"}), "refused");
    EXPECT_EQ(find({"", "etc", "passwd"}), "refused");
    EXPECT_EQ(find({"LINK"}), "refused");
}

TEST(Dicomdir, ReadsThoseOfTheCorpusAndFindsTheirFiles) {
    const auto folder = test::shared_data() / "dicomdir";
    if (!fs::exists(folder)) GTEST_SKIP() << "../shared/data is not there";
    int directories = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        SCOPED_TRACE(entry.path().filename().string());
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        const auto set = read_dicomdir(as_bytes(bytes));
        ASSERT_TRUE(set) << set.error().message();
        EXPECT_TRUE(set->warnings.empty());
        FileIdResolver resolver(folder.string());
        int images = 0;
        for (const auto& record : set->records) {
            EXPECT_EQ(record.type,
                      std::vector<std::string>({"PATIENT", "STUDY", "SERIES", "IMAGE"})[record.depth]);
            if (record.file_id.empty()) continue;
            ++images;
            const auto path = resolver.find(record.file_id);
            ASSERT_TRUE(path) << path.error().message();
            const auto object = read_file(*path);
            ASSERT_TRUE(object);
            EXPECT_EQ(object->data_set.text(tags::SOPInstanceUID),
                      set->keys(record).text(tags::ReferencedSOPInstanceUIDInFile));
            EXPECT_EQ(object->data_set.text(tags::SeriesInstanceUID),
                      set->keys(set->records[record.parent]).text(tags::SeriesInstanceUID));
        }
        EXPECT_EQ(images, 31);
        ++directories;
    }
    EXPECT_EQ(directories, 3);
}

}  // namespace
}  // namespace sagitta::dicom
