#include "deid/original_attributes.h"

#include <algorithm>
#include <array>
#include <memory>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/writer.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;

constexpr std::array kStudyTags = {tags::StudyDate,
                                   tags::StudyTime,
                                   tags::AccessionNumber,
                                   tags::InstitutionName,
                                   tags::ReferringPhysicianName,
                                   tags::StudyDescription,
                                   tags::PhysiciansOfRecord,
                                   tags::NameOfPhysiciansReadingStudy,
                                   tags::StudyID};

bool belongs(Tag tag, Mapping::Kind kind) {
    if (tag == tags::SpecificCharacterSet) return true;
    if (kind == Mapping::Kind::patient) return tag.group() == 0x0010 && !tag.is_group_length();
    return std::find(kStudyTags.begin(), kStudyTags.end(), tag) != kStudyTags.end();
}

}  // namespace

std::string original_attributes(const dicom::DataSet& original, Mapping::Kind kind, std::int32_t shift_days) {
    dicom::DataSet kept;
    for (const auto& element : original.elements()) {
        if (belongs(element.tag(), kind) && element.vr() != Vr::UN) kept.set(element);
    }
    ByteBuffer bytes;
    append_le(bytes, static_cast<std::uint32_t>(shift_days));
    dicom::WriteOptions options;
    options.form = dicom::WriteOptions::Form::canonical;
    if (!dicom::write_data_set(kept, dicom::explicit_vr_little_endian(), bytes, options)) return {};
    return std::string(as_text(bytes.span()));
}

Result<OriginalAttributes> read_original_attributes(std::string_view stored) {
    if (stored.size() < 4) return Error(Errc::corrupt, "an entry of the vault is cut short");
    OriginalAttributes read;
    read.shift_days = static_cast<std::int32_t>(load_le<std::uint32_t>(as_bytes(stored).data()));
    auto bytes = std::make_shared<std::string>(stored.substr(4));
    auto parsed = dicom::parse_data_set(as_bytes(*bytes), dicom::explicit_vr_little_endian(), {}, bytes);
    if (!parsed) return Error(Errc::corrupt, "an entry of the vault cannot be read");
    read.data_set = std::move(parsed->data_set);
    return read;
}

}  // namespace sagitta::deid
