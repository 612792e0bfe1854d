// `sagitta modify` from outside. What it wrote is read by pydicom and compared with what DCMTK's
// dcmodify makes of the same file.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "dicom/path.h"
#include "dicom/writer.h"
#include "tests/support/shared_data.h"

namespace sagitta {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

struct Ended {
    int status = -1;
    std::string output;
};

const fs::path kPydicomFiles = "/usr/lib/python3/dist-packages/pydicom/data/test_files";

class Modify : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "sagitta-modify-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        write_object("in.dcm");
    }
    void TearDown() override { fs::remove_all(folder_); }

    Ended shell(const std::string& command_line) {
        Ended run;
        const std::string command = "cd '" + folder_.string() + "' && " + command_line + " 2>&1";
        FILE* pipe = popen(command.c_str(), "r");
        if (pipe == nullptr) return run;
        char part[4096];
        while (const auto got = std::fread(part, 1, sizeof part, pipe)) run.output.append(part, got);
        const int ended = pclose(pipe);
        if (WIFEXITED(ended)) run.status = WEXITSTATUS(ended);
        return run;
    }
    Ended modify(const std::string& arguments) { return shell("'" SAGITTA_PROGRAM "' modify " + arguments); }

    // A small CT image that knows more in its meta information than it must.
    void write_object(const std::string& name) {
        dicom::DataSet data_set;
        data_set.set_text(tags::SpecificCharacterSet, dicom::Vr::CS, "ISO_IR 100");
        data_set.set_text(tags::SOPClassUID, dicom::Vr::UI, dicom::uids::CTImageStorage);
        data_set.set_text(tags::SOPInstanceUID, dicom::Vr::UI, "1.2.3");
        data_set.set_text(tags::PatientName, dicom::Vr::PN, "M\xfcller^\xc9va");
        data_set.set_uint16(tags::Rows, 1);
        data_set.set(tags::PixelData, dicom::Vr::OW, std::vector<std::byte>(64, std::byte{7}));
        dicom::FileMeta meta;
        meta.sop_class_uid = *dicom::Uid::parse(dicom::uids::CTImageStorage);
        meta.sop_instance_uid = *dicom::Uid::parse("1.2.3");
        meta.transfer_syntax_uid = std::string(dicom::uids::ExplicitVRLittleEndian);
        meta.source_ae_title = "SCANNER";
        ByteBuffer bytes = dicom::make_file_header(meta);
        ASSERT_TRUE(dicom::write_data_set(data_set, dicom::explicit_vr_little_endian(), bytes).has_value());
        std::ofstream(folder_ / name, std::ios::binary) << as_text(bytes.span());
    }

    [[nodiscard]] std::string bytes_of(const std::string& name) const {
        std::ifstream file(folder_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    [[nodiscard]] std::string value(const std::string& name, std::string_view path) const {
        const auto file = dicom::read_file((folder_ / name).string());
        if (!file) return file.error().message();
        const auto found = dicom::find(file->data_set, *dicom::parse_path(path));
        return found ? std::string(found->text()) : "nothing";
    }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }

    fs::path folder_;
};

TEST_F(Modify, WritesAChangedCopy) {
    const std::string before = bytes_of("in.dcm");
    const auto run = modify(
        "in.dcm out.dcm -s PatientID=4711 -s 'PatientName=J\u00e4ger^Eva' -d Rows "
        "-s 'RequestAttributesSequence[0].ScheduledProcedureStepID=S1' "
        "-i 'RequestAttributesSequence[0]' -s SOPInstanceUID=1.2.4");
    EXPECT_EQ(run.output, "");
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(bytes_of("in.dcm"), before);
    EXPECT_EQ(value("out.dcm", "PatientID"), "4711");
    EXPECT_EQ(value("out.dcm", "PatientName"), "J\xe4ger^Eva");
    EXPECT_EQ(value("out.dcm", "Rows"), "nothing");
    EXPECT_EQ(value("out.dcm", "RequestAttributesSequence[1].ScheduledProcedureStepID"), "S1");
    EXPECT_EQ(value("out.dcm", "RequestAttributesSequence[0].ScheduledProcedureStepID"), "nothing");
    const auto file = dicom::read_file((folder_ / "out.dcm").string());
    ASSERT_TRUE(file);
    EXPECT_EQ(file->layout.meta.text(tags::MediaStorageSOPInstanceUID), "1.2.4");
    EXPECT_EQ(file->layout.meta.text(tags::SourceApplicationEntityTitle), "SCANNER");
    EXPECT_EQ(files(), 2u);
}

TEST_F(Modify, AppliesTheOptionsInTheirOrder) {
    ASSERT_EQ(modify("in.dcm a.dcm -s PatientID=1 -d PatientID").status, 0);
    EXPECT_EQ(value("a.dcm", "PatientID"), "nothing");
    ASSERT_EQ(modify("in.dcm b.dcm -d PatientID -s PatientID=1").status, 0);
    EXPECT_EQ(value("b.dcm", "PatientID"), "1");
}

TEST_F(Modify, NeverTouchesItsInputNorReplacesUnasked) {
    const std::string before = bytes_of("in.dcm");
    EXPECT_EQ(modify("in.dcm in.dcm -s PatientID=1").output,
              "sagitta: in.dcm is the input, which is never changed\n");
    EXPECT_EQ(modify("in.dcm ./in.dcm --force -s PatientID=1").status, 1);
    fs::create_hard_link(folder_ / "in.dcm", folder_ / "same.dcm");
    fs::create_symlink("in.dcm", folder_ / "link.dcm");
    EXPECT_EQ(modify("in.dcm same.dcm --force -s PatientID=1").status, 1);
    EXPECT_EQ(modify("in.dcm link.dcm --force -s PatientID=1").status, 1);
    EXPECT_EQ(bytes_of("in.dcm"), before);
    std::ofstream(folder_ / "out.dcm") << "precious";
    const auto refused = modify("in.dcm out.dcm -s PatientID=1");
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(refused.output, "sagitta: out.dcm exists, --force replaces it\n");
    EXPECT_EQ(bytes_of("out.dcm"), "precious");
    EXPECT_EQ(modify("in.dcm out.dcm --force -s PatientID=1").status, 0);
    EXPECT_EQ(value("out.dcm", "PatientID"), "1");
    EXPECT_EQ(modify("in.dcm no/folder/out.dcm -s PatientID=1").status, 1);
    EXPECT_EQ(files(), 4u);
}

TEST_F(Modify, SaysWhatIsWrongAndWritesNothing) {
    struct Case {
        std::string arguments;
        int status;
        std::string output;
    };
    for (const auto& [arguments, status, output] : {
             Case{"", 2, "nothing to change: give -s, -d, -i or --to-utf8"},
             {"-s PatienID=1", 2, "'PatienID' is no keyword and no tag, did you mean PatientID?"},
             {"-s PatientID", 2, "what to set is written Path=value"},
             {"-d RequestAttributesSequence.CodeValue", 2,
              "RequestAttributesSequence needs an item, as in [0]"},
             {"-s TransferSyntaxUID=1.2", 2,
              "TransferSyntaxUID is file meta information, which is made anew"},
             {"-s Modality=ct", 1,
              "in.dcm: Modality: has other characters than A-Z, 0-9, space and underscore"},
             {"-s PatientName=\u65e5", 1,
              "in.dcm: PatientName: has a character outside the Specific Character Set (0008,0005)\n"
              "  --to-utf8 makes the whole data set UTF-8, in which all text fits"},
             {"-d SOPClassUID -s SOPInstanceUID=", 1, "in.dcm: SOPInstanceUID is missing or is no UID"},
         }) {
        const auto run = modify("in.dcm out.dcm " + arguments);
        EXPECT_EQ(run.status, status) << arguments;
        EXPECT_EQ(run.output, "sagitta: " + output + "\n");
    }
    EXPECT_EQ(files(), 1u);
    EXPECT_EQ(modify("in.dcm out.dcm -s Modality=ct --no-check").status, 0);
    EXPECT_EQ(modify("in.dcm utf8.dcm -s PatientName=\u65e5 --to-utf8").status, 0);
    EXPECT_EQ(value("utf8.dcm", "PatientName"), "\u65e5");
    EXPECT_EQ(value("utf8.dcm", "SpecificCharacterSet"), "ISO_IR 192");
}

TEST_F(Modify, LeavesDicomdirAlone) {
    const auto dicomdir = kPydicomFiles / "dicomdirtests" / "DICOMDIR";
    if (!fs::exists(dicomdir)) GTEST_SKIP() << "python3-pydicom is not installed";
    const auto run = modify("'" + dicomdir.string() + "' out -s FileSetID=X");
    EXPECT_EQ(run.status, 1);
    EXPECT_NE(run.output.find("byte offsets"), std::string::npos) << run.output;
}

// Every other file of pydicom's: the data set is the original's with one changed element, byte by byte.
TEST_F(Modify, KeepsEverythingElseOfRealFilesAsPydicomReadsThem) {
    if (!fs::exists(kPydicomFiles)) GTEST_SKIP() << "python3-pydicom is not installed";
    std::ofstream(folder_ / "compare.py") << R"(
import sys, pydicom, warnings
warnings.simplefilter("ignore")
def raw(ds):
    return {t: (e.VR, bytes(e.value or b"")) if getattr(e, "is_raw", False) else e for t, e in ds._dict.items()}
for line in open("list"):
    before, after = line.split()
    a, b = pydicom.dcmread(before, force=True), pydicom.dcmread(after)
    ra, rb = raw(a), raw(b)
    bad = [hex(t) for t in ra if t not in (0x00100020, 0x00100000) and ra[t] != rb.get(t)]
    extra = set(rb) - set(ra) - {0x00100020}
    stated = b.file_meta.MediaStorageSOPInstanceUID
    if bad or extra or b.PatientID != "CHANGED 1" or stated != b.get("SOPInstanceUID", stated):
        print(before, bad, extra)
)";
    int changed = 0;
    std::ofstream list(folder_ / "list");
    for (const auto& entry : fs::directory_iterator(kPydicomFiles)) {
        if (entry.path().extension() != ".dcm") continue;
        // Says explicit VR and is implicit: what we write is what it says.
        if (entry.path().filename() == "SC_rgb_jpeg.dcm") continue;
        const std::string out = "out" + std::to_string(changed) + ".dcm";
        const auto run = modify("'" + entry.path().string() + "' " + out + " -s 'PatientID=CHANGED 1'");
        if (run.status != 0) continue;
        list << entry.path().string() << ' ' << out << '\n';
        ++changed;
    }
    list.close();
    EXPECT_GT(changed, 50);
    const auto check = shell("/usr/bin/python3 compare.py");
    EXPECT_EQ(check.status, 0);
    EXPECT_EQ(check.output, "");
}

// Text in every kind of repertoire, with and without code extensions, as pydicom decodes it.
TEST_F(Modify, EncodesTextThatPydicomDecodes) {
    if (!fs::exists(kPydicomFiles)) GTEST_SKIP() << "python3-pydicom is not installed";
    struct Case {
        std::string character_set, name;
    };
    const std::vector<Case> cases = {
        {"ISO_IR 100", "Buc^J\u00e9r\u00f4me"},
        {"ISO_IR 101", "Wa\u0142\u0119sa"},
        {"ISO_IR 109", "\u0108\u0125"},
        {"ISO_IR 110", "\u0100\u0112"},
        {"ISO_IR 126", "\u0394\u03b9\u03bf\u03bd\u03c5\u03c3\u03b9\u03bf\u03c2"},
        {"ISO_IR 127", "\u0642\u0628\u0627\u0646\u064a^\u0644\u0646\u0632\u0627\u0631"},
        {"ISO_IR 138", "\u05e9\u05e8\u05d5\u05df^\u05d3\u05d1\u05d5\u05e8\u05d4"},
        {"ISO_IR 144", "\u041b\u044ek\u0446\u0435\u043c\u0431yp\u0433"},
        {"ISO_IR 148", "\u011e\u0130"},
        {"ISO_IR 166", "\u0e19\u0e32\u0e21"},
        {"ISO_IR 13", "\uff94\uff8f\uff80\uff9e^\uff80\uff9b\uff73"},
        {"ISO_IR 192", "Wang^XiaoDong=\u738b^\u5c0f\u6771"},
        {"GB18030", "Wang^XiaoDong=\u738b^\u5c0f\u4e1c"},
        {"GBK", "Wang^XiaoDong=\u738b^\u5c0f\u4e1c"},
        {"\\ISO 2022 IR 87", "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046"},
        {"ISO 2022 IR 13\\ISO 2022 IR 87",
         "\uff94\uff8f\uff80\uff9e^\uff80\uff9b\uff73=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^"
         "\u305f\u308d\u3046"},
        {"\\ISO 2022 IR 149", "Hong^Gildong=\u6d2a^\u5409\u6d1e=\ud64d^\uae38\ub3d9"},
        {"\\ISO 2022 IR 58", "Zhang^XiaoDong=\u5f20^\u5c0f\u4e1c"},
        {"ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126", "\u00e9\u041b\u0394^\u0394\u00e9"},
    };
    std::ofstream(folder_ / "decode.py") << R"(
import sys, pydicom
for path in sys.argv[1:]:
    # Of ISO 2022 IR 58 pydicom leaves the escape sequence in the text.
    print(str(pydicom.dcmread(path).PatientName).replace("\x1b$)A", ""))
)";
    std::string command = "PYTHONIOENCODING=utf-8 /usr/bin/python3 decode.py";
    std::string expected;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const std::string out = std::to_string(i) + ".dcm";
        const auto run = modify("in.dcm " + out + " -s 'SpecificCharacterSet=" + cases[i].character_set +
                                "' -s 'PatientName=" + cases[i].name + "'");
        EXPECT_EQ(run.output, "") << cases[i].character_set;
        command += " " + out;
        expected += cases[i].name + "\n";
    }
    EXPECT_EQ(shell(command).output, expected);
}

// The same change by DCMTK: the data sets that dcmdump shows are equal.
TEST_F(Modify, DoesWhatDcmodifyDoes) {
    if (!fs::exists(kPydicomFiles)) GTEST_SKIP() << "python3-pydicom is not installed";
    if (shell("dcmodify --version && dcmdump --version").status != 0)
        GTEST_SKIP() << "dcmtk is not installed";
    // dcmodify makes every length a defined one, and drops the trailing padding of the data set.
    const std::string dump =
        " | grep -a -v -e '^(0002,' -e Delimitation -e '^(fffc,fffc)' | sed -e 's/ *#.*//' "
        "-e 's/ with [a-z]* length//' ";
    int compared = 0;
    for (const std::string name :
         {"CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "reportsi.dcm", "JPEG2000.dcm",
          "MR_small_bigendian.dcm", "test-SR.dcm", "rtdose.dcm", "liver_1frame.dcm"}) {
        const auto original = kPydicomFiles / name;
        if (!fs::exists(original)) continue;
        SCOPED_TRACE(name);
        fs::copy_file(original, folder_ / "theirs.dcm", fs::copy_options::overwrite_existing);
        const auto theirs = shell(
            "dcmodify -nb -ie -imt -m 'PatientID=CHANGED 1' -i 'AccessionNumber=A1' -ea StudyTime "
            "-i 'RequestAttributesSequence[0].ScheduledProcedureStepID=S1' -i '(0028,0008)=3' theirs.dcm");
        ASSERT_EQ(theirs.status, 0) << theirs.output;
        const auto ours = modify("'" + original.string() +
                                 "' ours.dcm --force -s 'PatientID=CHANGED 1' "
                                 "-s AccessionNumber=A1 -d StudyTime "
                                 "-s 'RequestAttributesSequence[0].ScheduledProcedureStepID=S1' "
                                 "-s '(0028,0008)=3'");
        ASSERT_EQ(ours.status, 0) << ours.output;
        EXPECT_EQ(shell("dcmdump +L ours.dcm" + dump).output, shell("dcmdump +L theirs.dcm" + dump).output);
        ++compared;
    }
    EXPECT_GE(compared, 6);
}

}  // namespace
}  // namespace sagitta
