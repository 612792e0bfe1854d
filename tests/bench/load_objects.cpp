#include "tests/bench/load_objects.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

namespace sagitta::bench {
namespace {

using namespace sagitta::dicom;

constexpr std::string_view kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
constexpr std::size_t kMarkEvery = 4096;
constexpr std::array kModalities{"CT", "MR", "US", "CR", "PT"};  // of a study, one after the other

// 44 characters: "2.25.1", the run, what it names, its number.
std::string uid(std::uint64_t run_id, int kind, std::uint64_t number) {
    return fmt::format("2.25.1{:019}{}{:018}", run_id % 10'000'000'000'000'000'000ull, kind, number);
}

/// Four syllables; archive.py makes the same.
std::string given_name(std::uint64_t number) {
    constexpr std::string_view kConsonants = "BDFGKLMNPRSTVZ";
    constexpr std::string_view kVowels = "AEIOU";
    std::string name;
    for (auto left = number * 2654435761u % 24'010'000; name.size() < 8; left /= 70) {
        name += kConsonants[left % 14];
        name += kVowels[left / 14 % 5];
    }
    return name;
}

void set_identity(DataSet& data_set) {
    data_set.set_text(tags::SOPInstanceUID, Vr::UI, uid(0, 0, 0));
    data_set.set_text(tags::StudyInstanceUID, Vr::UI, uid(0, 0, 0));
    data_set.set_text(tags::SeriesInstanceUID, Vr::UI, uid(0, 0, 0));
    data_set.set_text(tags::PatientID, Vr::LO, "LOAD000000000 ");
    data_set.set_text(tags::PatientName, Vr::PN, "NAME000000000^ABCDEFGH");
    data_set.set_text(tags::AccessionNumber, Vr::SH, "A000000000");
    data_set.set_text(tags::InstanceNumber, Vr::IS, "000000001 ");
    data_set.set_text(tags::StudyDate, Vr::DA, "20240101");
}

}  // namespace

Identity identity_of(std::uint64_t run_id, std::uint64_t index, const Spread& spread) {
    const auto series = index / spread.images_per_series;
    const auto study = series / spread.series_per_study;
    const auto patient = study / spread.studies_per_patient;
    Identity identity;
    identity.sop_instance_uid = uid(run_id, 1, index);
    identity.series_uid = uid(run_id, 2, series);
    identity.study_uid = uid(run_id, 3, study);
    identity.patient_id = fmt::format("LOAD{:09}", patient);
    return identity;
}

Result<LoadObject> LoadObject::synthetic(std::size_t size_bytes) {
    DataSet data_set;
    data_set.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    data_set.set_text(tags::ImageType, Vr::CS, "DERIVED\\SECONDARY");
    data_set.set_text(tags::SOPClassUID, Vr::UI, kSecondaryCapture);
    data_set.set_text(tags::StudyTime, Vr::TM, "101500");
    data_set.set_text(tags::Modality, Vr::CS, "CT");
    data_set.set_text(tags::StudyDescription, Vr::LO, "LOAD TEST");
    data_set.set_text(tags::SeriesDescription, Vr::LO, "SYNTHETIC");
    data_set.set_text(tags::ReferringPhysicianName, Vr::PN, "NOBODY");
    data_set.set_text(tags::PatientBirthDate, Vr::DA, "19700101");
    data_set.set_text(tags::PatientSex, Vr::CS, "O");
    data_set.set_text(tags::StudyID, Vr::SH, "1");
    data_set.set_text(tags::SeriesNumber, Vr::IS, "1");
    set_identity(data_set);
    data_set.set_uint16(tags::SamplesPerPixel, 1);
    data_set.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME2");
    const std::size_t pixels = size_bytes > 1000 ? (size_bytes - 900) / 2 : 50;
    const std::size_t columns = std::min<std::size_t>(512, pixels);
    data_set.set_uint16(tags::Rows, static_cast<std::uint16_t>(pixels / columns));
    data_set.set_uint16(tags::Columns, static_cast<std::uint16_t>(columns));
    data_set.set_uint16(tags::BitsAllocated, 16);
    data_set.set_uint16(tags::BitsStored, 12);
    data_set.set_uint16(tags::HighBit, 11);
    data_set.set_uint16(tags::PixelRepresentation, 0);
    std::vector<std::byte> values(pixels / columns * columns * 2);
    std::uint32_t noise = 1;
    for (std::size_t at = 0; at + 1 < values.size(); at += 2) {
        noise = noise * 1664525u + 1013904223u;
        store_le(values.data() + at, static_cast<std::uint16_t>(noise >> 20));
    }
    data_set.set(tags::PixelData, Vr::OW, values);

    LoadObject object;
    object.sop_class_uid_ = kSecondaryCapture;
    object.transfer_syntax_uid_ = explicit_vr_little_endian().uid;
    ByteBuffer out;
    if (auto written = write_data_set(data_set, explicit_vr_little_endian(), out); !written)
        return std::move(written).error();
    object.bytes_.assign(out.span().begin(), out.span().end());
    if (auto located = object.locate(); !located) return std::move(located).error();
    return object;
}

Result<LoadObject> LoadObject::from_file(const std::string& path) {
    auto file = read_file(path);
    if (!file) return std::move(file).error();
    if (file->layout.syntax->deflated)
        return Error(Errc::unsupported, "a deflated template cannot be patched");
    const auto sop_class = file->data_set.uid(tags::SOPClassUID);
    if (!sop_class) return Error(Errc::malformed, "the template has no SOP Class UID");
    set_identity(file->data_set);
    LoadObject object;
    object.sop_class_uid_ = sop_class->str();
    object.transfer_syntax_uid_ = file->layout.transfer_syntax_uid;
    ByteBuffer out;
    if (auto written = write_data_set(file->data_set, *file->layout.syntax, out); !written)
        return std::move(written).error();
    object.bytes_.assign(out.span().begin(), out.span().end());
    if (auto located = object.locate(); !located) return std::move(located).error();
    return object;
}

Result<void> LoadObject::locate() {
    const auto* syntax = find_transfer_syntax(transfer_syntax_uid_);
    if (syntax == nullptr) return Error(Errc::unsupported, "unknown transfer syntax in the template");
    const auto parsed = parse_data_set(bytes_, *syntax);
    if (!parsed) return parsed.error();
    const auto place = [&](Tag tag) {
        const auto element = parsed->data_set.find(tag);
        if (!element) return Place{};
        return Place{static_cast<std::size_t>(element->value().data() - bytes_.data()),
                     element->value().size()};
    };
    sop_instance_ = place(tags::SOPInstanceUID);
    series_ = place(tags::SeriesInstanceUID);
    study_ = place(tags::StudyInstanceUID);
    patient_ = place(tags::PatientID);
    name_ = place(tags::PatientName);
    accession_ = place(tags::AccessionNumber);
    number_ = place(tags::InstanceNumber);
    date_ = place(tags::StudyDate);
    modality_ = place(tags::Modality);
    if (!syntax->encapsulated) pixels_ = place(tags::PixelData);
    return {};
}

void LoadObject::put(Place place, const std::string& value) {
    std::memcpy(bytes_.data() + place.offset, value.data(), std::min(value.size(), place.length));
}

void LoadObject::become(const Identity& identity, std::uint64_t index) {
    put(sop_instance_, identity.sop_instance_uid);
    put(series_, identity.series_uid);
    put(study_, identity.study_uid);
    put(patient_, identity.patient_id);
    const std::string patient = identity.patient_id.substr(4);
    const std::string study = identity.study_uid.substr(identity.study_uid.size() - 9);
    put(name_, "NAME" + patient + "^" + given_name(std::strtoul(patient.c_str(), nullptr, 10)));
    put(accession_, "A" + study);
    put(number_, fmt::format("{:09}", index % 1'000'000'000));
    const auto number = std::strtoul(study.c_str(), nullptr, 10);
    put(date_,
        fmt::format("20{:02}{:02}{:02}", 10 + number / 336 % 15, 1 + number / 28 % 12, 1 + number % 28));
    put(modality_, kModalities[number % kModalities.size()]);
    for (std::size_t at = 0; at + 8 <= pixels_.length; at += kMarkEvery) {
        store_le(bytes_.data() + pixels_.offset + at,
                 static_cast<std::uint64_t>(index * 0x9e3779b97f4a7c15ull + at));
    }
}

}  // namespace sagitta::bench
