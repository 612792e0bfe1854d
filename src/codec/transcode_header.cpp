#include "codec/transcode_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "dicom/edit.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using dicom::Tag;
using dicom::Vr;

constexpr Tag kOverlayBitPosition{0x60000102u};
constexpr Tag kOverlayData{0x60003000u};

void set_number(dicom::DataSet& header, Tag tag, std::uint16_t value) {
    if (header.integer(tag) != value) header.set_uint16(tag, value);
}

void describe_format(dicom::DataSet& header, const PixelFormat& written) {
    if (written.photometric != Photometric::other &&
        parse_photometric(header.text(tags::PhotometricInterpretation)) != written.photometric)
        header.set_text(tags::PhotometricInterpretation, Vr::CS, to_string(written.photometric));
    set_number(header, tags::SamplesPerPixel, written.samples_per_pixel);
    if (written.samples_per_pixel > 1) {
        set_number(header, tags::PlanarConfiguration, written.planar ? 1 : 0);
    } else {
        header.erase(tags::PlanarConfiguration);
    }
    set_number(header, tags::Rows, static_cast<std::uint16_t>(written.rows));
    set_number(header, tags::Columns, static_cast<std::uint16_t>(written.columns));
    set_number(header, tags::BitsAllocated, written.bits_allocated);
    if (written.sample != SampleType::integer) return;
    set_number(header, tags::BitsStored, written.bits_stored);
    set_number(header, tags::HighBit, written.high_bit);
    set_number(header, tags::PixelRepresentation, written.is_signed ? 1 : 0);
}

// A further value behind those that are there (PS3.3 C.7.6.1.1.5.2).
void append_value(dicom::DataSet& header, Tag tag, Vr vr, std::string_view value) {
    std::string all(header.text(tag));
    if (!all.empty()) all += '\\';
    all += value;
    header.set_text(tag, vr, all);
}

std::string_view lossy_method(std::string_view target) {
    if (target == uids::JPEGLSNearLossless) return "ISO_14495_1";
    if (target == uids::JPEG2000) return "ISO_15444_1";
    return "ISO_10918_1";
}

// Frames of enhanced objects have types of their own, which would contradict it.
void derive_image_type(dicom::DataSet& header) {
    if (header.contains(tags::SharedFunctionalGroupsSequence)) return;
    const std::string type(header.text(tags::ImageType));
    if (!type.starts_with("ORIGINAL")) return;
    header.set_text(tags::ImageType, Vr::CS, "DERIVED" + type.substr(std::string_view("ORIGINAL").size()));
}

std::size_t items_of(const dicom::DataSet& header, Tag sequence) {
    const auto found = header.find(sequence);
    if (!found) return 0;
    const auto items = found->children();
    return static_cast<std::size_t>(std::distance(items.begin(), items.end()));
}

std::vector<std::string> code(const std::string& item, std::string_view value, std::string_view meaning) {
    return {item + ".CodeValue=" + std::string(value), item + ".CodingSchemeDesignator=DCM",
            item + ".CodeMeaning=" + std::string(meaning)};
}

// The images of which it was made, and how (PS3.3 C.7.6.1.1.3, C.7.6.1.1.4, CID 7202, CID 7203).
Result<dicom::DataSet> derived(const dicom::DataSet& header, const PixelChange& change, bool was_lossy) {
    std::vector<std::string> texts;
    const auto source =
        "SourceImageSequence[" + std::to_string(items_of(header, tags::SourceImageSequence)) + "]";
    if (const auto uid = header.uid(tags::SOPClassUID))
        texts.push_back(source + ".ReferencedSOPClassUID=" + uid->str());
    if (const auto uid = header.uid(tags::SOPInstanceUID))
        texts.push_back(source + ".ReferencedSOPInstanceUID=" + uid->str());
    const auto purpose = source + ".PurposeOfReferenceCodeSequence[0]";
    for (auto& text : was_lossy ? code(purpose, "121322", "Source image for image processing operation")
                                : code(purpose, "121320", "Uncompressed predecessor"))
        texts.push_back(std::move(text));
    const auto derivation =
        "DerivationCodeSequence[" + std::to_string(items_of(header, tags::DerivationCodeSequence)) + "]";
    for (auto& text : code(derivation, "113040", "Lossy Compression")) texts.push_back(std::move(text));
    if (!header.contains(tags::DerivationDescription))
        texts.push_back("DerivationDescription=Lossy compression " +
                        std::string(lossy_method(change.target)));
    texts.push_back("SOPInstanceUID=" + change.new_uid.str());
    std::vector<dicom::Edit> edits;
    for (const auto& text : texts) {
        auto edit = dicom::parse_set(text);
        if (!edit) return std::move(edit).error();
        edits.push_back(std::move(*edit));
    }
    dicom::EditOptions options;
    options.check_values = false;  // what the source says of itself stays as it says it
    return dicom::apply_edits(header, edits, options);
}

}  // namespace

bool is_lossy_target(std::string_view uid, const EncodeOptions& options) noexcept {
    if (uid == uids::JPEGLSNearLossless) return options.near > 0;
    return uid == uids::JPEGBaseline8Bit || uid == uids::JPEG2000;
}

bool is_lossy_source(std::string_view uid) noexcept {
    constexpr std::array kLossy{uids::JPEGBaseline8Bit, uids::JPEGExtended12Bit,
                                uids::JPEGSpectralSelectionNonHierarchical68,
                                uids::JPEGFullProgressionNonHierarchical1012};
    return std::find(kLossy.begin(), kLossy.end(), uid) != kLossy.end();
}

Result<dicom::DataSet> describe_change(const dicom::DataSet& header, const PixelChange& change,
                                       std::vector<Error>& warnings) {
    dicom::DataSet changed = without_compressed_icon(header, warnings);
    describe_format(changed, change.written);
    if (change.frames > 1 && changed.integer(tags::NumberOfFrames) != change.frames)
        changed.set_text(tags::NumberOfFrames, Vr::IS, std::to_string(change.frames));
    const bool was_lossy = changed.text(tags::LossyImageCompression) == "01";
    const bool newly_lossy = !change.new_uid.empty();
    if (newly_lossy || (is_lossy_source(change.source) && !was_lossy))
        changed.set_text(tags::LossyImageCompression, Vr::CS, "01");
    if (!newly_lossy) return changed;
    append_value(changed, tags::LossyImageCompressionRatio, Vr::DS, change.ratio);
    append_value(changed, tags::LossyImageCompressionMethod, Vr::CS, lossy_method(change.target));
    derive_image_type(changed);
    return derived(changed, change, was_lossy || is_lossy_source(change.source));
}

Result<void> check_recodable(const dicom::DataSet& header) {
    for (std::uint32_t group = 0; group < 0x20; group += 2) {
        const auto position = header.integer(Tag{kOverlayBitPosition.value + (group << 16)});
        const bool in_pixels =
            position.value_or(0) > 0 && !header.contains(Tag{kOverlayData.value + (group << 16)});
        if (in_pixels)
            return Error(Errc::unsupported, "an overlay in unused bits of the pixel data would be lost");
    }
    return {};
}

dicom::DataSet without_compressed_icon(dicom::DataSet header, std::vector<Error>& warnings) {
    const auto icon = header.find(tags::IconImageSequence);
    if (!icon) return header;
    for (const auto item : icon->children()) {
        const auto pixels = item.children().find(tags::PixelData);
        if (!pixels || !(pixels->has_children() || pixels->node().undefined_length)) continue;
        header.erase(tags::IconImageSequence);
        warnings.emplace_back(Errc::unsupported, "the icon image is compressed and was left out");
        return header;
    }
    return header;
}

}  // namespace sagitta::codec
