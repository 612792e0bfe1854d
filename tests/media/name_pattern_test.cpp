#include "media/name_pattern.h"

#include <gtest/gtest.h>

#include <string>

#include "dicom/generated/tags.h"

namespace sagitta::media {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;
using namespace std::string_literals;

std::string named(std::string_view pattern, const dicom::DataSet& header) {
    auto parsed = NamePattern::parse(pattern);
    EXPECT_TRUE(parsed) << pattern;
    return parsed ? parsed->name_of(header) : std::string();
}

dicom::DataSet somebody() {
    dicom::DataSet header;
    header.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    header.set_text(tags::PatientName, Vr::PN, "M\xfcller^Eva");
    header.set_text(tags::PatientID, Vr::LO, "../../etc/passwd");
    header.set_text(tags::StudyDate, Vr::DA, "20240301");
    header.set_text(tags::StudyDescription, Vr::LO, "CT: head/neck ");
    header.set_uint16(tags::Rows, 512);
    return header;
}

TEST(NamePattern, PutsValuesInTheirPlaces) {
    EXPECT_EQ(named("{PatientName}/{StudyDate}-{StudyDescription}/{Rows}.dcm", somebody()),
              "Müller^Eva/20240301-CT_ head_neck/512.dcm");
    EXPECT_EQ(named("a/{0008,0020}", somebody()), "a/20240301");
}

TEST(NamePattern, NothingLeadsOutOfTheFolder) {
    EXPECT_EQ(named("{PatientID}/x", somebody()), "_._.._etc_passwd/x");
    auto dots = somebody();
    for (const std::string value : {"..", ".", "...", ". .", " "}) {
        dots.set_text(tags::PatientID, Vr::LO, value);
        const auto name = named("{PatientID}/x", dots);
        EXPECT_NE(name.substr(0, name.find('/')), "..") << value;
        EXPECT_NE(name.front(), '.') << value;
        EXPECT_NE(name.front(), '/') << value;
    }
}

TEST(NamePattern, WhatIsAbsentIsALine) {
    EXPECT_EQ(named("{AccessionNumber}-{SeriesNumber}/{SOPInstanceUID}.dcm", somebody()), "_-_/_.dcm");
}

TEST(NamePattern, RefusesWhatIsNoPattern) {
    for (const auto* wrong :
         {"", "/a", "a//b", "a/../b", "./a", "a/", "{PatientNam}", "{PatientName", "PatientName}", "{}"}) {
        EXPECT_FALSE(NamePattern::parse(wrong)) << wrong;
    }
}

TEST(SafeComponent, IsSafeEverywhere) {
    EXPECT_EQ(safe_component("a\\b*c?d\"e<f>g|h\x01"), "a_b_c_d_e_f_g_h_");
    EXPECT_EQ(safe_component("name. . "), "name");
    EXPECT_EQ(safe_component("nul.dcm"), "_nul.dcm");
    EXPECT_EQ(safe_component("COM1"), "_COM1");
    EXPECT_EQ(safe_component("COMB"), "COMB");
    EXPECT_EQ(safe_component("\0"s), "_");
    EXPECT_EQ(safe_component(".hidden"), "_hidden");
}

TEST(SafeComponent, LongOnesAreCutBetweenCharactersAndKeepTheirExtension) {
    std::string umlauts;
    for (int n = 0; n < 300; ++n) umlauts += "ü";
    const auto cut = safe_component(umlauts + ".dcm");
    EXPECT_EQ(cut.size(), 200);
    EXPECT_TRUE(cut.ends_with("ü.dcm"));
    EXPECT_EQ(safe_component("x" + umlauts).size(), 199);
}

TEST(UsedNames, CollisionsAreNumberedAlsoWhereCaseDoesNotCount) {
    UsedNames names;
    EXPECT_EQ(names.take("a/b.dcm"), "a/b.dcm");
    EXPECT_EQ(names.take("a/b.dcm"), "a/b-2.dcm");
    EXPECT_EQ(names.take("A/B.dcm"), "A/B-3.dcm");
    EXPECT_EQ(names.take("a/b-2.dcm"), "a/b-2-2.dcm");
    EXPECT_EQ(names.take("a.b/c"), "a.b/c");
    EXPECT_EQ(names.take("a.b/c"), "a.b/c-2");
    const std::string longest(196, 'x');
    EXPECT_EQ(names.take(longest + ".dcm"), longest + ".dcm");
    EXPECT_EQ(names.take(longest + ".dcm"), longest.substr(2) + "-2.dcm");
}

}  // namespace
}  // namespace sagitta::media
