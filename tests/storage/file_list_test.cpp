// Archives with `layout = "files"`: the tree, the list, and what happens when they are not as they were.
#include "storage/file_list.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/maintenance.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

namespace fs = std::filesystem;

ArchiveOptions one_each() {
    ArchiveOptions options;
    options.layout = StorageLayout::files;
    return options;
}

Sample numbered(int n) {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = std::string(static_cast<std::size_t>(n), 'x');
    return sample;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void fill(const std::string& path, int count) {
    auto archive = open_archive(path, one_each());
    for (int n = 1; n <= count; ++n) ASSERT_EQ(*put(*archive, numbered(n)), IngestOutcome::stored);
}

void expect_all(const std::string& path, int count) {
    auto archive = open_archive(path, one_each());
    ASSERT_NE(archive, nullptr);
    EXPECT_EQ(archive->index().counts()->instances, static_cast<std::uint64_t>(count));
    for (int n = 1; n <= count; ++n)
        EXPECT_EQ(served(*archive, numbered(n).sop_uid), file_bytes(numbered(n)));
}

std::size_t problems(const std::string& path) {
    const auto report = verify(path, {});
    EXPECT_TRUE(report);
    return report ? report->problems : 1000;
}

TEST(Files, LieWhereTheirUidsSay) {
    TemporaryDirectory directory;
    fill(directory.path(), 3);
    EXPECT_EQ(text_of(directory.path() + "/files/1.2.3/1.2.3.4/1.2.3.4.2.dcm"), file_bytes(numbered(2)));
    EXPECT_FALSE(fs::exists(directory.path() + "/volumes"));
    EXPECT_EQ(problems(directory.path()), 0u);
    expect_all(directory.path(), 3);
}

TEST(Files, AreStoredOnceAndOtherContentIsKeptAside) {
    TemporaryDirectory directory;
    auto archive = open_archive(directory.path(), one_each());
    ASSERT_EQ(*put(*archive, numbered(1)), IngestOutcome::stored);
    EXPECT_EQ(*put(*archive, numbered(1)), IngestOutcome::duplicate_identical);
    auto other = numbered(1);
    other.content = "other";
    EXPECT_EQ(*put(*archive, other), IngestOutcome::conflict_quarantined);
    EXPECT_EQ(served(*archive, numbered(1).sop_uid), file_bytes(numbered(1)));
}

TEST(Files, ALostIndexOrListIsMadeAgain) {
    for (const auto& lost : std::vector<std::vector<std::string>>{
             {"index.sqlite"}, {"files.tsv"}, {"index.sqlite", "files.tsv"}}) {
        TemporaryDirectory directory;
        fill(directory.path(), 5);
        for (const auto& name : lost) fs::remove(directory.path() + "/" + name);
        expect_all(directory.path(), 5);
        EXPECT_EQ(problems(directory.path()), 0u) << lost.front();
        ASSERT_TRUE(reindex(directory.path(), {}));
        expect_all(directory.path(), 5);
    }
}

TEST(Files, ADamagedListIsMadeAgain) {
    TemporaryDirectory directory;
    fill(directory.path(), 5);
    auto text = text_of(directory.path() + "/files.tsv");
    text[text.size() / 2] = '\1';
    std::ofstream(directory.path() + "/files.tsv", std::ios::binary) << text;
    EXPECT_NE(problems(directory.path()), 0u);
    ASSERT_TRUE(reindex(directory.path(), {}));
    EXPECT_EQ(problems(directory.path()), 0u);
    expect_all(directory.path(), 5);
}

TEST(Files, DamageIsFound) {
    TemporaryDirectory directory;
    fill(directory.path(), 4);
    const auto folder = directory.path() + "/files/1.2.3/1.2.3.4/";
    auto bytes = text_of(folder + "1.2.3.4.2.dcm");
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    std::ofstream(folder + "1.2.3.4.2.dcm", std::ios::binary) << bytes;
    EXPECT_EQ(problems(directory.path()), 1u);
    fs::remove(folder + "1.2.3.4.3.dcm");
    EXPECT_EQ(problems(directory.path()), 2u);
}

TEST(Files, AnArchiveKeepsItsLayout) {
    TemporaryDirectory directory;
    fill(directory.path(), 1);
    ArchiveOptions options;
    options.data_dir = directory.path();
    EXPECT_EQ(Archive::open(options).error().code, Errc::unsupported);
    TemporaryDirectory other;
    ASSERT_EQ(*put(*open_archive(other.path()), numbered(1)), IngestOutcome::stored);
    options = one_each();
    options.data_dir = other.path();
    EXPECT_EQ(Archive::open(options).error().code, Errc::unsupported);
}

TEST(Files, NothingIsReplaced) {
    TemporaryDirectory directory;
    auto options = one_each();
    options.data_dir = directory.path();
    options.on_conflict = OnConflict::replace;
    EXPECT_EQ(Archive::open(options).error().code, Errc::invalid_argument);
}

TEST(ListLine, SaysWhatItWasMadeOf) {
    const ListedFile file{"1.2/1.2.3/1.2.3.4.dcm", 12345, 0xfedcba9876543210u, 1700000000};
    const auto line = make_list_line(file);
    EXPECT_EQ(line, "12345\tfedcba9876543210\t1700000000\t1.2/1.2.3/1.2.3.4.dcm\n");
    const auto read = parse_list_line(std::string_view(line).substr(0, line.size() - 1));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->path, file.path);
    EXPECT_EQ(read->length, file.length);
    EXPECT_EQ(read->checksum, file.checksum);
    EXPECT_EQ(read->received, file.received);
    const std::string uid(64, '1');
    EXPECT_LE(
        make_list_line({uid + "/" + uid + "/" + uid + ".dcm", UINT64_MAX, UINT64_MAX, INT64_MIN}).size(),
        kLongestListLine);
}

class ListNote : public ::testing::Test {
protected:
    std::vector<ListLine> read(const std::string& text) {
        std::ofstream(path_, std::ios::binary) << text;
        auto list = real_file_system().open(path_, OpenMode::read);
        std::vector<ListLine> lines;
        EXPECT_TRUE(read_list(**list, 0, [&](const ListLine& line) -> Result<void> {
            lines.push_back(line);
            return {};
        }));
        return lines;
    }
    static std::string text(int count) {
        std::vector<NoteLine> lines;
        for (int n = 0; n < count; ++n) {
            NoteLine line;
            line.study_uid = "1.2";
            line.series_uid = "1.2.3";
            line.sop_uid = fmt::format("1.2.3.{}", n);
            line.volume = 1;
            lines.push_back(line);
        }
        return note_text(lines);
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_.path() + "/list";
    const std::string file_line_ = make_list_line({"1.2/1.2.3/1.2.3.4.dcm", 1, 2, 3});
};

TEST_F(ListNote, IsReadAsOne) {
    for (const int count : {1, 7, 40'000}) {
        const auto note = make_list_note(text(count));
        const auto lines = read(file_line_ + note + file_line_);
        ASSERT_EQ(lines.size(), 3u) << count;
        ASSERT_TRUE(lines[1].note);
        EXPECT_EQ(lines[1].note->lines.size(), static_cast<std::size_t>(count));
        EXPECT_EQ(lines[1].note->offset + lines[1].note->length, lines[1].end);
        EXPECT_EQ(lines[2].offset, lines[1].end);
        EXPECT_TRUE(lines[2].file);
    }
}

TEST_F(ListNote, IsNoneWhenAnythingOfItIsMissingOrOther) {
    const auto note = make_list_note(text(3));
    for (std::size_t length = 1; length < note.size(); ++length) {
        for (const auto& line : read(file_line_ + note.substr(0, length)))
            EXPECT_EQ(line.is_ours(), line.offset == 0) << length;
    }
    for (std::size_t at = 0; at < note.size(); ++at) {
        auto wrong = note;
        wrong[at] = '7';
        if (wrong == note) continue;
        for (const auto& line : read(wrong)) EXPECT_FALSE(line.is_ours()) << at;
    }
}

TEST_F(ListNote, OfALaterVersionIsKnownAsSuch) {
    const auto lines = read(make_list_note("blessed\t1.2\n") + file_line_);
    ASSERT_EQ(lines.size(), 2u);
    ASSERT_TRUE(lines[0].note);
    EXPECT_FALSE(lines[0].note->is_understood);
    EXPECT_TRUE(lines[1].file);
}

TEST(ListLine, LeadsNowhereElse) {
    for (const auto* path : {"1/2/3", "1/2/../3.dcm", "../2/3.dcm", "/1/2/3.dcm", "1/2.dcm", "1/2/3/4.dcm",
                             "1//3.dcm", "a/2/3.dcm", "1/2/.dcm", ""}) {
        EXPECT_FALSE(is_listed_path(path)) << path;
        EXPECT_FALSE(parse_list_line(fmt::format("1\t1\t1\t{}", path))) << path;
    }
    EXPECT_TRUE(is_listed_path("1/2/3.dcm"));
}

}  // namespace
}  // namespace sagitta::storage::testing
