// `sagitta transcode` from outside: what it writes is read by DCMTK and pydicom.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace sagitta {
namespace {

namespace fs = std::filesystem;

const fs::path kFiles = "/usr/lib/python3/dist-packages/pydicom/data/test_files";

struct Ended {
    int status = -1;
    std::string output;
};

class TranscodeCommand : public testing::Test {
protected:
    void SetUp() override {
        if (!fs::exists(kFiles / "MR_small.dcm")) GTEST_SKIP() << "the files of python3-pydicom are not here";
        std::string pattern = (fs::temp_directory_path() / "sagitta-transcode-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        fs::create_directories(folder_ / "in" / "deep");
        fs::copy(kFiles / "MR_small.dcm", folder_ / "in" / "one.dcm");
        fs::copy(kFiles / "CT_small.dcm", folder_ / "in" / "deep" / "two.dcm");
        std::ofstream(folder_ / "in" / "notes.txt") << "not a DICOM file";
    }
    void TearDown() override {
        if (!folder_.empty()) fs::remove_all(folder_);
    }

    Ended shell(const std::string& command_line) const {
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
    Ended transcode(const std::string& arguments) const {
        return shell("'" SAGITTA_PROGRAM "' transcode " + arguments);
    }

    fs::path folder_;
};

TEST_F(TranscodeCommand, PydicomReadsTheSamePixels) {
    for (const auto* name :
         {"rle", "jpeg-ls", "jpeg-lossless", "j2k-lossless", "htj2k", "deflated", "explicit-be"}) {
        SCOPED_TRACE(name);
        const auto there = transcode(std::string("in/one.dcm there.dcm --force --to ") + name);
        ASSERT_EQ(there.status, 0) << there.output;
        const auto back = transcode("there.dcm back.dcm --force --to explicit-le");
        ASSERT_EQ(back.status, 0) << back.output;
        const auto same = shell(
            "/usr/bin/python3 -c \"import pydicom; a, b = map(pydicom.dcmread, ('in/one.dcm', "
            "'back.dcm')); assert a.PixelData == b.PixelData; assert a.SOPInstanceUID == "
            "b.SOPInstanceUID; assert b.file_meta.TransferSyntaxUID == '1.2.840.10008.1.2.1'\"");
        EXPECT_EQ(same.status, 0) << same.output;
    }
}

TEST_F(TranscodeCommand, FoldersKeepTheirNames) {
    const auto run = transcode("in out --to 1.2.840.10008.1.2.5 --threads 2");
    EXPECT_EQ(run.status, 0) << run.output;
    EXPECT_NE(run.output.find("2 of 2 files written, 1 others"), std::string::npos) << run.output;
    EXPECT_TRUE(fs::exists(folder_ / "out" / "one.dcm"));
    EXPECT_TRUE(fs::exists(folder_ / "out" / "deep" / "two.dcm"));
    EXPECT_FALSE(fs::exists(folder_ / "out" / "notes.txt"));
    const auto again = transcode("in out --to rle");
    EXPECT_EQ(again.status, 1);
    EXPECT_EQ(transcode("in in/inside --to rle").status, 2);
}

TEST_F(TranscodeCommand, WrongUseIsSaid) {
    const auto unknown = transcode("in/one.dcm out.dcm --to jpeg-xs");
    EXPECT_EQ(unknown.status, 2);
    EXPECT_NE(unknown.output.find("jpeg-ls"), std::string::npos) << unknown.output;
    EXPECT_EQ(transcode("in/one.dcm in/one.dcm --force --to rle").status, 1);
    EXPECT_EQ(transcode("in/notes.txt out.dcm --to rle").status, 1);
    EXPECT_FALSE(fs::exists(folder_ / "out.dcm"));
}

// Errors of dciodvfy that the source did not have. It does not know that HTJ2K is encapsulated.
TEST_F(TranscodeCommand, DciodvfyFindsNoNewFault) {
    if (shell("command -v dciodvfy").status != 0) GTEST_SKIP() << "dciodvfy is not here";
    for (const auto* name : {"rle", "jpeg-ls", "j2k-lossless", "jpeg-ls-near", "j2k", "implicit-le"}) {
        for (const auto* file : {"in/one.dcm", "in/deep/two.dcm"}) {
            ASSERT_EQ(transcode(std::string(file) + " out.dcm --force --to " + name).status, 0);
            shell("dciodvfy -new " + std::string(file) + " 2>&1 | grep '^Error' | sort -u > before");
            shell("dciodvfy -new out.dcm 2>&1 | grep '^Error' | sort -u > after");
            const auto added = shell("comm -13 before after");
            EXPECT_EQ(added.output, "") << name << " " << file;
        }
    }
}

}  // namespace
}  // namespace sagitta
