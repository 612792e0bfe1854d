#include "deid/residue.h"

#include <gtest/gtest.h>

#include <string>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "tests/deid/sample.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

dicom::DataSet person(std::string_view charset, std::string_view name) {
    dicom::DataSet made = test::minimal_instance();
    if (!charset.empty()) made.set_text(tags::SpecificCharacterSet, Vr::CS, charset);
    made.set_text(tags::PatientName, Vr::PN, name);
    made.set_text(tags::PatientBirthDate, Vr::DA, "19500213");
    return made;
}

std::string cut(const dicom::DataSet& instance, std::string_view text) {
    ResidueCounts counts;
    const Residue residue(harvest(instance, {}));
    return residue.cut(text, {}, counts).value_or(std::string(text));
}

struct Case {
    const char* text;
    const char* left;
};

TEST(Residue, CutsNamesInEverySpelling) {
    const auto instance = person("ISO_IR 192", "Müller-Lüdenscheidt^Jörg=山田^太郎=ヤマダ^タロウ");
    for (const auto& [text, left] : {
             Case{"CT Thorax", "CT Thorax"},
             Case{"CT MÜLLER-LÜDENSCHEIDT", "CT"},
             Case{"CT of Mueller", "CT of"},
             Case{"CT of Muller, Jorg", "CT of"},
             Case{"Thorax_JOERG_nativ", "Thorax__nativ"},
             Case{"検査 山田太郎 胸部", "検査 胸部"},
             Case{"ﾔﾏﾀﾞ様", "様"},
             Case{"Jörgensen fracture", "Jörgensen fracture"},
         }) {
        EXPECT_EQ(cut(instance, text), left) << text;
    }
}

TEST(Residue, CutsWhatAShortValueLeftOfAName) {
    const auto instance = person("", "Quirrenbach^Ottokar");
    EXPECT_EQ(cut(instance, "*fl3d_Quirrenbac"), "*fl3d");
    EXPECT_EQ(cut(instance, "OttokarQuirrenbach2"), "2");
    EXPECT_EQ(cut(instance, "quirky contrast"), "quirky contrast");
}

TEST(Residue, ShortNamesAreWordsOnly) {
    const auto instance = person("", "Li^Bo");
    EXPECT_EQ(cut(instance, "Liver of Li, bone"), "Liver of , bone");
    EXPECT_EQ(cut(instance, "BO_chest"), "chest");
}

TEST(Residue, CutsIdentifiersAndDates) {
    auto instance = person("", "Doe^Jane");
    instance.set_text(tags::AccessionNumber, Vr::SH, "A-77/123");
    for (const auto& [text, left] : {
             Case{"id 4711-0815 or 47110815", "id or"},
             Case{"147110815", ""},
             Case{"acc a77123.", "acc ."},
             Case{"born 13.02.1950, seen", "born , seen"},
             Case{"born Feb 13, 1950", "born"},
             Case{"on 2024-03-01 and 1 March 2024", "on and"},
             Case{"512 x 512, 1.25 mm, 120 kV", "512 x 512, 1.25 mm, 120 kV"},
             Case{"version 1.2.3", "version 1.2.3"},
             Case{"call +43 664 5550123 now", "call now"},
             Case{"mail j.doe@example.org", "mail"},
             Case{"Prof. Dr. Semmelweis agrees", "Prof. Dr. agrees"},
         }) {
        EXPECT_EQ(cut(instance, text), left) << text;
    }
}

TEST(Residue, FindsBytesInEveryEncoding) {
    const auto instance = person("ISO_IR 144", "\xb6\xd0\xe0\xde\xd2\xde\xd2");  // "Жаровов" in ISO 8859-5
    const Residue residue(harvest(instance, {}));
    const auto finds = [&](std::string_view bytes) { return !residue.search(as_bytes(bytes), 10).empty(); };
    EXPECT_TRUE(finds("xx\xb6\xd0\xe0\xde\xd2\xde\xd2yy"));
    EXPECT_TRUE(finds("\xd0\x96\xd0\xb0\xd1\x80\xd0\xbe\xd0\xb2\xd0\xbe\xd0\xb2"));
    EXPECT_TRUE(finds("\xd0\x96\xd0\x90\xd0\xa0\xd0\x9e\xd0\x92\xd0\x9e\xd0\x92"));  // capitals
    EXPECT_TRUE(finds(std::string_view("\x16\x04\x30\x04\x40\x04\x3e\x04\x32\x04\x3e\x04\x32\x04", 14)));
    EXPECT_TRUE(finds(std::string_view("\x04\x16\x04\x30\x04\x40\x04\x3e\x04\x32\x04\x3e\x04\x32", 14)));
    EXPECT_TRUE(finds("19500213"));
    EXPECT_FALSE(finds("119500213"));
    EXPECT_FALSE(finds("nothing of that kind"));
}

TEST(Residue, NamesWhoseCharacterSetIsMissingAreFoundAsBytesAndAsLatin1) {
    const Residue residue(harvest(person("", "M\xfcllerin^Ren\xe9"), {}));
    EXPECT_FALSE(residue.search(as_bytes("x M\xfcllerin x"), 1).empty());
    EXPECT_FALSE(residue.search(as_bytes("Müllerin"), 1).empty());
}

TEST(Residue, WhatIsRetainedIsNotLookedFor) {
    auto instance = person("", "Doe^Jane");
    instance.set_text(tags::InstitutionName, Vr::LO, "General Hospital Utopia");
    OptionSet retained;
    retained.insert(Option::retain_institution);
    EXPECT_FALSE(Residue(harvest(instance, retained)).find("General Hospital Utopia").has_value());
    EXPECT_TRUE(Residue(harvest(instance, {})).find("General Hospital Utopia").has_value());
}

TEST(Identity, WithoutPatientIdNameAndBirthDateStandForIt) {
    auto one = person("", "Doe^Jane");
    one.set_text(tags::PatientID, Vr::LO, "");
    auto other = person("", "DOE^JANE");
    other.erase(tags::PatientID);
    other.set_text(tags::StudyInstanceUID, Vr::UI, "9.9");
    EXPECT_EQ(harvest(one, {}).patient, harvest(other, {}).patient);
    other.set_text(tags::PatientBirthDate, Vr::DA, "19500214");
    EXPECT_NE(harvest(one, {}).patient, harvest(other, {}).patient);
}

}  // namespace
}  // namespace sagitta::deid
