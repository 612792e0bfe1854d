#include "storage/instance_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "dicom/character_set.h"
#include "dicom/generated/tags.h"
#include "dicom/matching.h"
#include "dicom/transfer_syntax.h"
#include "storage/digest.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

constexpr std::array kColumns{
    IndexColumn{tags::PatientID, Vr::LO, Level::patient, "patient_id"},
    IndexColumn{tags::IssuerOfPatientID, Vr::LO, Level::patient, "issuer"},
    IndexColumn{tags::PatientName, Vr::PN, Level::patient, "name"},
    IndexColumn{tags::PatientBirthDate, Vr::DA, Level::patient, "birth_date"},
    IndexColumn{tags::PatientBirthTime, Vr::TM, Level::patient, "birth_time"},
    IndexColumn{tags::PatientSex, Vr::CS, Level::patient, "sex"},
    IndexColumn{tags::EthnicGroup, Vr::SH, Level::patient, "ethnic_group"},

    IndexColumn{tags::StudyInstanceUID, Vr::UI, Level::study, "study_uid"},
    IndexColumn{tags::StudyID, Vr::SH, Level::study, "study_id"},
    IndexColumn{tags::StudyDate, Vr::DA, Level::study, "study_date"},
    IndexColumn{tags::StudyTime, Vr::TM, Level::study, "study_time"},
    IndexColumn{tags::AccessionNumber, Vr::SH, Level::study, "accession"},
    IndexColumn{tags::StudyDescription, Vr::LO, Level::study, "description"},
    IndexColumn{tags::ReferringPhysicianName, Vr::PN, Level::study, "referring"},
    IndexColumn{tags::NameOfPhysiciansReadingStudy, Vr::PN, Level::study, "reading"},
    IndexColumn{tags::PatientAge, Vr::AS, Level::study, "patient_age"},
    IndexColumn{tags::PatientSize, Vr::DS, Level::study, "patient_size"},
    IndexColumn{tags::PatientWeight, Vr::DS, Level::study, "patient_weight"},

    IndexColumn{tags::SeriesInstanceUID, Vr::UI, Level::series, "series_uid"},
    IndexColumn{tags::Modality, Vr::CS, Level::series, "modality"},
    IndexColumn{tags::SeriesNumber, Vr::IS, Level::series, "number"},
    IndexColumn{tags::SeriesDescription, Vr::LO, Level::series, "description"},
    IndexColumn{tags::SeriesDate, Vr::DA, Level::series, "series_date"},
    IndexColumn{tags::SeriesTime, Vr::TM, Level::series, "series_time"},
    IndexColumn{tags::BodyPartExamined, Vr::CS, Level::series, "body_part"},
    IndexColumn{tags::Laterality, Vr::CS, Level::series, "laterality"},
    IndexColumn{tags::ProtocolName, Vr::LO, Level::series, "protocol"},
    IndexColumn{tags::StationName, Vr::SH, Level::series, "station"},
    IndexColumn{tags::InstitutionName, Vr::LO, Level::series, "institution"},
    IndexColumn{tags::Manufacturer, Vr::LO, Level::series, "manufacturer"},
    IndexColumn{tags::ManufacturerModelName, Vr::LO, Level::series, "model"},
    IndexColumn{tags::PerformingPhysicianName, Vr::PN, Level::series, "performing"},
    IndexColumn{tags::PerformedProcedureStepStartDate, Vr::DA, Level::series, "step_date"},
    IndexColumn{tags::PerformedProcedureStepStartTime, Vr::TM, Level::series, "step_time"},

    IndexColumn{tags::SOPInstanceUID, Vr::UI, Level::image, "sop_uid"},
    IndexColumn{tags::SOPClassUID, Vr::UI, Level::image, "sop_class"},
    IndexColumn{tags::InstanceNumber, Vr::IS, Level::image, "number"},
    IndexColumn{tags::ContentDate, Vr::DA, Level::image, "content_date"},
    IndexColumn{tags::ContentTime, Vr::TM, Level::image, "content_time"},
    IndexColumn{tags::Rows, Vr::US, Level::image, "pixel_rows"},
    IndexColumn{tags::Columns, Vr::US, Level::image, "pixel_columns"},
    IndexColumn{tags::NumberOfFrames, Vr::IS, Level::image, "frames"},
};

/// What lies in the index is bounded, whatever a data set holds. None of these VRs can be longer where
/// it is encoded explicitly (PS3.5 7.1.2). Part of a value would match what the whole does not.
constexpr std::size_t kLongestValue = 64 * 1024;

/// "2024.03.01" of old devices as "20240301", which dates are searched and answered as.
void normalise_date(std::string& value) {
    if (auto date = dicom::range_bound(Vr::DA, value, false); !date.empty()) value = std::move(date);
}

std::string text_of(const dicom::Element& element, Vr vr, const dicom::CharacterSet& characters) {
    if (!dicom::is_text(element.vr()) && element.vr() != Vr::UN) {
        std::string numbers;
        for (std::size_t n = 0; numbers.size() <= kLongestValue; ++n) {
            const auto number = element.integer(n);
            if (!number) break;
            numbers += (n == 0 ? "" : "\\") + std::to_string(*number);
        }
        return numbers;
    }
    auto text = element.text();
    if (!dicom::uses_character_set(vr)) return std::string(text);
    auto utf8 = characters.to_utf8(text, vr);
    // Leading and trailing spaces mean nothing here (PS3.5 6.2), and would break equality.
    const auto first = utf8.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    const auto last = utf8.find_last_not_of(std::string_view(" \0", 2));
    return utf8.substr(first, last - first + 1);
}

Result<dicom::Uid> required_uid(const dicom::DataSet& data_set, dicom::Tag tag) {
    const auto uid = data_set.uid(tag);
    if (uid && !uid->empty()) return *uid;
    const auto what = data_set.contains(tag) ? "is not a UID" : "is missing";
    return Error(Errc::malformed, fmt::format("{} {}", dicom::to_string(tag), what));
}

/// Bytes of the data set up to the value of its pixel data; all of them where the bytes as stored
/// do not show it (no pixel data, or deflated).
std::uint64_t bytes_before_pixels(const dicom::DataSet& data_set, const EncodedInstance& encoded) {
    const auto* syntax = dicom::find_transfer_syntax(encoded.transfer_syntax_uid);
    if (syntax != nullptr && syntax->deflated) return encoded.data_set.size();
    for (const auto tag : {tags::FloatPixelData, tags::DoubleFloatPixelData, tags::PixelData}) {
        const auto pixels = data_set.find(tag);
        if (pixels && !pixels->node().owned) {
            return std::min<std::uint64_t>(pixels->node().offset, encoded.data_set.size());
        }
    }
    return encoded.data_set.size();
}

/// Places in kColumns, in the order of their tags: that of a data set.
std::array<std::size_t, kColumns.size()> columns_by_tag() {
    std::array<std::size_t, kColumns.size()> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [](std::size_t a, std::size_t b) { return kColumns[a].tag < kColumns[b].tag; });
    return order;
}

void fill_columns(const dicom::DataSet& data_set, InstanceRecord& record) {
    const auto characters = dicom::CharacterSet::parse(data_set.text(tags::SpecificCharacterSet));
    record.values.resize(kColumns.size());
    static const auto by_tag = columns_by_tag();
    std::array<bool, kColumns.size()> seen{};
    std::size_t at = 0;
    dicom::Tag before;
    for (const auto element : data_set.elements()) {  // once, whatever their number
        const auto tag = element.tag();
        if (tag < before) at = 0;
        before = tag;
        while (at < by_tag.size() && kColumns[by_tag[at]].tag < tag) ++at;
        if (at == by_tag.size() || kColumns[by_tag[at]].tag != tag) continue;
        const auto column = by_tag[at];
        if (std::exchange(seen[column], true)) continue;
        auto& value = record.values[column];
        value = text_of(element, kColumns[column].vr, characters);
        if (value.size() > kLongestValue) value.clear();
        if (kColumns[column].vr == Vr::DA) normalise_date(value);
    }
}

}  // namespace

std::span<const IndexColumn> index_columns() noexcept {
    return kColumns;
}

std::string_view InstanceRecord::value(dicom::Tag tag) const noexcept {
    for (std::size_t i = 0; i < kColumns.size() && i < values.size(); ++i) {
        if (kColumns[i].tag == tag) return values[i];
    }
    return {};
}

Result<InstanceRecord> extract_columns(const dicom::DataSet& data_set) {
    InstanceRecord record;
    const std::array<std::pair<dicom::Tag, dicom::Uid*>, 3> wanted{{
        {tags::StudyInstanceUID, &record.study_instance_uid},
        {tags::SeriesInstanceUID, &record.series_instance_uid},
        {tags::SOPInstanceUID, &record.sop_instance_uid},
    }};
    for (const auto& [tag, into] : wanted) {
        auto uid = required_uid(data_set, tag);
        if (!uid) return std::move(uid).error();
        *into = *uid;
    }
    auto sop_class = required_uid(data_set, tags::SOPClassUID);
    if (!sop_class) return std::move(sop_class).error();
    record.sop_class_uid = sop_class->str();
    fill_columns(data_set, record);
    for (std::size_t i = 0; i < kColumns.size(); ++i) {  // as paths and keys hold them: unpadded
        if (kColumns[i].tag == tags::StudyInstanceUID) record.values[i] = record.study_instance_uid.str();
        if (kColumns[i].tag == tags::SeriesInstanceUID) record.values[i] = record.series_instance_uid.str();
        if (kColumns[i].tag == tags::SOPInstanceUID) record.values[i] = record.sop_instance_uid.str();
        if (kColumns[i].tag == tags::SOPClassUID) record.values[i] = record.sop_class_uid;
    }
    return record;
}

Result<InstanceRecord> extract_record(const dicom::DataSet& data_set, const EncodedInstance& encoded) {
    auto record = extract_columns(data_set);
    if (!record) return record;
    record->transfer_syntax_uid = std::string(encoded.transfer_syntax_uid);
    record->data_set_offset = encoded.file_header_length;
    record->data_set_length = encoded.data_set.size();
    record->header_length = record->data_set_offset + bytes_before_pixels(data_set, encoded);
    record->digest = data_set_digest(encoded.data_set);
    return record;
}

}  // namespace sagitta::storage
