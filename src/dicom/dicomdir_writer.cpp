#include "dicom/dicomdir_writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/part10.h"
#include "dicom/transfer_syntax.h"
#include "dicom/utf8.h"
#include "dicom/writer.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kItemHeaderBytes = 8;
// In every record (0004,1400), (0004,1410) and (0004,1420) come first: 12, 10 and 12 bytes.
constexpr std::size_t kNextLinkAt = kItemHeaderBytes + 8;
constexpr std::size_t kLowerLinkAt = kItemHeaderBytes + 12 + 10 + 8;
constexpr std::uint16_t kInUse = 0xffff;
constexpr std::size_t kMaxFileIdComponents = 8;  // PS3.10 8.2
constexpr std::size_t kMaxComponent = 8;
constexpr std::size_t kMaxCodeString = 16;
constexpr std::uint32_t kFilesInFolder = 1000;

bool is_code(std::string_view text, std::size_t max, bool space) {
    return text.size() <= max && std::all_of(text.begin(), text.end(), [space](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (space && c == ' ');
           });
}

bool is_file_id(std::span<const std::string> file_id) {
    return !file_id.empty() && file_id.size() <= kMaxFileIdComponents &&
           std::all_of(file_id.begin(), file_id.end(), [](const std::string& component) {
               return !component.empty() && is_code(component, kMaxComponent, false);
           });
}

void append_tag(ByteBuffer& out, Tag tag) {
    append_le(out, tag.group());
    append_le(out, tag.element());
}

// Only what modifies the title belongs into the directory (PS3.3 F.5.23).
DataSet concept_modifiers(const DataSet& header) {
    DataSetBuilder builder(header);
    const auto content = header.find(tags::ContentSequence);
    builder.begin_sequence(tags::ContentSequence);
    if (content) {
        for (const Element item : content->children()) {
            if (item.children().text(tags::RelationshipType) == "HAS CONCEPT MOD") builder.keep(item);
        }
    }
    builder.end();
    return builder.finish();
}

// The latest of the verifications, which are told in a sequence (PS3.3 C.17.2).
std::string latest_verification(const DataSet& header) {
    std::string latest;
    if (const auto observers = header.find(tags::VerifyingObserverSequence)) {
        for (const Element item : observers->children()) {
            latest = std::max(latest, std::string(item.children().text(tags::VerificationDateTime)));
        }
    }
    return latest;
}

bool needs_character_set(const DataSet& keys) {
    const auto nodes = keys.nodes();
    return std::any_of(nodes.begin(), nodes.end(), [&keys](const Node& node) {
        const auto text = as_text(keys.value_of(node));
        return uses_character_set(node.vr) &&
               (!is_ascii(text) || text.find('\x1b') != std::string_view::npos);
    });
}

}  // namespace

std::vector<std::string> numbered_file_id(std::uint32_t number) {
    return {"DICOM", fmt::format("{:08X}", number / kFilesInFolder), fmt::format("{:08X}", number)};
}

DicomdirWriter::DicomdirWriter(std::string file_set_id) : file_set_id_(std::move(file_set_id)) {}

DataSet DicomdirWriter::keys_of(const DirectoryRecordType& type, const DataSet& header) {
    DataSet keys;
    for (const auto& key : type.keys) {
        if (key.tag == tags::ContentSequence) {
            const auto modifiers = concept_modifiers(header);
            if (modifiers.find(key.tag)->has_children()) keys.set(*modifiers.find(key.tag));
            continue;
        }
        if (key.tag == tags::VerificationDateTime) {
            if (const auto latest = latest_verification(header); !latest.empty())
                keys.set_text(key.tag, Vr::DT, latest);
            continue;
        }
        const auto element = header.find(key.tag);
        const bool has_value = element && !element->empty();
        if (has_value) {
            keys.set(*element);
        } else if (key.type != KeyType::type_1c) {
            const auto* entry = find_tag(key.tag);
            keys.set(key.tag, entry->vr, {});
            if (key.type == KeyType::type_1) {
                warnings_.emplace_back(Errc::malformed,
                                       fmt::format("a {} record without {} {} (PS3.3 F.5)", type.name,
                                                   entry->keyword, to_string(key.tag)));
            }
        }
    }
    if (needs_character_set(keys)) {
        if (const auto stated = header.find(tags::SpecificCharacterSet)) keys.set(*stated);
    }
    return keys;
}

std::uint32_t DicomdirWriter::append(std::uint32_t parent, DataSet keys, std::string_view type) {
    keys.set_uint32(tags::OffsetOfTheNextDirectoryRecord, 0);
    keys.set_uint16(tags::RecordInUseFlag, kInUse);
    keys.set_uint32(tags::OffsetOfReferencedLowerLevelDirectoryEntity, 0);
    keys.set_text(tags::DirectoryRecordType, Vr::CS, type);
    ByteBuffer encoded;
    (void)write_data_set(keys, explicit_vr_little_endian(), encoded);  // values were read from one: they fit
    const auto index = static_cast<std::uint32_t>(records_.size());
    Record& record = records_.emplace_back();
    record.begin = items_.size();
    append_tag(items_, kItem);
    append_le(items_, static_cast<std::uint32_t>(encoded.size()));
    items_.append(std::as_const(encoded).span());
    Record& above = records_[parent];
    (above.first_child == 0 ? above.first_child : records_[above.last_child].next) = index;
    above.last_child = index;
    return index;
}

std::uint32_t DicomdirWriter::entity(const Key& key, std::string_view type, const DataSet& header) {
    const auto [found, fresh] = entities_.try_emplace(key);
    if (fresh)
        found->second = append(std::get<1>(key), keys_of(*find_directory_record_type(type), header), type);
    return found->second;
}

Result<void> DicomdirWriter::add(std::span<const std::string> file_id, const DataSet& header,
                                 std::string_view transfer_syntax_uid) {
    if (!is_file_id(file_id))
        return Error(Errc::invalid_argument, "a File ID that PS3.10 8.2 does not allow");
    const auto sop_class = header.uid(tags::SOPClassUID);
    const auto instance = header.uid(tags::SOPInstanceUID);
    if (!sop_class || !instance) return Error(Errc::malformed, "no SOP Class UID or SOP Instance UID");
    const auto* type = directory_record_type_of(sop_class->view());
    if (type == nullptr)
        return Error(Errc::unsupported, "a SOP Class that has no directory record (PS3.3 F.4)");
    const auto study = header.uid(tags::StudyInstanceUID);
    const auto series = header.uid(tags::SeriesInstanceUID);
    if (!type->at_root && (!study || !series)) {
        return Error(Errc::malformed, "no Study Instance UID or Series Instance UID");
    }
    std::string joined;
    for (const auto& component : file_id) joined += joined.empty() ? component : "\\" + component;
    const auto [known, fresh] = entities_.try_emplace(Key(3, 0, joined));
    if (!fresh) return Error(Errc::invalid_argument, "a File ID given twice");
    std::uint32_t parent = 0;
    if (!type->at_root) {
        const auto id = header.text(tags::PatientID);
        const auto patient = id.empty() ? "=" + std::string(header.text(tags::PatientName)) : std::string(id);
        parent = entity(Key(0, 0, patient), "PATIENT", header);
        parent = entity(Key(1, parent, study->str()), "STUDY", header);
        parent = entity(Key(2, parent, series->str()), "SERIES", header);
    }
    DataSet keys = keys_of(*type, header);
    keys.set_text(tags::ReferencedFileID, Vr::CS, joined);
    keys.set_text(tags::ReferencedSOPClassUIDInFile, Vr::UI, sop_class->view());
    keys.set_text(tags::ReferencedSOPInstanceUIDInFile, Vr::UI, instance->view());
    keys.set_text(tags::ReferencedTransferSyntaxUIDInFile, Vr::UI, transfer_syntax_uid);
    known->second = append(parent, std::move(keys), type->name);
    return {};
}

Result<ByteBuffer> DicomdirWriter::finish(const Uid& sop_instance_uid) const {
    if (!is_code(file_set_id_, kMaxCodeString, true)) {
        return Error(Errc::invalid_argument, "a File-set ID that is no code string of 16 characters");
    }
    FileMeta meta;
    meta.sop_class_uid = *Uid::parse(uids::MediaStorageDirectoryStorage);
    meta.sop_instance_uid = sop_instance_uid;
    meta.transfer_syntax_uid = std::string(uids::ExplicitVRLittleEndian);  // PS3.10 8.6
    ByteBuffer file = make_file_header(meta);
    // What stands before the records has the same size whatever the offsets are.
    DataSet front;
    front.set_text(tags::FileSetID, Vr::CS, file_set_id_);
    front.set_uint32(tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, 0);
    front.set_uint32(tags::OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity, 0);
    front.set_uint16(tags::FileSetConsistencyFlag, 0);
    ByteBuffer encoded;
    (void)write_data_set(front, explicit_vr_little_endian(), encoded);
    constexpr std::size_t kSequenceHeader = 12;
    const std::uint64_t base = file.size() + encoded.size() + kSequenceHeader;
    if (base + items_.size() > UINT32_MAX - 1) return Error(Errc::limit_exceeded, "a directory beyond 4 GiB");
    const auto offset = [&](std::uint32_t record) {
        return record == 0 ? 0u : static_cast<std::uint32_t>(base + records_[record].begin);
    };
    front.set_uint32(tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity,
                     offset(records_[0].first_child));
    front.set_uint32(tags::OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity,
                     offset(records_[0].last_child));
    (void)write_data_set(front, explicit_vr_little_endian(), file);
    append_tag(file, tags::DirectoryRecordSequence);
    append_text(file, std::string_view("SQ\0\0", 4));
    append_le(file, static_cast<std::uint32_t>(items_.size()));
    file.append(items_.span());
    for (std::uint32_t n = 1; n < records_.size(); ++n) {
        std::byte* item = file.data() + offset(n);
        store_le(item + kNextLinkAt, offset(records_[n].next));
        store_le(item + kLowerLinkAt, offset(records_[n].first_child));
    }
    return file;
}

}  // namespace sagitta::dicom
