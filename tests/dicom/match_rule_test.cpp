#include "dicom/match_rule.h"

#include <gtest/gtest.h>

#include <vector>

#include "dicom/generated/tags.h"

namespace sagitta::dicom {
namespace {

DataSet instance(std::string_view modality, std::string_view description) {
    DataSet made;
    made.set_text(tags::Modality, Vr::CS, modality);
    made.set_text(tags::StudyDescription, Vr::LO, description);
    return made;
}

TEST(MatchRule, WithoutConditionsMatchesEverything) {
    const MatchRule rule;
    EXPECT_FALSE(rule.is_conditional());
    EXPECT_TRUE(rule.matches(DataSet()));
}

TEST(MatchRule, AllThatIsRequiredAndNothingThatIsExcluded) {
    MatchRule rule;
    const std::vector<KeywordCondition> wanted{{"Modality", {"CT", "MR"}}, {"StudyDescription", {"*CHEST*"}}};
    const std::vector<KeywordCondition> unwanted{{"StudyDescription", {"*PHANTOM*"}}, {"PatientID", {"QA*"}}};
    ASSERT_TRUE(rule.require(wanted));
    ASSERT_TRUE(rule.exclude(unwanted));
    EXPECT_TRUE(rule.is_conditional());
    EXPECT_TRUE(rule.matches(instance("MR", "CHEST ROUTINE")));
    EXPECT_FALSE(rule.matches(instance("US", "CHEST ROUTINE")));
    EXPECT_FALSE(rule.matches(instance("CT", "HEAD")));
    EXPECT_FALSE(rule.matches(instance("CT", "CHEST PHANTOM")));
    auto quality = instance("CT", "CHEST");
    quality.set_text(tags::PatientID, Vr::LO, "QA7");
    EXPECT_FALSE(rule.matches(quality));
}

TEST(MatchRule, WrongKeywordsAndValuesAreErrors) {
    MatchRule rule;
    const std::vector<KeywordCondition> misspelt{{"Modalty", {"CT"}}};
    const auto wrong = rule.require(misspelt);
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().context.find("did you mean 'Modality'"), std::string::npos);
    const std::vector<KeywordCondition> no_date{{"StudyDate", {"2024-13"}}};
    EXPECT_FALSE(rule.exclude(no_date));
}

}  // namespace
}  // namespace sagitta::dicom
