// The program from outside: what it prints and its exit status.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "tests/support/shared_data.h"

namespace sagitta {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

struct Ended {
    int status = -1;  ///< -1: ended by a signal
    std::string output;
};

class Cli : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "sagitta-cli-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { fs::remove_all(folder_); }

    // Both outputs, in the order they were written.
    Ended sagitta(const std::string& arguments) {
        Ended run;
        const std::string command =
            "cd '" + folder_.string() + "' && '" SAGITTA_PROGRAM "' " + arguments + " 2>&1";
        FILE* pipe = popen(command.c_str(), "r");
        if (pipe == nullptr) return run;
        char part[4096];
        while (const auto got = std::fread(part, 1, sizeof part, pipe)) run.output.append(part, got);
        const int ended = pclose(pipe);
        if (WIFEXITED(ended) && WEXITSTATUS(ended) < 126) run.status = WEXITSTATUS(ended);
        return run;
    }

    void write(const std::string& name, std::string_view content) {
        std::ofstream(folder_ / name, std::ios::binary) << content;
    }

    // A small CT image; `cut` bytes are missing at its end.
    void write_object(const std::string& name, std::size_t cut = 0) {
        dicom::DataSet data_set;
        data_set.set_text(tags::SpecificCharacterSet, dicom::Vr::CS, "ISO_IR 100");
        data_set.set_text(tags::SOPClassUID, dicom::Vr::UI, dicom::uids::CTImageStorage);
        data_set.set_text(tags::SOPInstanceUID, dicom::Vr::UI, "1.2.3");
        data_set.set_text(tags::PatientName, dicom::Vr::PN, "M\xfcller^\xc9va");
        dicom::FileMeta meta;
        meta.sop_class_uid = *dicom::Uid::parse(dicom::uids::CTImageStorage);
        meta.sop_instance_uid = *dicom::Uid::parse("1.2.3");
        meta.transfer_syntax_uid = std::string(dicom::uids::ExplicitVRLittleEndian);
        ByteBuffer bytes = dicom::make_file_header(meta);
        ASSERT_TRUE(dicom::write_data_set(data_set, dicom::explicit_vr_little_endian(), bytes).has_value());
        write(name, as_text(bytes.span()).substr(0, bytes.size() - cut));
    }

    fs::path folder_;
};

TEST_F(Cli, ExplainsItself) {
    const auto help = sagitta("--help");
    EXPECT_EQ(help.status, 0);
    for (const std::string command : {"serve", "echo", "store", "find", "get", "move", "dump", "json",
                                      "modify", "reindex", "verify", "config", "version"}) {
        EXPECT_NE(help.output.find("\n  " + command + " "), std::string::npos) << command;
        const auto own = sagitta((command == "config" ? "config check" : command) + " --help");
        EXPECT_EQ(own.status, 0) << command;
        EXPECT_NE(own.output.find("Example"), std::string::npos) << command;
    }
    EXPECT_EQ(sagitta("--version").output,
              sagitta("version").output.substr(0, sagitta("--version").output.size()));
}

TEST_F(Cli, RefusesWhatItDoesNotUnderstand) {
    EXPECT_EQ(sagitta("").status, 2);
    EXPECT_EQ(sagitta("dmup").status, 2);
    EXPECT_EQ(sagitta("dump").status, 2);
    EXPECT_EQ(sagitta("dump --fulll x").status, 2);
    EXPECT_EQ(sagitta("echo PACS").status, 2);
    EXPECT_EQ(sagitta("echo PACS@127.0.0.1:1 --timeout 5").status, 2);
    EXPECT_EQ(sagitta("get PACS@127.0.0.1:1 -o x").status, 2);
    EXPECT_EQ(sagitta("find PACS@127.0.0.1:1 --level all").status, 2);
    const auto typo = sagitta("find PACS@127.0.0.1:1 -k PatienName=X");
    EXPECT_EQ(typo.status, 2);
    EXPECT_EQ(typo.output, "sagitta: 'PatienName' is no keyword and no tag, did you mean PatientName?\n");
}

TEST_F(Cli, FailsWhenNobodyAnswers) {
    write_object("a.dcm");
    for (const std::string command :
         {"echo PEER", "store PEER a.dcm", "find PEER", "get PEER -o x -k StudyInstanceUID=1",
          "move PEER --to A -k StudyInstanceUID=1"}) {
        std::string arguments = command;
        arguments.replace(arguments.find("PEER"), 4, "PACS@127.0.0.1:1");
        EXPECT_EQ(sagitta(arguments).status, 1) << command;
    }
}

TEST_F(Cli, DumpsAFile) {
    write_object("a.dcm");
    const auto whole = sagitta("dump a.dcm");
    EXPECT_EQ(whole.status, 0);
    EXPECT_NE(whole.output.find(
                  "TransferSyntaxUID                 1.2.840.10008.1.2.1 Explicit VR Little Endian\n"),
              std::string::npos);
    EXPECT_NE(whole.output.find("data set · Explicit VR Little Endian\n"), std::string::npos);
    const auto name = sagitta("dump -k PatientName a.dcm");
    EXPECT_EQ(name.status, 0);
    EXPECT_NE(
        name.output.find("(0010,0010) PN        10   1  PatientName                       Müller^Éva\n"),
        std::string::npos)
        << name.output;
    EXPECT_EQ(name.output.find('\x1b'), std::string::npos);
    EXPECT_NE(sagitta("dump --colour a.dcm").output.find('\x1b'), std::string::npos);
}

TEST_F(Cli, DumpsTheReadablePartOfADamagedFile) {
    write_object("cut.dcm", 4);
    const auto run = sagitta("dump cut.dcm");
    EXPECT_EQ(run.status, 1);
    EXPECT_NE(run.output.find("SOPInstanceUID"), std::string::npos);
    EXPECT_NE(run.output.find("sagitta: cut.dcm: (0010,0010) is longer than the data set at byte "),
              std::string::npos);
    write("text", "This is no DICOM file.");
    EXPECT_EQ(sagitta("dump text").output, "sagitta: text: not a DICOM file: no DICM prefix, no data set\n");
    EXPECT_EQ(sagitta("dump absent").status, 1);
    EXPECT_EQ(sagitta("dump .").status, 1);
}

TEST_F(Cli, PrintsDicomJson) {
    write_object("a.dcm");
    const auto run = sagitta("json a.dcm");
    EXPECT_EQ(run.status, 0);
    EXPECT_NE(run.output.find(R"("00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Éva"}]})"),
              std::string::npos);
}

TEST_F(Cli, TellsEveryProblemOfAConfigurationWithItsLine) {
    write("bad.toml", "[node]\nport = \"104\"\n[limits]\nmax_pud = \"1MiB\"\n");
    const std::string told =
        "bad.toml:2: node.port must be a whole number, not a string\n"
        "bad.toml:4: unknown key limits.max_pud, did you mean max_pdu?\n";
    for (const std::string command : {"config check", "serve", "verify", "reindex"}) {
        const auto run = sagitta(command + " -c bad.toml");
        EXPECT_EQ(run.status, 2) << command;
        EXPECT_EQ(run.output, told) << command;
    }
}

TEST_F(Cli, ShowsTheConfigurationThatWouldHold) {
    EXPECT_TRUE(sagitta("config check").output.starts_with("# no file: flags and defaults\n[node]\n"));
    write("sagitta.toml", "[node]\nbind = \"0.0.0.0\"\n");
    const auto run = sagitta("config check --port 104 --peer PACS@10.0.0.5:11112 --set limits.max_pdu=64KiB");
    EXPECT_EQ(run.status, 0);
    EXPECT_TRUE(run.output.starts_with("# from sagitta.toml\n"));
    for (const std::string line :
         {"bind = \"0.0.0.0\"", "port = 104", "max_pdu = \"64KiB\"",
          "# - PACS calling from 10.0.0.5 may echo, store, find, move, get, commit, mpps"}) {
        EXPECT_NE(run.output.find("\n" + line + "\n"), std::string::npos) << line;
    }
}

TEST_F(Cli, DumpsEveryFileOfTheCorpus) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "no corpus beside the project";
    for (const auto& path : files) {
        const auto run = sagitta("dump '" + path.string() + "'");
        EXPECT_TRUE(run.status == 0 || run.status == 1) << path << ": " << run.status;
        EXPECT_FALSE(run.output.empty()) << path;
    }
}

}  // namespace
}  // namespace sagitta
