#include "service/identifier.h"

#include <gtest/gtest.h>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/writer.h"

namespace sagitta::service {
namespace {

using dicom::Vr;
using storage::Level;
namespace tags = dicom::tags;

const dicom::Uid kStudyRootFind = *dicom::Uid::parse(dicom::uids::StudyRootQueryRetrieveInformationModelFind);
const dicom::Uid kPatientRootFind =
    *dicom::Uid::parse(dicom::uids::PatientRootQueryRetrieveInformationModelFind);

Result<Identifier> read(const dicom::DataSet& data_set, const dicom::Uid& sop_class = kStudyRootFind) {
    ByteBuffer bytes;
    EXPECT_TRUE(dicom::write_data_set(data_set, dicom::implicit_vr_little_endian(), bytes));
    return read_identifier(bytes.span(), dicom::implicit_vr_little_endian(), sop_class);
}

dicom::DataSet at_level(std::string_view level) {
    dicom::DataSet data_set;
    data_set.set_text(tags::QueryRetrieveLevel, Vr::CS, level);
    return data_set;
}

const ReturnKey* returned(const Identifier& identifier, dicom::Tag tag) {
    for (const auto& key : identifier.returns) {
        if (key.tag == tag) return &key;
    }
    return nullptr;
}

TEST(Identifier, SplitsKeysByWhoCanJudgeThem) {
    auto data_set = at_level("STUDY");
    data_set.set_text(tags::PatientName, Vr::PN, "DOE*");
    data_set.set_text(tags::StudyDate, Vr::DA, "20200101-");
    data_set.set_text(tags::StudyDescription, Vr::LO, "");
    data_set.set_text(tags::NumberOfStudyRelatedInstances, Vr::IS, "");
    data_set.set_text(tags::MedicalAlerts, Vr::LO, "");
    const auto identifier = read(data_set);
    ASSERT_TRUE(identifier) << identifier.error().message();
    EXPECT_EQ(identifier->level, Level::study);
    EXPECT_EQ(identifier->keys.size(), 2u);  // universal keys restrict nothing
    EXPECT_EQ(returned(*identifier, tags::StudyDescription)->source, Source::index);
    EXPECT_EQ(returned(*identifier, tags::NumberOfStudyRelatedInstances)->source, Source::index);
    EXPECT_EQ(returned(*identifier, tags::MedicalAlerts)->source, Source::header);
}

TEST(Identifier, WhatIsNoColumnIsLeftToTheHeader) {
    auto data_set = at_level("IMAGE");
    data_set.set_text(tags::StudyInstanceUID, Vr::UI, "1.2.3");
    data_set.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3.4");
    data_set.set_text(tags::ImageComments, Vr::LT, "");
    EXPECT_FALSE(read(data_set)->header_keys);  // a universal key restricts nothing
    data_set.set_text(tags::ImageComments, Vr::LT, "ROOM?");
    const auto identifier = read(data_set);
    ASSERT_TRUE(identifier) << identifier.error().message();
    ASSERT_TRUE(identifier->header_keys);
    dicom::DataSet header;
    header.set_text(tags::ImageComments, Vr::LT, "ROOM1");
    EXPECT_TRUE(identifier->header_keys->matches(header));
    header.set_text(tags::ImageComments, Vr::LT, "ROOM12");
    EXPECT_FALSE(identifier->header_keys->matches(header));
}

TEST(Identifier, ASequenceKeyHasOneItem) {
    auto data_set = at_level("STUDY");
    for (int items = 1; items <= 2; ++items) {
        dicom::DataSetBuilder builder;
        builder.begin_sequence(tags::ProcedureCodeSequence);
        for (int n = 0; n < items; ++n) {
            builder.begin_item();
            builder.add_text(tags::CodeValue, Vr::SH, "113100");
            builder.end();
        }
        builder.end();
        const auto made = builder.finish();
        data_set.set(*made.find(tags::ProcedureCodeSequence));
        const auto identifier = read(data_set);
        ASSERT_EQ(identifier.has_value(), items == 1);
        if (!identifier) {
            EXPECT_EQ(identifier.error().code, Errc::invalid_argument);
        }
    }
}

TEST(Identifier, LevelMustExistInTheModel) {
    for (const auto* level : {"", "STUDIES", "PATIENT"}) {
        const auto identifier = read(at_level(level));
        ASSERT_FALSE(identifier) << level;
        EXPECT_EQ(identifier.error().code, Errc::invalid_argument) << level;
    }
    EXPECT_TRUE(read(at_level("PATIENT"), kPatientRootFind));
}

TEST(Identifier, UniqueKeysOfTheLevelsAboveMustBeThere) {
    auto data_set = at_level("SERIES");
    auto missing = read(data_set);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::invalid_argument);
    EXPECT_NE(missing.error().context.find("(0020,000d)"), std::string::npos);
    data_set.set_text(tags::StudyInstanceUID, Vr::UI, "1.2.3");
    EXPECT_TRUE(read(data_set));
    EXPECT_FALSE(read(data_set, kPatientRootFind));  // Patient ID too, there
}

TEST(Identifier, ModalityAtStudyLevelAsksForModalitiesInStudy) {
    auto data_set = at_level("STUDY");
    data_set.set_text(tags::Modality, Vr::CS, "CT");
    const auto identifier = read(data_set);
    ASSERT_TRUE(identifier);
    ASSERT_EQ(identifier->keys.size(), 1u);
    EXPECT_EQ(identifier->keys[0].tag, tags::ModalitiesInStudy);
}

TEST(Identifier, RetrieveNeedsUidsNotPatterns) {
    auto data_set = at_level("STUDY");
    EXPECT_FALSE(retrieve_scope(*read(data_set)));
    data_set.set_text(tags::StudyInstanceUID, Vr::UI, "1.2.3\\1.2.4");
    const auto scope = retrieve_scope(*read(data_set));
    ASSERT_TRUE(scope) << scope.error().message();
    EXPECT_EQ(scope->study_instance_uids, (std::vector<std::string>{"1.2.3", "1.2.4"}));
    EXPECT_TRUE(scope->series_instance_uids.empty());
}

TEST(Identifier, PatientLevelRetrieveRefusesWildcards) {
    auto data_set = at_level("PATIENT");
    data_set.set_text(tags::PatientID, Vr::LO, "ABC*");
    const auto scope = retrieve_scope(*read(data_set, kPatientRootFind));
    ASSERT_FALSE(scope);
    EXPECT_EQ(scope.error().code, Errc::invalid_argument);
}

TEST(Identifier, GarbageIsAnErrorNotAQuery) {
    const std::string garbage(300, '\xfe');
    const auto identifier = read_identifier(std::as_bytes(std::span(garbage)),
                                            dicom::implicit_vr_little_endian(), kStudyRootFind);
    EXPECT_FALSE(identifier);
}

}  // namespace
}  // namespace sagitta::service
