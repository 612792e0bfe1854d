#include "dicom/write_file.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/bytes.h"

namespace sagitta::dicom {
namespace {

namespace fs = std::filesystem;

class WriteFile : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "sagitta-write-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string content(const std::string& name) const {
        std::ifstream file(folder_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }
    Result<void> write(const std::string& name, std::string_view first, std::string_view second,
                       IfFileExists if_exists = IfFileExists::refuse) {
        const std::array parts{as_bytes(first), as_bytes(second)};
        return write_file((folder_ / name).string(), parts, if_exists);
    }

    fs::path folder_;
};

TEST_F(WriteFile, WritesTheWholeFileAndNothingElse) {
    ASSERT_TRUE(write("a", "one", "two"));
    EXPECT_EQ(content("a"), "onetwo");
    EXPECT_EQ(files(), 1u);
    struct stat about {};
    ASSERT_EQ(stat((folder_ / "a").c_str(), &about), 0);
    const mode_t mask = umask(022);
    umask(mask);
    EXPECT_EQ(about.st_mode & 0777u, 0666u & ~mask);
}

TEST_F(WriteFile, NeverReplacesWhatItMustNot) {
    ASSERT_TRUE(write("a", "old", ""));
    const auto refused = write("a", "new", "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::already_exists);
    EXPECT_EQ(content("a"), "old");
    // A link to nowhere is something that is there, too.
    fs::create_symlink("nowhere", folder_ / "link");
    EXPECT_FALSE(write("link", "new", ""));
    EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
    EXPECT_EQ(files(), 2u);
}

TEST_F(WriteFile, ReplacesWholeFilesForThoseWhoAsk) {
    ASSERT_TRUE(write("a", "old", ""));
    std::ifstream reader(folder_ / "a");
    ASSERT_TRUE(write("a", "new", "er", IfFileExists::replace));
    EXPECT_EQ(content("a"), "newer");
    std::string still;
    reader >> still;
    EXPECT_EQ(still, "old");
    EXPECT_EQ(files(), 1u);
}

TEST_F(WriteFile, FailuresLeaveNothingBehind) {
    const auto nowhere = write("no/such/folder/a", "x", "");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, Errc::not_found);
    ASSERT_TRUE(write("a", "old", ""));

    // The file may not grow that far: the write fails in the middle.
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit tight = before;
    tight.rlim_cur = 10;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const auto failed = write("a", "0123456", "789abcdef", IfFileExists::replace);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::io_failure);
    EXPECT_EQ(content("a"), "old");
    EXPECT_EQ(files(), 1u);
}

TEST_F(WriteFile, LongFileIsThereOnlyWhenCommitted) {
    const auto path = (folder_ / "long").string();
    {
        auto abandoned = NewFile::create(path);
        ASSERT_TRUE(abandoned);
        ASSERT_TRUE(abandoned->append(as_bytes("half")));
    }
    EXPECT_EQ(files(), 0u);
    auto file = NewFile::create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append(as_bytes("0000 and ")));
    ASSERT_TRUE(file->append(as_bytes("more")));
    ASSERT_TRUE(file->overwrite(0, as_bytes("1234")));
    EXPECT_FALSE(fs::exists(path));
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(content("long"), "1234 and more");
    EXPECT_EQ(files(), 1u);
    const auto again = NewFile::create(path);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::already_exists);
}

}  // namespace
}  // namespace sagitta::dicom
