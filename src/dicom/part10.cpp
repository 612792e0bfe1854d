#include "dicom/part10.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/writer.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kPreambleBytes = 128;
constexpr std::string_view kPrefix = "DICM";

// Where group 0002 ends: by walking its elements, because the group length is often wrong or absent
// (PS3.10 7.1: explicit VR little endian always).
Result<std::size_t> end_of_meta(std::span<const std::byte> bytes, std::size_t from) {
    std::size_t at = from;
    while (bytes.size() - at >= 8 && load_le<std::uint16_t>(bytes.data() + at) == 0x0002) {
        const auto vr = vr_from_letters(static_cast<char>(bytes[at + 4]), static_cast<char>(bytes[at + 5]));
        std::size_t header = 8;
        std::uint64_t length = 0;
        if (!vr) {  // some writers make the meta information implicit
            length = load_le<std::uint32_t>(bytes.data() + at + 4);
        } else if (!has_long_header(*vr)) {
            length = load_le<std::uint16_t>(bytes.data() + at + 6);
        } else {
            if (bytes.size() - at < 12) return Error(Errc::truncated, "file meta information cut short", at);
            header = 12;
            length = load_le<std::uint32_t>(bytes.data() + at + 8);
        }
        if (length > bytes.size() - at - header) {
            return Error(Errc::truncated, "file meta information cut short", at);
        }
        at += header + length;
    }
    return at;
}

const TransferSyntax& guess_syntax(std::span<const std::byte> bytes) {
    if (bytes.size() >= 6 && vr_from_letters(static_cast<char>(bytes[4]), static_cast<char>(bytes[5]))) {
        const bool big = load_le<std::uint16_t>(bytes.data()) >= 0x0100 && bytes[0] == std::byte{0};
        return big ? *find_transfer_syntax(uids::ExplicitVRBigEndian) : explicit_vr_little_endian();
    }
    return implicit_vr_little_endian();
}

bool begins_with_meta(std::span<const std::byte> bytes, std::size_t at) {
    return bytes.size() >= at + 8 && load_le<std::uint16_t>(bytes.data() + at) == 0x0002;
}

// A private syntax GE devices write: implicit little endian but for the pixels.
constexpr std::string_view kGePrivateImplicit = "1.2.840.113619.5.2";

}  // namespace

Result<const TransferSyntax*> encoding_of(std::string_view uid, std::span<const std::byte> data_set) {
    if (const auto* known = find_transfer_syntax(uid)) return known;
    if (uid == kGePrivateImplicit) return &implicit_vr_little_endian();
    if (uid.empty()) return &guess_syntax(data_set);
    // Every syntax since 1993 but three is explicit little endian (PS3.5 Annex A).
    if (&guess_syntax(data_set) == &explicit_vr_little_endian()) return &explicit_vr_little_endian();
    if (data_set.empty()) return &explicit_vr_little_endian();
    return Error(Errc::unsupported, "unknown transfer syntax");
}

Result<FileLayout> read_file_layout(std::span<const std::byte> bytes) {
    FileLayout layout;
    std::size_t at = 0;
    if (bytes.size() >= kPreambleBytes + 4 && as_text(bytes.subspan(kPreambleBytes, 4)) == kPrefix) {
        layout.has_preamble = true;
        at = kPreambleBytes + 4;
    } else if (bytes.size() >= 4 && as_text(bytes.first(4)) == kPrefix) {
        at = 4;
    } else if (bytes.size() < 8) {
        return Error(Errc::truncated, "too short for a DICOM file");
    }
    if (begins_with_meta(bytes, at)) {
        auto end = end_of_meta(bytes, at);
        if (!end) return std::move(end).error();
        ParseOptions options;
        options.keep_readable_part = true;
        auto owner = std::make_shared<const ByteBuffer>(bytes.subspan(at, *end - at));
        const auto span = owner->span();
        auto meta = parse_data_set(span, explicit_vr_little_endian(), options, std::move(owner));
        if (!meta) return std::move(meta).error().within("file meta information");
        layout.meta = std::move(meta->data_set);
        at = *end;
    } else if (at == 0) {
        const auto group = load_le<std::uint16_t>(bytes.data());
        const bool plausible = group == 0x0008 || group == 0x0800 || group == 0x0004 || group == 0x0010;
        if (!plausible) return Error(Errc::malformed, "not a DICOM file: no DICM prefix, no data set");
    }
    layout.data_set_offset = at;
    layout.transfer_syntax_uid = std::string(layout.meta.text(tags::TransferSyntaxUID));
    auto syntax = encoding_of(layout.transfer_syntax_uid, bytes.subspan(at));
    if (!syntax) return std::move(syntax).error();
    layout.syntax = *syntax;
    if (layout.transfer_syntax_uid.empty()) layout.transfer_syntax_uid = std::string(layout.syntax->uid);
    return layout;
}

Result<ParsedFile> parse_file(std::span<const std::byte> bytes, const ParseOptions& options,
                              std::shared_ptr<const void> keep_alive) {
    auto layout = read_file_layout(bytes);
    if (!layout) return std::move(layout).error();
    auto parsed = parse_data_set(bytes.subspan(layout->data_set_offset), *layout->syntax, options,
                                 std::move(keep_alive));
    const auto place_in_file = [&](Error& error) {
        if (error.offset_bytes && !layout->syntax->deflated) *error.offset_bytes += layout->data_set_offset;
    };
    if (!parsed) {
        place_in_file(parsed.error());
        return std::move(parsed).error();
    }
    std::for_each(parsed->warnings.begin(), parsed->warnings.end(), place_in_file);
    return ParsedFile{std::move(*layout), std::move(parsed->data_set), std::move(parsed->warnings)};
}

Result<FileMeta> file_meta_of(const DataSet& data_set, std::string transfer_syntax_uid,
                              const DataSet& previous) {
    const auto uid = [&](Tag tag, Tag in_meta) {
        return data_set.contains(tag) ? data_set.uid(tag) : previous.uid(in_meta);
    };
    const auto sop_class = uid(tags::SOPClassUID, tags::MediaStorageSOPClassUID);
    if (!sop_class) return Error(Errc::malformed, "SOPClassUID is missing or is no UID");
    const auto instance = uid(tags::SOPInstanceUID, tags::MediaStorageSOPInstanceUID);
    if (!instance) return Error(Errc::malformed, "SOPInstanceUID is missing or is no UID");
    return FileMeta{*sop_class, *instance, std::move(transfer_syntax_uid), {}};
}

ByteBuffer make_file_header(const FileMeta& meta, const DataSet& previous) {
    DataSet group;
    for (const Element element : previous.elements()) {
        if (element.tag().group() == 0x0002 && !element.tag().is_group_length()) group.set(element);
    }
    constexpr std::array<std::byte, 2> version{std::byte{0}, std::byte{1}};
    group.set(tags::FileMetaInformationVersion, Vr::OB, version);
    group.set_text(tags::MediaStorageSOPClassUID, Vr::UI, meta.sop_class_uid.view());
    group.set_text(tags::MediaStorageSOPInstanceUID, Vr::UI, meta.sop_instance_uid.view());
    group.set_text(tags::TransferSyntaxUID, Vr::UI, meta.transfer_syntax_uid);
    group.set_text(tags::ImplementationClassUID, Vr::UI, kImplementationClassUid);
    group.set_text(tags::ImplementationVersionName, Vr::SH, kImplementationVersionName);
    if (!meta.source_ae_title.empty())
        group.set_text(tags::SourceApplicationEntityTitle, Vr::AE, meta.source_ae_title);
    ByteBuffer encoded;
    (void)write_data_set(group, explicit_vr_little_endian(), encoded);  // short values: cannot fail

    ByteBuffer header;
    constexpr std::array<std::byte, kPreambleBytes> preamble{};
    header.append(preamble);
    append_text(header, kPrefix);
    DataSet length;
    length.set_uint32(tags::FileMetaInformationGroupLength, static_cast<std::uint32_t>(encoded.size()));
    (void)write_data_set(length, explicit_vr_little_endian(), header);
    header.append(encoded.span());
    return header;
}

}  // namespace sagitta::dicom
