// A DICOMDIR that we write, seen by others: dcmdump and pydicom read it, and its records are those
// that dcmmkdir makes of the same folder. A missing program is a visible skip.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/bytes.h"
#include "dicom/dicomdir.h"
#include "dicom/dicomdir_writer.h"
#include "dicom/generated/tags.h"
#include "dicom/json.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

namespace fs = std::filesystem;

bool has(const char* program) {
    return std::system(fmt::format("command -v {} >/dev/null 2>&1", program).c_str()) == 0;
}

struct Ended {
    int status = -1;
    std::string output;
};

Ended run(const std::string& command) {
    Ended ended;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return ended;
    std::array<char, 4096> part{};
    while (const auto got = std::fread(part.data(), 1, part.size(), pipe))
        ended.output.append(part.data(), got);
    ended.status = pclose(pipe);
    return ended;
}

void write(const fs::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Each file's records from the root down, by File ID: types and keys as JSON.
std::map<std::string, std::string> described(const fs::path& dicomdir) {
    std::ifstream file(dicomdir, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto set = read_dicomdir(as_bytes(bytes));
    EXPECT_TRUE(set) << (set ? "" : set.error().message());
    std::map<std::string, std::string> files;
    if (!set) return files;
    EXPECT_TRUE(set->warnings.empty());
    for (const auto& record : set->records) {
        if (record.file_id.empty()) continue;
        std::string path;
        for (const auto* at = &record;; at = &set->records[at->parent]) {
            DataSet keys;
            for (const Element element : set->keys(*at)) {
                if (element.tag().group() == 0x0004 && element.tag() != tags::DirectoryRecordType &&
                    element.tag().element() < 0x1510)
                    continue;
                // Keys of type 1C and 3 that others add: the character set of text that needs none, and
                // what their profile asks of images (PS3.11).
                const bool extra =
                    element.tag() == tags::SpecificCharacterSet || element.tag() == tags::ImageType ||
                    element.tag() == tags::ReferencedImageSequence || element.tag().group() == 0x0088 ||
                    element.tag() == tags::InstitutionName || element.tag() == tags::InstitutionAddress ||
                    element.tag() == tags::PerformingPhysicianName;
                if (!extra) keys.set(element);
            }
            std::string json;
            append_json(keys, json);
            path.insert(0, json + "\n");
            if (at->parent == DirectoryRecord::kNone) break;
        }
        std::string id;
        for (const auto& component : record.file_id) id += "/" + component;
        files[id] = path;
    }
    return files;
}

class DicomdirPeers : public testing::Test {
protected:
    void SetUp() override {
        if (!fs::exists(test::shared_data())) GTEST_SKIP() << "../shared/data is not there";
        std::string pattern = (fs::temp_directory_path() / "sagitta-peers-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override {
        if (!folder_.empty()) fs::remove_all(folder_);
    }

    // Objects of every kind but `without`, under names that a file-set can hold, and their DICOMDIR.
    void gather(std::string_view without = {}) {
        DicomdirWriter writer("OURS");
        std::uint32_t number = 0;
        for (const auto& source : test::shared_objects()) {
            const auto name = fs::relative(source, test::shared_data()).string();
            const bool wanted = name.starts_with("objects/") || name.starts_with("series/") ||
                                name.starts_with("dicomdir/") || name.starts_with("charset/");
            if (!wanted) continue;
            const auto file = read_file(source.string());
            if (!file || is_dicomdir(file->layout) || !file->layout.has_preamble) continue;
            const auto* type = directory_record_type_of(file->data_set.text(tags::SOPClassUID));
            if (type != nullptr && type->name == without) continue;
            const auto id = numbered_file_id(number++);
            const auto added = writer.add(id, file->data_set, file->layout.transfer_syntax_uid);
            if (!added) {
                left_out_.push_back(name + ": " + added.error().message());
                continue;
            }
            const auto target = folder_ / id[0] / id[1] / id[2];
            fs::create_directories(target.parent_path());
            fs::copy_file(source, target);
            names_ += fmt::format(" {}/{}/{}", id[0], id[1], id[2]);
            ++files_;
        }
        const auto made = writer.finish();
        ASSERT_TRUE(made);
        write(folder_ / "DICOMDIR", made->span());
    }

    fs::path folder_;
    int files_ = 0;
    std::string names_;
    std::vector<std::string> left_out_;
};

TEST_F(DicomdirPeers, DcmdumpReadsIt) {
    gather();
    EXPECT_GT(files_, 100);
    for (const auto& name : left_out_) std::printf("  not in a file-set: %s\n", name.c_str());
    if (!has("dcmdump")) GTEST_SKIP() << "dcmdump is not here";
    const auto dumped = run(fmt::format("dcmdump -q '{}'", (folder_ / "DICOMDIR").string()));
    EXPECT_EQ(dumped.status, 0) << dumped.output.substr(0, 400);
    EXPECT_NE(dumped.output.find("Used TransferSyntax: Little Endian Explicit"), std::string::npos);
}

TEST_F(DicomdirPeers, PydicomFindsEveryFile) {
    gather("ANNOTATION");  // a type of record that pydicom 2 does not know
    const fs::path script = folder_ / "list.py";
    std::ofstream(script) << "import sys, warnings\n"
                             "try:\n    from pydicom.fileset import FileSet\n"
                             "except ImportError:\n    sys.exit(77)\n"
                             "warnings.simplefilter('ignore')\n"
                             "found = 0\n"
                             "for instance in FileSet(sys.argv[1]):\n"
                             "    found += instance.load().SOPInstanceUID == instance.SOPInstanceUID\n"
                             "print(found)\n";
    const auto listed =
        run(fmt::format("/usr/bin/python3 '{}' '{}'", script.string(), (folder_ / "DICOMDIR").string()));
    if (WIFEXITED(listed.status) && WEXITSTATUS(listed.status) == 77)
        GTEST_SKIP() << "python3-pydicom is not here";
    EXPECT_EQ(listed.output, std::to_string(files_) + "\n");
}

TEST_F(DicomdirPeers, DcmmkdirMakesTheSameRecords) {
    if (!has("dcmmkdir")) GTEST_SKIP() << "dcmmkdir is not here";
    gather();
    // In our order: the first instance of a series says what the series is.
    const auto theirs = folder_ / "THEIRS";
    const auto made = run(fmt::format("cd '{}' && dcmmkdir -W -I -Nxc -Nec -Nrc +D '{}'{}", folder_.string(),
                                      theirs.string(), names_));
    ASSERT_TRUE(fs::exists(theirs)) << made.output;
    const auto ours = described(folder_ / "DICOMDIR");
    const auto other = described(theirs);
    EXPECT_EQ(ours.size(), static_cast<std::size_t>(files_));
    int compared = 0;
    for (const auto& [id, records] : other) {
        const auto found = ours.find(id);
        ASSERT_NE(found, ours.end()) << id;
        EXPECT_EQ(found->second, records) << id;
        ++compared;
    }
    RecordProperty("files", compared);
    EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace sagitta::dicom
