// The parser and the writer over real files. What an independent reader (pydicom, DCMTK, GDCM) saw
// is in expected/*.json; our tags must be theirs.
#include <cstdio>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

nlohmann::json oracle_of(const std::filesystem::path& path) {
    auto expected = test::shared_data() / "expected" / std::filesystem::relative(path, test::shared_data());
    expected += ".json";
    if (!std::filesystem::exists(expected)) return {};
    return nlohmann::json::parse(contents(expected));
}

std::set<std::string> top_level_tags(const DataSet& data_set) {
    std::set<std::string> tags;
    for (const Element element : data_set.elements()) {
        char text[9];
        std::snprintf(text, sizeof text, "%08X", element.tag().value);
        tags.insert(text);
    }
    return tags;
}

TEST(Corpus, TopLevelTagsAreThoseAnIndependentReaderSaw) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& path : files) {
        const auto oracle = oracle_of(path);
        const auto status = oracle.is_null() ? std::string() : oracle["parse"].value("status", "");
        if (status != "ok" || path.parent_path().filename() == "malformed") continue;
        if (path.filename() == "synth_dicm_at_0.dcm") continue;  // pydicom takes the prefix for an element
        SCOPED_TRACE(path.string());
        ParseOptions options;
        options.keep_readable_part = true;
        auto parsed = read_file(path.string(), options);
        if (!parsed) {
            ADD_FAILURE() << parsed.error().message();
            continue;
        }
        std::set<std::string> expected;
        for (const auto& [tag, value] : oracle["dataset"].items()) expected.insert(tag);
        EXPECT_EQ(top_level_tags(parsed->data_set), expected);
        ++compared;
    }
    EXPECT_GT(compared, 350);
}

TEST(Corpus, WritingWhatWasReadGivesTheSameBytes) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& path : files) {
        auto parsed = read_file(path.string());
        if (!parsed || !parsed->warnings.empty() || parsed->layout.syntax->deflated) continue;
        const auto original = contents(path).substr(parsed->layout.data_set_offset);
        ByteBuffer written;
        ASSERT_TRUE(write_data_set(parsed->data_set, *parsed->layout.syntax, written));
        if (as_text(written.span()) != original) {
            ADD_FAILURE() << path << " " << written.size() << " of " << original.size();
            continue;
        }
        ++compared;
    }
    EXPECT_GT(compared, 350);
}

TEST(Corpus, CopiedElementsConvertBetweenByteOrdersAndBack) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& path : files) {
        auto parsed = read_file(path.string());
        if (!parsed || !parsed->warnings.empty() || parsed->layout.syntax != &explicit_vr_little_endian())
            continue;
        DataSet copy;
        for (const Element element : parsed->data_set.elements()) copy.set(element);
        const auto& big = *find_transfer_syntax("1.2.840.10008.1.2.2");
        ByteBuffer there;
        ByteBuffer back;
        if (!write_data_set(copy, big, there)) continue;
        auto reread = parse_data_set(there.span(), big);
        ASSERT_TRUE(reread) << path << reread.error().message();
        ASSERT_TRUE(write_data_set(reread->data_set, explicit_vr_little_endian(), back));
        ByteBuffer straight;
        ASSERT_TRUE(write_data_set(copy, explicit_vr_little_endian(), straight));
        EXPECT_TRUE(as_text(back.span()) == as_text(straight.span())) << path;
        ++compared;
    }
    EXPECT_GT(compared, 120);
}

TEST(Corpus, MalformedFilesEndInAnErrorOrAReadablePart) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    for (const auto& path : files) {
        if (path.parent_path().filename() != "malformed") continue;
        const auto strict = read_file(path.string());
        if (!strict) {
            EXPECT_FALSE(strict.error().context.empty()) << path;
        }
        ParseOptions options;
        options.keep_readable_part = true;
        (void)read_file(path.string(), options);
    }
}

}  // namespace
}  // namespace sagitta::dicom
