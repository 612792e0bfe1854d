#include "deid/deidentifier.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/bytes.h"
#include "deid/profile_file.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/path.h"
#include "dicom/walk.h"
#include "dicom/writer.h"
#include "tests/deid/sample.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Tag;
using dicom::Vr;

Deidentified applied(const Profile& profile, const dicom::DataSet& original) {
    const Deidentifier deidentifier(profile, test::pseudonyms());
    auto made = deidentifier.apply(original, dicom::explicit_vr_little_endian());
    EXPECT_TRUE(made.has_value());
    return made ? std::move(*made) : Deidentified();
}

Profile profile_from(std::string_view toml) {
    auto loaded = parse_profile(toml, "test.toml");
    EXPECT_EQ(loaded.problems, std::vector<std::string>());
    return std::move(loaded.profile);
}

OptionSet with(std::initializer_list<Option> options) {
    OptionSet set;
    for (const auto option : options) set.insert(option);
    return set;
}

TEST(Deidentifier, FirstRuleThatMatchesWinsTheTableComesLast) {
    const auto profile = profile_from(R"toml(
[[rule]]
keyword = "StudyDescription"
match = { Modality = "MR" }
action = "X"
[[rule]]
keyword = ["StudyDescription", "SeriesDescription"]
not = { PatientSex = "M" }
action = "K"
[[rule]]
tag = "(0008,103x)"
action = "set"
value = "other"
[[rule]]
keyword = "StudyDate"
action = "shift"
[[rule]]
keyword = "Manufacturer"
action = "hash"
)toml");
    auto original = test::minimal_instance();
    original.set_text(tags::Modality, Vr::CS, "CT");
    original.set_text(tags::StudyDate, Vr::DA, "20240301");
    original.set_text(tags::StudyDescription, Vr::LO, "Knee");
    original.set_text(tags::SeriesDescription, Vr::LO, "Left");
    original.set_text(tags::Manufacturer, Vr::LO, "ACME");
    original.set_text(tags::InstitutionName, Vr::LO, "Somewhere");
    auto made = applied(profile, original);
    EXPECT_EQ(made.data_set.text(tags::StudyDescription), "Knee");
    EXPECT_EQ(made.data_set.text(tags::SeriesDescription), "Left");
    EXPECT_FALSE(made.data_set.contains(tags::InstitutionName));
    EXPECT_EQ(made.data_set.text(tags::StudyDate).size(), 8u);
    EXPECT_NE(made.data_set.text(tags::StudyDate), "20240301");
    EXPECT_EQ(made.data_set.text(tags::Manufacturer).size(), 16u);
    original.set_text(tags::PatientSex, Vr::CS, "M");
    made = applied(profile, original);
    EXPECT_EQ(made.data_set.text(tags::SeriesDescription), "other");
    EXPECT_EQ(made.data_set.text(tags::StudyDescription), "other");
    original.set_text(tags::Modality, Vr::CS, "MR");
    EXPECT_FALSE(applied(profile, original).data_set.contains(tags::StudyDescription));
}

TEST(Deidentifier, WhatARuleKeepsIsKeptWithoutTheName) {
    const auto profile = profile_from("[[rule]]\nkeyword = \"StudyDescription\"\naction = \"K\"\n");
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(tags::StudyDescription, Vr::LO, "Knee of nachtigall, 1.3.2024");
    EXPECT_EQ(applied(profile, original).data_set.text(tags::StudyDescription), "Knee of , 1.3.2024");
}

TEST(Deidentifier, WhatIsFoundInTheEncodedResultIsQuarantined) {
    const auto profile = profile_from("[[rule]]\ncreator = \"ACME*\"\naction = \"K\"\n");
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(Tag(0x00090010), Vr::LO, "ACME 1.0");
    original.set(Tag(0x00091001), Vr::OB, as_bytes("\x01\x02 florence\x03"));
    const auto made = applied(profile, original);
    ASSERT_TRUE(made.quarantined.has_value());
    EXPECT_EQ(*made.quarantined, "(0009,1001) still holds a name of the original");
    EXPECT_TRUE(made.bytes.empty());
    EXPECT_TRUE(made.data_set.empty());
    EXPECT_TRUE(made.mappings.empty());
}

// (2001,xx5F) of Philips Imaging DD 001 is a sequence and safe; implicit VR does not know it.
TEST(Deidentifier, SafePrivateSequencesAreReadOutOfUn) {
    const auto item = [](std::string_view name) {
        dicom::DataSetBuilder builder;
        builder.begin_sequence(Tag(0x20011160));
        builder.begin_item();
        builder.add_text(tags::PatientName, Vr::PN, name);
        builder.add_text(tags::RepetitionTime, Vr::DS, "500");
        builder.end();
        builder.end();
        ByteBuffer out;
        EXPECT_TRUE(
            dicom::write_data_set(builder.finish(), dicom::implicit_vr_little_endian(), out).has_value());
        return std::string(as_text(out.span()));
    };
    // Tag, undefined length and the delimiter at the end are not part of the value.
    std::string value = item("Nachtigall^Florence");
    value = value.substr(8, value.size() - 16);
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(Tag(0x20010011), Vr::LO, "Philips Imaging DD 001");
    original.set(Tag(0x2001115f), Vr::UN, as_bytes(value));
    const auto made = applied(test::profile_with(with({Option::retain_safe_private})), original);
    ASSERT_FALSE(made.quarantined.has_value());
    const auto sequence = made.data_set.find(Tag(0x2001115f));
    ASSERT_TRUE(sequence && sequence->has_children());
    for (const auto& kept : sequence->children()) {
        EXPECT_EQ(kept.children().text(tags::RepetitionTime), "500");
        EXPECT_EQ(kept.children().text(tags::PatientName), made.data_set.text(tags::PatientID));
    }
}

TEST(Deidentifier, PrivateElementsStayOnlyWhenTheyAreSafe) {
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(Tag(0x00090010), Vr::LO, "ACME 1.0");
    original.set_text(Tag(0x00091001), Vr::LO, "anything");
    original.set_text(Tag(0x00430011), Vr::LO, "GEMS_PARM_01");
    original.set_text(Tag(0x00431127), Vr::SH, "1.5 Nachtigall");
    original.set_text(Tag(0x00431130), Vr::LO, "not listed");
    original.set_text(Tag(0x00451127), Vr::SH, "without a creator");
    auto made = applied(test::profile_with({}), original);
    for (const auto& element : made.data_set.elements()) EXPECT_FALSE(element.tag().is_private());
    made = applied(test::profile_with(with({Option::retain_safe_private})), original);
    EXPECT_EQ(made.data_set.text(Tag(0x00430011)), "GEMS_PARM_01");
    EXPECT_EQ(made.data_set.text(Tag(0x00431127)), "1.5");
    for (const Tag gone : {Tag(0x00431130), Tag(0x00090010), Tag(0x00091001), Tag(0x00451127)})
        EXPECT_FALSE(made.data_set.contains(gone)) << dicom::to_string(gone);
}

TEST(Deidentifier, PrivateBlocksThatTheDataSetCallsSafeStayWithTheOption) {
    auto original = test::minimal_instance();
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::PrivateDataElementCharacteristicsSequence);
    builder.begin_item();
    builder.add(tags::PrivateGroupReference, Vr::US, std::array{std::byte{0x09}, std::byte{0}});
    builder.add_text(tags::PrivateCreatorReference, Vr::LO, "ACME 1.0");
    builder.add_text(tags::BlockIdentifyingInformationStatus, Vr::CS, "MIXED");
    builder.add(tags::NonidentifyingPrivateElements, Vr::US, std::array{std::byte{0x01}, std::byte{0}});
    builder.end();
    builder.end();
    const auto stated = builder.finish();
    original.set(*stated.find(tags::PrivateDataElementCharacteristicsSequence));
    original.set_text(Tag(0x00090010), Vr::LO, "ACME 1.0");
    original.set_text(Tag(0x00091001), Vr::LO, "fine");
    original.set_text(Tag(0x00091002), Vr::LO, "not");
    auto made = applied(test::profile_with(with({Option::retain_safe_private})), original);
    EXPECT_EQ(made.data_set.text(Tag(0x00091001)), "fine");
    EXPECT_FALSE(made.data_set.contains(Tag(0x00091002)));
    EXPECT_FALSE(applied(test::profile_with({}), original).data_set.contains(Tag(0x00091001)));
}

TEST(Deidentifier, WhatNoTableListsIsDecidedByItsVr) {
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(tags::SequenceName, Vr::SH, "fl3d");
    original.set_text(tags::ImageID, Vr::SH, "Florence");
    original.set_text(tags::Manufacturer, Vr::LO, "ACME by Nachtigall");
    original.set_text(tags::ExpiryDate, Vr::DA, "20240301");
    original.set_text(tags::EvaluatorName, Vr::PN, "Semmelweis^Ignaz");
    original.set_text(Tag(0x00087777), Vr::LO, "in no dictionary");
    original.set_text(tags::InstanceNumber, Vr::IS, "Florence");
    original.set_text(tags::SliceThickness, Vr::DS, "1.25");
    const auto made = applied(test::profile_with({}), original);
    EXPECT_EQ(made.data_set.text(tags::SequenceName), "REMOVED");
    EXPECT_TRUE(made.data_set.text(tags::ImageID).starts_with("H"));
    EXPECT_EQ(made.data_set.text(tags::Manufacturer), "ACME by");
    EXPECT_EQ(made.data_set.text(tags::ExpiryDate), "20000101");
    EXPECT_EQ(made.data_set.text(tags::EvaluatorName), "REMOVED");
    EXPECT_FALSE(made.data_set.contains(Tag(0x00087777)));
    EXPECT_EQ(made.data_set.text(tags::InstanceNumber), "0");
    EXPECT_EQ(made.data_set.text(tags::SliceThickness), "1.25");
}

TEST(Deidentifier, ElementsOutOfOrderAndTwiceDoNotHide) {
    // (0020,000E) (0010,0010) (0010,0010) (0008,0016) (0008,0018): written by hand, in descending order.
    dicom::DataSetBuilder builder;
    builder.add_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3");
    builder.add_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    builder.add_text(tags::PatientName, Vr::PN, "Semmelweis^Ignaz");
    builder.add_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.2");
    builder.add_text(tags::SOPInstanceUID, Vr::UI, "1.2.4");
    const auto made = applied(test::profile_with({}), builder.finish());
    EXPECT_FALSE(made.quarantined.has_value());
    const auto bytes = as_text(made.bytes.span());
    EXPECT_EQ(bytes.find("Nachtigall"), std::string_view::npos);
    EXPECT_EQ(bytes.find("Semmelweis"), std::string_view::npos);
    dicom::ParseOptions strict;
    strict.strict = true;
    EXPECT_TRUE(
        dicom::parse_data_set(made.bytes.span(), dicom::explicit_vr_little_endian(), strict).has_value());
}

TEST(Deidentifier, BytesWhereASequenceShouldBeAreRemoved) {
    auto original = test::minimal_instance();
    original.set_text(tags::ProcedureCodeSequence, Vr::LO, "no sequence");
    original.set_text(tags::ReferencedImageSequence, Vr::UI, "1.2.3");
    const auto made = applied(test::profile_with(with({Option::clean_descriptors})), original);
    EXPECT_FALSE(made.data_set.contains(tags::ProcedureCodeSequence));
    EXPECT_FALSE(made.data_set.contains(tags::ReferencedImageSequence));
}

TEST(Deidentifier, PixelsAtRiskAreQuarantinedUnlessTheProfileSaysOtherwise) {
    auto original = test::minimal_instance();
    original.set(tags::PixelData, Vr::OW, std::array<std::byte, 2>{});
    Profile profile = test::profile_with({});
    profile.at_risk = Profile::AtRisk::quarantine;
    EXPECT_FALSE(applied(profile, original).quarantined.has_value());
    original.set_text(tags::BurnedInAnnotation, Vr::CS, "YES");
    EXPECT_TRUE(applied(profile, original).quarantined.has_value());
    EXPECT_FALSE(applied(test::profile_with({}), original).quarantined.has_value());
    original.set_text(tags::BurnedInAnnotation, Vr::CS, "NO");
    original.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.6.1");
    EXPECT_FALSE(applied(profile, original).quarantined.has_value());
    original.erase(tags::BurnedInAnnotation);
    EXPECT_TRUE(applied(profile, original).quarantined.has_value());
}

class FixedStep : public PixelStep {
public:
    explicit FixedStep(bool safe) : safe_(safe) {}
    Result<Outcome> clean(const dicom::DataSet&, const dicom::TransferSyntax&,
                          dicom::DataSet& cleaned) const override {
        cleaned.set_text(tags::BurnedInAnnotation, Vr::CS, "NO");
        return Outcome{safe_, 2};
    }

private:
    bool safe_;
};

TEST(Deidentifier, CleanPixelDataIsDoneWhenTheProfileSaysSo) {
    auto original = test::minimal_instance();
    original.set(tags::PixelData, Vr::OW, std::array<std::byte, 2>{});
    const auto profile = test::profile_with(with({Option::clean_pixel_data}));
    const auto codes = [](const Deidentified& made) {
        return made.data_set.find(tags::DeidentificationMethodCodeSequence)->node().subtree / 4;
    };
    EXPECT_EQ(codes(applied(test::profile_with({}), original)), 1u);
    EXPECT_EQ(codes(applied(profile, original)), 2u);
    original.set_text(tags::BurnedInAnnotation, Vr::CS, "YES");
    EXPECT_TRUE(applied(profile, original).quarantined.has_value());
    for (const bool safe : {true, false}) {
        const FixedStep step(safe);
        DeidentifierOptions options;
        options.pixels = &step;
        const Deidentifier deidentifier(profile, test::pseudonyms(), options);
        const auto made = deidentifier.apply(original, dicom::explicit_vr_little_endian());
        ASSERT_TRUE(made.has_value());
        EXPECT_EQ(made->quarantined.has_value(), !safe);
        if (!safe) continue;
        EXPECT_EQ(codes(*made), 2u);
        EXPECT_EQ(made->report.pixel_masks, 2u);
        EXPECT_EQ(made->data_set.text(tags::BurnedInAnnotation), "NO");
    }
}

TEST(Deidentifier, WhatStandsBehindThePixelsIsSearchedToo) {
    const auto profile = profile_from("[[rule]]\ntag = \"(7fe1,xxxx)\"\naction = \"K\"\n");
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set(tags::PixelData, Vr::OW, std::array<std::byte, 4096>{});
    original.set_text(Tag(0x7fe10010), Vr::LO, "ACME 1.0");
    original.set(Tag(0x7fe11001), Vr::OB, as_bytes("florence"));
    EXPECT_EQ(applied(profile, original).quarantined, "(7fe1,1001) still holds a name of the original");
    original.erase(Tag(0x7fe11001));
    original.set(tags::PixelData, Vr::OW, as_bytes("florence"));
    EXPECT_FALSE(applied(profile, original).quarantined.has_value());
}

// The second time nothing is removed, emptied or cut any more; pseudonyms of pseudonyms are pseudonyms.
TEST(Deidentifier, DoesNothingMoreToItsOwnResult) {
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(tags::StudyDescription, Vr::LO, "Knee of Nachtigall, 1.3.2024");
    original.set_text(tags::SeriesDate, Vr::DA, "20240301");
    original.set_text(tags::ReferringPhysicianName, Vr::PN, "Semmelweis^Ignaz");
    original.set_text(Tag(0x00090010), Vr::LO, "ACME 1.0");
    original.set_text(Tag(0x00091001), Vr::LO, "anything");
    for (const auto& options :
         {OptionSet(), with({Option::clean_descriptors, Option::retain_modified_dates})}) {
        const auto once = applied(test::profile_with(options), original);
        const auto twice = applied(test::profile_with(options), once.data_set);
        std::vector<std::string> first, second;
        dicom::walk(once.data_set, [&](const dicom::Walk& at) {
            const bool equipment = at.element().tag() == tags::ContributingEquipmentSequence;
            first.push_back(at.path_text());
            return equipment ? dicom::WalkAnswer::skip_inside : dicom::WalkAnswer::go_on;
        });
        dicom::walk(twice.data_set, [&](const dicom::Walk& at) {
            const bool equipment = at.element().tag() == tags::ContributingEquipmentSequence;
            second.push_back(at.path_text());
            return equipment ? dicom::WalkAnswer::skip_inside : dicom::WalkAnswer::go_on;
        });
        EXPECT_EQ(first, second);
        EXPECT_EQ(once.data_set.text(tags::StudyDescription), twice.data_set.text(tags::StudyDescription));
        EXPECT_TRUE(twice.report.cut.empty());
    }
}

TEST(Deidentifier, ReportNamesDecisionsAndNoValues) {
    auto original = test::minimal_instance();
    original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
    original.set_text(tags::StudyDescription, Vr::LO, "Knee of Nachtigall");
    const auto profile = test::profile_with(with({Option::clean_descriptors}));
    const auto made = applied(profile, original);
    Report report(profile, "0123456789abcdef");
    report.add(made.study_instance_uid, made.report);
    for (const std::string& text : {report.json(), report.text()}) {
        EXPECT_NE(text.find("PS3.15 2024e Table E.1-1: Z"), std::string::npos);
        EXPECT_NE(text.find("StudyDescription"), std::string::npos);
        EXPECT_EQ(text.find("Nachtigall"), std::string::npos);
        EXPECT_EQ(text.find("4711"), std::string::npos);
    }
}

}  // namespace
}  // namespace sagitta::deid
