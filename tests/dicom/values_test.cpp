#include "dicom/values.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"

namespace sagitta::dicom {
namespace {

template <class T>
Errc error_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? Errc::io_failure : result.error().code;
}

TEST(Values, TellAbsentFromEmptyFromWrong) {
    DataSet data_set;
    data_set.set_text(tags::StudyDate, Vr::DA, "20210408");
    data_set.set_text(tags::SeriesDate, Vr::DA, "");
    data_set.set_text(tags::ContentDate, Vr::DA, "20210229");
    const Values values(data_set);
    EXPECT_TRUE(values.contains(tags::StudyDate));
    EXPECT_FALSE(values.contains(tags::AcquisitionDate));
    EXPECT_EQ(values.get<Date>(tags::StudyDate).value(), (Date{2021, 4, 8}));
    EXPECT_EQ(values.get<Date>(tags::StudyDate, 1).value(), std::nullopt);
    EXPECT_EQ(values.get<Date>(tags::SeriesDate).value(), std::nullopt);
    EXPECT_TRUE(values.all<Date>(tags::SeriesDate).value().empty());
    EXPECT_EQ(error_of(values.get<Date>(tags::AcquisitionDate)), Errc::not_found);
    EXPECT_EQ(error_of(values.all<Date>(tags::AcquisitionDate)), Errc::not_found);
    EXPECT_EQ(error_of(values.get<Time>(tags::StudyDate)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.all<DateTime>(tags::SeriesDate)), Errc::invalid_argument) << "empty, too";
    EXPECT_EQ(error_of(values.get<std::uint16_t>(tags::StudyDate)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.get<Date>(tags::ContentDate)), Errc::malformed) << "no such day";
    EXPECT_EQ(error_of(values.items(tags::StudyDate)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.items(tags::ReferencedSeriesSequence)), Errc::not_found);
}

TEST(Values, AreReadAsWhatTheirVrSays) {
    DataSet data_set;
    data_set.set_text(tags::StudyTime, Vr::TM, "1030");
    data_set.set_text(tags::AcquisitionDateTime, Vr::DT, "20210408+0200");
    data_set.set_text(tags::SOPClassUID, Vr::UI, "1.2.840");
    data_set.set_text(tags::RelatedSeriesSequence, Vr::UI, "1.2\\1.3");
    data_set.set_text(tags::SliceThickness, Vr::DS, " 1.50 ");
    data_set.set_text(tags::InstanceNumber, Vr::IS, "+012");
    data_set.set_text(tags::PatientAge, Vr::AS, "030Y");
    const std::array<std::byte, 8> tag_bytes = {std::byte{0x18}, std::byte{0},    std::byte{0x63},
                                                std::byte{0x10}, std::byte{0x28}, std::byte{0}};
    data_set.set(tags::FrameIncrementPointer, Vr::AT, tag_bytes);
    const Values values(data_set);
    EXPECT_EQ(values.get<Time>(tags::StudyTime).value()->minute, 30);
    EXPECT_EQ(values.get<DateTime>(tags::AcquisitionDateTime).value()->utc_offset, std::chrono::hours(2));
    EXPECT_EQ(values.get<Uid>(tags::SOPClassUID).value()->view(), "1.2.840");
    EXPECT_EQ(values.all<Uid>(tags::RelatedSeriesSequence).value().size(), 2u);
    EXPECT_EQ(values.get<DecimalString>(tags::SliceThickness).value(), (DecimalString{"1.50", 1.5}));
    EXPECT_EQ(values.get<IntegerString>(tags::InstanceNumber).value(), (IntegerString{"+012", 12}));
    EXPECT_EQ(values.get<std::string>(tags::PatientAge).value(), "030Y");
    EXPECT_EQ(values.get<std::string>(tags::InstanceNumber).value(), "+012")
        << "all text may be read as text";
    EXPECT_EQ(values.all<Tag>(tags::FrameIncrementPointer).value(),
              (std::vector<Tag>{Tag(0x00181063u), Tag(0x00280000u)}));
    EXPECT_EQ(values.get<Tag>(tags::FrameIncrementPointer, 1).value(), Tag(0x00280000u));
    EXPECT_EQ(values.get<Tag>(tags::FrameIncrementPointer, 2).value(), std::nullopt);
    EXPECT_EQ(error_of(values.get<std::string>(tags::FrameIncrementPointer)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.get<DecimalString>(tags::InstanceNumber)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.get<IntegerString>(tags::SliceThickness)), Errc::invalid_argument);
}

TEST(Values, OfSeveralMayBeMissingOneByOne) {
    DataSet data_set;
    data_set.set_text(tags::ImagePositionPatient, Vr::DS, "1\\\\-2.5e1");
    data_set.set_text(tags::ImageType, Vr::CS, "ORIGINAL\\\\AXIAL");
    const Values values(data_set);
    EXPECT_EQ(values.get<DecimalString>(tags::ImagePositionPatient, 0).value()->value, 1);
    EXPECT_EQ(values.get<DecimalString>(tags::ImagePositionPatient, 1).value(), std::nullopt);
    EXPECT_EQ(values.get<DecimalString>(tags::ImagePositionPatient, 2).value()->value, -25);
    EXPECT_EQ(error_of(values.all<DecimalString>(tags::ImagePositionPatient)), Errc::malformed);
    EXPECT_EQ(values.all<std::string>(tags::ImageType).value(),
              (std::vector<std::string>{"ORIGINAL", "", "AXIAL"}));
}

TEST(Values, NumbersAsTextAreChecked) {
    for (const auto* text : {"1,5", "0x10", "inf", "nan", "1e999", "--1", "+-1", "1 2", "one"}) {
        EXPECT_FALSE(DecimalString::parse(text).has_value()) << text;
    }
    for (const auto* text : {"1.0", "9223372036854775808", "1e3", "", "+", "12a"}) {
        EXPECT_FALSE(IntegerString::parse(text).has_value()) << text;
    }
    EXPECT_EQ(IntegerString::parse("-9223372036854775808")->value, INT64_MIN);
    EXPECT_EQ(DecimalString::parse("-.5")->value, -0.5);
    EXPECT_EQ(DecimalString::parse("+1E-3")->value, 0.001);
}

TEST(Values, ErrorsDoNotRepeatThem) {
    DataSet data_set;
    data_set.set_text(tags::PatientBirthDate, Vr::DA, "Secret");
    const auto date = Values(data_set).get<Date>(tags::PatientBirthDate);
    ASSERT_EQ(error_of(date), Errc::malformed);
    EXPECT_EQ(date.error().message().find("Secret"), std::string::npos);
    EXPECT_NE(date.error().message().find("(0010,0030)"), std::string::npos);
}

TEST(Values, AreDecodedByTheCharacterSetOfTheirLevelOrTheOneAround) {
    DataSetBuilder builder;
    builder.add_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    builder.add_text(tags::PatientName, Vr::PN, "M\xfcller^J\xf6rg");
    builder.begin_sequence(tags::RequestAttributesSequence);
    builder.begin_item();
    builder.add_text(tags::ScheduledProcedureStepDescription, Vr::LO,
                     "Sch\xe4"
                     "del");
    builder.end();
    builder.begin_item();
    builder.add_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
    builder.add_text(tags::ScheduledProcedureStepDescription, Vr::LO, "頭");
    builder.end();
    builder.end();
    const DataSet data_set = builder.finish();
    const Values values(data_set);
    const auto name = values.get<PersonName>(tags::PatientName).value();
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->alphabetic.family, "Müller");
    EXPECT_EQ(name->alphabetic.given, "Jörg");
    const auto items = values.items(tags::RequestAttributesSequence).value();
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].get<std::string>(tags::ScheduledProcedureStepDescription).value(), "Schädel");
    EXPECT_EQ(items[1].get<std::string>(tags::ScheduledProcedureStepDescription).value(), "頭");
}

TEST(PersonNames, HaveGroupsAndComponents) {
    const auto name = PersonName::parse("Yamada^Tarou=山田^太郎=やまだ^たろう").value();
    EXPECT_EQ(name.alphabetic.family, "Yamada");
    EXPECT_EQ(name.ideographic.given, "太郎");
    EXPECT_EQ(name.phonetic.family, "やまだ");
    const auto full = PersonName::parse(" Adams ^ John Robert^Quincy^Rev.^B.A. M.Div.").value();
    EXPECT_EQ(full.alphabetic, (NameComponents{"Adams", "John Robert", "Quincy", "Rev.", "B.A. M.Div."}));
    EXPECT_TRUE(full.ideographic.empty());
    EXPECT_EQ(PersonName::parse("=山田").value().ideographic.family, "山田");
    EXPECT_EQ(PersonName::parse("").value(), PersonName());
    EXPECT_EQ(error_of(PersonName::parse("a^b^c^d^e^f")), Errc::malformed);
    EXPECT_EQ(error_of(PersonName::parse("a=b=c=d")), Errc::malformed);
    EXPECT_TRUE(PersonName::parse("a^b^c^d^e^^=b=c==").has_value()) << "empty ones say nothing";
}

TEST(PersonNames, BecomeTextWithoutEmptyEnds) {
    for (const auto* text : {"", "Doe", "Doe^John", "^John", "Doe^^^Dr",
                             "Yamada^Tarou=山田^太郎=やまだ^たろう", "=山田", "==やまだ", "a^b^c^d^e"}) {
        EXPECT_EQ(PersonName::parse(text).value().text(), text);
    }
    EXPECT_EQ(PersonName::parse("Doe^John^^^==").value().text(), "Doe^John");
}

std::vector<std::byte> filled(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t n = 0; n < size; ++n) bytes[n] = static_cast<std::byte>(n + 1);
    return bytes;
}

TEST(NumberViews, ReadBothOrdersAtAnyAddress) {
    const auto bytes = filled(33);
    for (std::size_t shift = 0; shift < 8; ++shift) {
        const std::span<const std::byte> at = std::span(bytes).subspan(shift, 9);
        const NumberView<std::uint32_t> little(at, false);
        const NumberView<std::uint32_t> big(at, true);
        ASSERT_EQ(little.size(), 2u);
        const auto b = static_cast<std::uint32_t>(shift + 1);
        EXPECT_EQ(little[0], b | (b + 1) << 8 | (b + 2) << 16 | (b + 3) << 24);
        EXPECT_EQ(big[0], b << 24 | (b + 1) << 16 | (b + 2) << 8 | (b + 3));
        EXPECT_EQ(big.to_vector(), (std::vector<std::uint32_t>{big[0], big[1]}));
        EXPECT_EQ(little.to_vector(), std::vector<std::uint32_t>(little.begin(), little.end()));
        EXPECT_FALSE(big.in_place().has_value());
        const bool aligned = reinterpret_cast<std::uintptr_t>(at.data()) % 4 == 0;
        ASSERT_EQ(little.in_place().has_value(), aligned);
        if (aligned) {
            EXPECT_EQ(static_cast<const void*>(little.in_place()->data()), at.data());
            EXPECT_EQ((*little.in_place())[1], little[1]);
        }
    }
}

TEST(NumberViews, CopyWhatFits) {
    const auto bytes = filled(8);
    for (const bool big : {false, true}) {
        const NumberView<std::int16_t> view(bytes, big);
        std::array<std::int16_t, 3> out{};
        EXPECT_EQ(view.copy_to(out), 3u);
        EXPECT_EQ(out[2], view[2]);
        EXPECT_EQ(view.copy_to(out, 2), 2u);
        EXPECT_EQ(out[1], view[3]);
        EXPECT_EQ(view.copy_to(out, 4), 0u);
        EXPECT_EQ(view.copy_to(out, 5), 0u);
    }
    EXPECT_TRUE(NumberView<double>().empty());
    EXPECT_TRUE(NumberView<double>(std::span(bytes).first(7), false).empty());
}

template <class T>
void expect_number(Vr vr, T value) {
    std::array<std::byte, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    DataSet data_set;
    data_set.set(tags::PixelData, vr, bytes);
    const Values values(data_set);
    EXPECT_EQ(values.get<T>(tags::PixelData).value(), value) << to_string(vr);
    EXPECT_EQ(values.all<T>(tags::PixelData).value(), std::vector<T>{value}) << to_string(vr);
    EXPECT_EQ(values.get<T>(tags::PixelData, 1).value(), std::nullopt) << to_string(vr);
}

TEST(Values, OfBinaryVrsAreNumbers) {
    expect_number<std::uint16_t>(Vr::US, 65535);
    expect_number<std::uint16_t>(Vr::OW, 65535);
    expect_number<std::int16_t>(Vr::SS, -2);
    expect_number<std::int16_t>(Vr::OW, -2);
    expect_number<std::uint32_t>(Vr::UL, 4000000000u);
    expect_number<std::uint32_t>(Vr::OL, 4000000000u);
    expect_number<std::int32_t>(Vr::SL, -70000);
    expect_number<std::uint64_t>(Vr::UV, UINT64_MAX);
    expect_number<std::uint64_t>(Vr::OV, UINT64_MAX);
    expect_number<std::int64_t>(Vr::SV, INT64_MIN);
    expect_number<float>(Vr::FL, 0.1f);
    expect_number<float>(Vr::OF, -std::numeric_limits<float>::infinity());
    expect_number<double>(Vr::FD, 0.1);
    expect_number<double>(Vr::OD, 1e300);
}

TEST(Values, OfBinaryVrsAreStrictlyTyped) {
    DataSet data_set;
    data_set.set(tags::Rows, Vr::US, filled(2));
    data_set.set(tags::PixelData, Vr::OB, filled(6));
    data_set.set(tags::DoubleFloatPixelData, Vr::OD, filled(12));
    const Values values(data_set);
    EXPECT_EQ(error_of(values.numbers<std::int16_t>(tags::Rows)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.numbers<std::uint32_t>(tags::Rows)), Errc::invalid_argument);
    EXPECT_EQ(error_of(values.numbers<std::uint16_t>(tags::PixelData)), Errc::invalid_argument);
    EXPECT_EQ(values.numbers<std::uint8_t>(tags::PixelData).value().size(), 6u);
    EXPECT_EQ(error_of(values.numbers<double>(tags::DoubleFloatPixelData)), Errc::malformed);
    EXPECT_EQ(error_of(values.numbers<float>(tags::FloatPixelData)), Errc::not_found);
}

TEST(Values, OfEncapsulatedPixelsAreNoNumbers) {
    DataSetBuilder builder;
    builder.begin_fragments(tags::PixelData, Vr::OB);
    builder.add(kItem, Vr::none, {});
    builder.add(kItem, Vr::none, filled(4));
    builder.end();
    const DataSet data_set = builder.finish();
    EXPECT_EQ(error_of(Values(data_set).numbers<std::uint8_t>(tags::PixelData)), Errc::invalid_argument);
}

TEST(Values, OfBigEndianDataSetsAreInTheOrderOfThisMachine) {
    constexpr char kBytes[] = "\x00\x28\x00\x10US\x00\x04\x00\x01\x02\x00";
    const TransferSyntax* syntax = find_transfer_syntax("1.2.840.10008.1.2.2");
    ASSERT_NE(syntax, nullptr);
    const auto parsed = parse_data_set(as_bytes({kBytes, sizeof kBytes - 1}), *syntax);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(Values(parsed->data_set).all<std::uint16_t>(tags::Rows).value(),
              (std::vector<std::uint16_t>{1, 512}));
}

}  // namespace
}  // namespace sagitta::dicom
