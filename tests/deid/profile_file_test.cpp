#include "deid/profile_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deid/explain.h"
#include "dicom/generated/tags.h"

namespace sagitta::deid {
namespace {

TEST(ProfileFile, ReadsEveryKey) {
    const auto loaded = parse_profile(R"toml(
name = "mine"
base = "basic"
options = ["retain-uids", "clean-descriptors"]
unknown = "clean"
at_risk = "keep"
encapsulated = "keep"
[pseudonyms]
table = "t.csv"
missing = "refuse"
[[rule]]
tag = ["(60xx,3000)", "0008103e"]
keyword = ["StudyDescription", "*Comments"]
creator = "ACME*"
vr = "LO"
match = { Modality = ["CT", "MR"], StudyDescription = "*CHEST*" }
not = { BodyPartExamined = "HEAD" }
action = "set"
value = "x"
)toml",
                                      "dir/p.toml");
    EXPECT_EQ(loaded.problems, std::vector<std::string>());
    const Profile& profile = loaded.profile;
    EXPECT_EQ(profile.name, "mine");
    EXPECT_TRUE(profile.options.contains(Option::retain_uids));
    EXPECT_FALSE(profile.options.contains(Option::retain_device));
    EXPECT_EQ(profile.unknown, Profile::Unknown::clean);
    EXPECT_EQ(profile.at_risk, Profile::AtRisk::keep);
    EXPECT_EQ(profile.encapsulated, Profile::Encapsulated::keep);
    EXPECT_EQ(profile.pseudonym_table, "dir/t.csv");
    EXPECT_TRUE(profile.table_only);
    ASSERT_EQ(profile.rules.size(), 1u);
    EXPECT_EQ(profile.rules[0].tags.size(), 3u);
    EXPECT_EQ(profile.rules[0].line, 11u);
    EXPECT_EQ(profile.digest.size(), 64u);
}

TEST(ProfileFile, SaysWhereEveryProblemIs) {
    struct Case {
        const char* toml;
        const char* problem;
    };
    for (const auto& [toml, problem] : {
             Case{"nmae = \"x\"", "p.toml:1: unknown key 'nmae': did you mean 'name'?"},
             Case{"\nbase = \"none\"", "p.toml:2: base must be"},
             Case{"options = [\n\"retain-uid\"]",
                  "p.toml:2: unknown option 'retain-uid': did you mean 'retain-uids'?"},
             Case{"options = [\"retain-full-dates\", \"retain-modified-dates\"]",
                  "p.toml:1: retain-full-dates and"},
             Case{"at_risk = true", "p.toml:1: at_risk must be a string"},
             Case{"at_risk = \"drop\"", "p.toml:1: at_risk must be one of: quarantine, keep"},
             Case{"[[rule]]\nkeyword = \"PatientNam\"\naction = \"X\"",
                  "p.toml:2: 'PatientNam' is no keyword of PS3.6: did you mean 'PatientName'?"},
             Case{"[[rule]]\ntag = \"(0010,zz10)\"\naction = \"X\"", "p.toml:2: '(0010,zz10)' is no tag"},
             Case{"[[rule]]\nvr = \"XX\"\naction = \"X\"", "p.toml:2: 'XX' is no VR"},
             Case{"[[rule]]\nvr = \"LO\"", "p.toml:1: this [[rule]] has no action"},
             Case{"[[rule]]\naction = \"X\"", "p.toml:1: this [[rule]] names no attribute"},
             Case{"[[rule]]\nvr = \"LO\"\naction = \"Q\"", "p.toml:3: action must be one of"},
             Case{"[[rule]]\nvr = \"LO\"\naction = \"X\"\nvalue = \"x\"", "p.toml:1: a value belongs to"},
             Case{"[[rule]]\nvr = \"LO\"\naction = \"X\"\nmatch = { Modalty = \"CT\" }",
                  "p.toml:4: match: 'Modalty' is no keyword"},
             Case{"rule = 1", "p.toml:1: rules are written [[rule]]"},
             Case{"name = ", "p.toml:1:"},
         }) {
        const auto loaded = parse_profile(toml, "p.toml");
        ASSERT_FALSE(loaded.problems.empty()) << toml;
        EXPECT_TRUE(loaded.problems.front().starts_with(problem)) << loaded.problems.front();
    }
}

TEST(ProfileFile, PixelRulesMatchNumbersToo) {
    const auto loaded = parse_profile(R"toml(
options = ["clean-pixel-data"]
[[pixel]]
match = { Modality = "US", Rows = ["480", "600"] }
action = "mask"
areas = [[0, 0, 800, 40]]
)toml",
                                      "p.toml");
    ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front();
    ASSERT_EQ(loaded.profile.pixels.size(), 1u);
    dicom::DataSet image;
    image.set_text(dicom::tags::Modality, dicom::Vr::CS, "US");
    image.set_uint16(dicom::tags::Columns, 800);
    for (const std::uint16_t rows : {std::uint16_t{600}, std::uint16_t{601}}) {
        image.set_uint16(dicom::tags::Rows, rows);
        const auto areas = pixel_areas(image, loaded.profile.pixels);
        ASSERT_TRUE(areas.has_value());
        EXPECT_EQ(areas->rule.has_value(), rows == 600);
    }
}

TEST(ProfileFile, ThoseThatComeWithTheProgramAreRight) {
    for (const auto* name : {"basic", "research-longitudinal", "ai-routing", "keep-descriptors"}) {
        const auto loaded = load_profile(std::string(SAGITTA_SOURCE_DIR "/config/deid/") + name + ".toml");
        EXPECT_EQ(loaded.problems, std::vector<std::string>()) << name;
        EXPECT_EQ(loaded.profile.name, name);
    }
}

TEST(Explain, NamesTheRuleOrTheTable) {
    auto loaded = parse_profile(
        "[[rule]]\nkeyword = \"*Description\"\nmatch = { Modality = \"CT\" }\naction = \"K\"\n", "p.toml");
    const auto lines = explain(loaded.profile, dicom::tags::StudyDescription);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[1], "rule 1 (p.toml:1): K, where its conditions hold");
    EXPECT_EQ(lines[2], "PS3.15 2024e Table E.1-1: X: X");
    const auto by_type = explain(loaded.profile, dicom::tags::AcquisitionDateTime);
    EXPECT_EQ(by_type.size(), 5u);
}

}  // namespace
}  // namespace sagitta::deid
