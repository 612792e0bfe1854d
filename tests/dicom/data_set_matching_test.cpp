#include "dicom/data_set_matching.h"

#include <array>
#include <bit>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "tests/dicom/matching_cases.h"

namespace sagitta::dicom {
namespace {

Tag tag_of(Vr vr) {
    static const std::map<Vr, Tag> kTags = {
        {Vr::AE, tags::StationAETitle}, {Vr::AS, tags::PatientAge},      {Vr::CS, tags::Modality},
        {Vr::DA, tags::StudyDate},      {Vr::DS, tags::SliceThickness},  {Vr::DT, tags::AcquisitionDateTime},
        {Vr::IS, tags::InstanceNumber}, {Vr::LO, tags::PatientID},       {Vr::LT, tags::PatientComments},
        {Vr::PN, tags::PatientName},    {Vr::SH, tags::AccessionNumber}, {Vr::TM, tags::StudyTime},
        {Vr::UC, tags::LongCodeValue},  {Vr::UI, tags::SOPInstanceUID},  {Vr::UR, tags::RetrieveURL},
        {Vr::US, tags::Rows},           {Vr::UT, tags::LabelText},
    };
    return kTags.at(vr);
}

void set(DataSet& data_set, Tag tag, Vr vr, std::string_view value) {
    if (vr == Vr::US)
        return data_set.set_uint16(tag, static_cast<std::uint16_t>(std::stoi(std::string(value))));
    data_set.set_text(tag, vr, value);
}

// The table that proves one value proves whole data sets.
TEST(DataSetMatching, EveryCaseOfTheTable) {
    for (const auto& row : test::kMatchCases) {
        SCOPED_TRACE(std::string(to_string(row.vr)) + " key '" + std::string(row.key) + "' stored '" +
                     std::string(row.stored) + "'");
        DataSet identifier;
        DataSet instance;
        identifier.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        instance.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        set(identifier, tag_of(row.vr), row.vr, row.key);
        set(instance, tag_of(row.vr), row.vr, row.stored);
        const auto matched = matches(identifier, instance);
        if (row.expect == test::Expect::invalid) {
            EXPECT_TRUE(!matched && matched.error().code == Errc::invalid_argument);
            continue;
        }
        ASSERT_TRUE(matched.has_value()) << matched.error().message();
        EXPECT_EQ(*matched, row.expect == test::Expect::match);
        if (!row.stored.empty()) continue;
        instance.erase(tag_of(row.vr));
        EXPECT_EQ(*matches(identifier, instance), *matched) << "absent is as empty";
    }
}

TEST(DataSetMatching, EveryCaseOfTheTableOfExtensions) {
    const MatchOptions options{false, true, true};
    for (const auto& row : test::kExtendedCases) {
        SCOPED_TRACE(std::string(to_string(row.vr)) + " key '" + std::string(row.key) + "' stored '" +
                     std::string(row.stored) + "'");
        DataSet identifier;
        DataSet instance;
        identifier.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        instance.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        set(identifier, tag_of(row.vr), row.vr, row.key);
        set(instance, tag_of(row.vr), row.vr, row.stored);
        EXPECT_EQ(*matches(identifier, instance, options), row.expect == test::Expect::match);
    }
}

TEST(DataSetMatching, EveryDateWithItsTimeOfTheTable) {
    for (const auto& row : test::kDateTimeCases) {
        SCOPED_TRACE(std::string(row.date_key) + " " + std::string(row.time_key) + " of " +
                     std::string(row.date) + " " + std::string(row.time));
        DataSet identifier;
        DataSet instance;
        set(identifier, tags::StudyDate, Vr::DA, row.date_key);
        set(identifier, tags::StudyTime, Vr::TM, row.time_key);
        set(instance, tags::StudyDate, Vr::DA, row.date);
        set(instance, tags::StudyTime, Vr::TM, row.time);
        EXPECT_EQ(*matches(identifier, instance, {true, false, false}), row.matches);
    }
}

TEST(DataSetMatching, NeedsEveryKey) {
    DataSet instance;
    instance.set_text(tags::Modality, Vr::CS, "CT");
    instance.set_text(tags::PatientID, Vr::LO, "P1");
    DataSet identifier;
    EXPECT_EQ(matches(identifier, instance).value(), true) << "no key at all";
    identifier.set_text(tags::Modality, Vr::CS, "CT\\MR");
    identifier.set_text(tags::PatientName, Vr::PN, "");
    EXPECT_EQ(matches(identifier, instance).value(), true);
    identifier.set_text(tags::PatientID, Vr::LO, "P2");
    EXPECT_EQ(matches(identifier, instance).value(), false);
}

TEST(DataSetMatching, LeavesAsideWhatIsNoKey) {
    DataSet identifier;
    identifier.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    identifier.set_text(tags::QueryRetrieveLevel, Vr::CS, "STUDY");
    identifier.set_text(tags::TimezoneOffsetFromUTC, Vr::SH, "+0100");
    identifier.set_uint32(Tag(0x00080000u), 10);
    EXPECT_EQ(matches(identifier, DataSet()).value(), true);
}

TEST(DataSetMatching, DecodesBothSidesByTheirOwnCharacterSets) {
    DataSet latin;
    latin.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    latin.set_text(tags::PatientID, Vr::LO, "\xfc");  // ü
    DataSet utf8;
    utf8.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
    utf8.set_text(tags::PatientID, Vr::LO, "ü");
    DataSet greek;
    greek.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 126");
    greek.set_text(tags::PatientID, Vr::LO, "\xfc");  // ό
    EXPECT_EQ(matches(latin, utf8).value(), true);
    EXPECT_EQ(matches(utf8, latin).value(), true);
    EXPECT_EQ(matches(latin, greek).value(), false) << "the same byte is another letter";

    DataSet japanese;  // a multi-byte character holds the byte of a backslash
    japanese.set_text(tags::SpecificCharacterSet, Vr::CS, "\\ISO 2022 IR 87");
    japanese.set_text(tags::PatientID, Vr::LO, "\x1b$B$\\\x1b(B");  // ぼ
    DataSet key;
    key.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
    key.set_text(tags::PatientID, Vr::LO, "ぼ");
    EXPECT_EQ(matches(key, japanese).value(), true);
}

DataSet scheduled(std::initializer_list<std::array<const char*, 2>> steps,
                  const char* modality_sequence = nullptr) {
    DataSetBuilder builder;
    builder.add_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    builder.begin_sequence(tags::ScheduledProcedureStepSequence);
    for (const auto& [modality, station] : steps) {
        builder.begin_item();
        builder.add_text(tags::Modality, Vr::CS, modality);
        builder.add_text(tags::ScheduledStationAETitle, Vr::AE, station);
        if (modality_sequence != nullptr) {
            builder.begin_sequence(tags::ScheduledProtocolCodeSequence);
            builder.begin_item();
            builder.add_text(tags::CodeMeaning, Vr::LO, modality_sequence);
            builder.end();
            builder.end();
        }
        builder.end();
    }
    builder.end();
    return builder.finish();
}

// PS3.4 C.2.2.2.6
TEST(DataSetMatching, OfSequencesNeedsOneItemThatHoldsAll) {
    const DataSet instance = scheduled({{"CT", "STATION1"}, {"MR", "STATION2"}});
    EXPECT_EQ(matches(scheduled({{"CT", "STATION1"}}), instance).value(), true);
    EXPECT_EQ(matches(scheduled({{"MR", "STATION2"}}), instance).value(), true);
    EXPECT_EQ(matches(scheduled({{"CT", "STATION2"}}), instance).value(), false)
        << "in two items, not in one";
    EXPECT_EQ(matches(scheduled({{"", "STATION?"}}), instance).value(), true);
    EXPECT_EQ(matches(scheduled({{"", ""}}), instance).value(), true);
    EXPECT_EQ(matches(scheduled({{"", ""}}), DataSet()).value(), true) << "universal, also when absent";
    EXPECT_EQ(matches(scheduled({}), DataSet()).value(), true);
    EXPECT_EQ(matches(scheduled({{"CT", ""}}), DataSet()).value(), false);
    EXPECT_EQ(matches(scheduled({{"CT", ""}}), scheduled({})).value(), false);
    const auto two = matches(scheduled({{"CT", ""}, {"MR", ""}}), instance);
    ASSERT_FALSE(two.has_value());
    EXPECT_EQ(two.error().code, Errc::invalid_argument);
    EXPECT_NE(two.error().message().find("(0040,0100)"), std::string::npos);
}

TEST(DataSetMatching, GoesIntoSequencesOfSequences) {
    const DataSet instance = scheduled({{"CT", "STATION1"}},
                                       "Sch\xe4"
                                       "del");
    EXPECT_EQ(matches(scheduled({{"CT", ""}}, "Sch?del"), instance).value(), true);
    EXPECT_EQ(matches(scheduled({{"CT", ""}}, "Thorax"), instance).value(), false);
    EXPECT_EQ(matches(scheduled({{"MR", ""}}, "Sch?del"), instance).value(), false);
    EXPECT_EQ(matches(scheduled({{"", ""}}, "Sch?del"), scheduled({{"CT", "STATION1"}})).value(), false);
    EXPECT_EQ(matches(scheduled({{"", ""}}, ""), DataSet()).value(), true);
}

TEST(DataSetMatching, GoesAsDeepAsTheIdentifier) {
    constexpr int kDepth = 5000;
    DataSetBuilder builder;
    for (int n = 0; n < kDepth; ++n) {
        builder.begin_sequence(tags::ContentSequence);
        builder.begin_item();
    }
    builder.add_text(tags::PatientID, Vr::LO, "deep");
    for (int n = 0; n < 2 * kDepth; ++n) builder.end();
    const DataSet deep = builder.finish();
    EXPECT_EQ(matches(deep, deep).value(), true);
    EXPECT_EQ(matches(deep, scheduled({})).value(), false);
}

struct DateAndTime {
    const char* date;
    const char* time;
};

bool found(const DateAndTime& key, const DateAndTime& stored, bool combined) {
    DataSet identifier;
    DataSet instance;
    identifier.set_text(tags::StudyDate, Vr::DA, key.date);
    identifier.set_text(tags::StudyTime, Vr::TM, key.time);
    instance.set_text(tags::StudyDate, Vr::DA, stored.date);
    instance.set_text(tags::StudyTime, Vr::TM, stored.time);
    MatchOptions options;
    options.combined_date_time = combined;
    const auto matched = matches(identifier, instance, options);
    EXPECT_TRUE(matched.has_value());
    return matched && *matched;
}

TEST(DataSetMatching, OfDateAndTimeIsSeparateOrCombined) {
    struct Row {
        DateAndTime key;
        DateAndTime stored;
        bool separate;
        bool combined;
    };
    const DateAndTime span{"20240101-20240103", "1000-1200"};
    for (const Row& row : std::vector<Row>{
             {span, {"20240101", "095959"}, false, false},
             {span, {"20240101", "100000"}, true, true},
             {span, {"20240101", "235900"}, false, true},
             {span, {"20240102", "030000"}, false, true},
             {span, {"20240103", "120059.999999"}, true, true},
             {span, {"20240103", "120100"}, false, false},
             {span, {"20240102", ""}, false, false},
             {span, {"", "110000"}, false, false},
             {{"20240101-20240103", "22-02"}, {"20240102", "120000"}, false, true},
             {{"20240101-20240103", "22-02"}, {"20240101", "120000"}, false, false},
             {{"20240101", "10-12"}, {"20240101", "110000"}, true, true},
             {{"20240101", "10-12"}, {"20240101", "130000"}, false, false},
             {{"20240101", "10"}, {"20240101", "103000"}, true, true},
             {{"20240101-", "10-"}, {"20240102", "080000"}, false, true},
             {{"20240101-", "10-"}, {"20240101", "080000"}, false, false},
             {{"-20240103", "-12"}, {"20240102", "180000"}, false, true},
             {{"-20240103", "-12"}, {"20240103", "180000"}, false, false},
             {{"20240101-20240103", "12-"}, {"20240103", "235960"}, true, true},
             {{"20240101-20240103", ""}, {"20240102", ""}, true, true},
             {{"20240101-20240103", "*"}, {"20240104", "10"}, false, false},
             {{"", "10-12"}, {"20240102", "110000"}, true, true},
             {{"20240101\\20240103", "10-12"}, {"20240103", "110000"}, true, true},
             {{"20240101\\20240103", "10-12"}, {"20240103", "090000"}, false, false},
         }) {
        SCOPED_TRACE(std::string(row.key.date) + " " + row.key.time + " of " + row.stored.date + " " +
                     row.stored.time);
        EXPECT_EQ(found(row.key, row.stored, false), row.separate);
        EXPECT_EQ(found(row.key, row.stored, true), row.combined);
    }
}

TEST(DataSetMatching, CombinesEveryPairOfTheDictionaryAlsoInSequences) {
    MatchOptions options;
    options.combined_date_time = true;
    for (const auto& [date, time] :
         {std::pair{tags::SeriesDate, tags::SeriesTime},
          std::pair{tags::PatientBirthDate, tags::PatientBirthTime},
          std::pair{tags::ScheduledProcedureStepStartDate, tags::ScheduledProcedureStepStartTime},
          std::pair{tags::DateOfSecondaryCapture, tags::TimeOfSecondaryCapture}}) {
        DataSetBuilder key;
        key.begin_sequence(tags::ScheduledProcedureStepSequence);
        key.begin_item();
        key.add_text(date, Vr::DA, "20240101-20240103");
        key.add_text(time, Vr::TM, "10-12");
        key.end();
        key.end();
        DataSetBuilder stored;
        stored.begin_sequence(tags::ScheduledProcedureStepSequence);
        stored.begin_item();
        stored.add_text(date, Vr::DA, "20240102");
        stored.add_text(time, Vr::TM, "1800");
        stored.end();
        stored.end();
        const DataSet identifier = key.finish();
        const DataSet instance = stored.finish();
        EXPECT_EQ(matches(identifier, instance, options).value(), true) << to_string(date);
        EXPECT_EQ(matches(identifier, instance).value(), false) << to_string(date);
    }
}

TEST(DataSetMatching, FindsEmptyValuesWhereThatWasNegotiated) {
    MatchOptions options;
    options.empty_value = true;
    DataSet identifier;
    identifier.set_text(tags::PatientID, Vr::LO, "\"\"");
    DataSet instance;
    EXPECT_EQ(matches(identifier, instance, options).value(), true);
    instance.set_text(tags::PatientID, Vr::LO, "  ");
    EXPECT_EQ(matches(identifier, instance, options).value(), true);
    instance.set_text(tags::PatientID, Vr::LO, "P1");
    EXPECT_EQ(matches(identifier, instance, options).value(), false);
    EXPECT_EQ(matches(identifier, DataSet()).value(), false);
}

TEST(DataSetMatching, FindsPrivateKeysByTheirCreator) {
    DataSet identifier;
    identifier.set_text(Tag(0x00290010u), Vr::LO, "ACME");
    identifier.set_text(Tag(0x00291008u), Vr::LO, "yes");
    DataSet instance;
    instance.set_text(Tag(0x00290010u), Vr::LO, "OTHER");
    instance.set_text(Tag(0x00291008u), Vr::LO, "yes");
    EXPECT_EQ(matches(identifier, instance).value(), false) << "of another creator";
    instance.set_text(Tag(0x00290011u), Vr::LO, "ACME");
    instance.set_text(Tag(0x00291108u), Vr::LO, "yes");
    EXPECT_EQ(matches(identifier, instance).value(), true) << "in another block";
}

TEST(DataSetMatching, ReadsKeysByTheDictionaryWhereTheirVrIsWrong) {
    DataSet identifier;
    identifier.set_text(tags::PatientName, Vr::UN, "DOE*");
    DataSet instance;
    instance.set_text(tags::PatientName, Vr::PN, "Doe^John");
    EXPECT_EQ(matches(identifier, instance).value(), true);
    std::array<std::byte, 4> bytes{};
    DataSet pixels;
    pixels.set(tags::PixelData, Vr::OB, bytes);
    const auto matched = matches(pixels, instance);
    ASSERT_FALSE(matched.has_value());
    EXPECT_EQ(matched.error().code, Errc::invalid_argument);
    pixels.set(tags::PixelData, Vr::OB, {});
    EXPECT_EQ(matches(pixels, instance).value(), true);
}

TEST(DataSetMatching, ComparesTagsAndNumbers) {
    DataSet identifier;
    DataSet instance;
    const std::array<std::byte, 4> pointer = {std::byte{0x18}, std::byte{0}, std::byte{0x63},
                                              std::byte{0x10}};
    identifier.set(tags::FrameIncrementPointer, Vr::AT, pointer);
    EXPECT_EQ(matches(identifier, instance).value(), false);
    instance.set(tags::FrameIncrementPointer, Vr::AT, pointer);
    EXPECT_EQ(matches(identifier, instance).value(), true);
    std::array<std::byte, 8> number{};
    store_le(number.data(), std::bit_cast<std::uint64_t>(0.1));
    identifier.set(tags::EventTimeOffset, Vr::FD, number);
    EXPECT_EQ(matches(identifier, instance).value(), false);
    instance.set(tags::EventTimeOffset, Vr::FD, number);
    EXPECT_EQ(matches(identifier, instance).value(), true);
}

}  // namespace
}  // namespace sagitta::dicom
