#include "deid/pixel_masker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "codec/jpeg_mask.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using codec::Photometric;
using codec::PixelFormat;
using codec::Rectangle;
using dicom::DataSet;
using dicom::Vr;

bool is_dct(std::string_view syntax) {
    return syntax == uids::JPEGBaseline8Bit || syntax == uids::JPEGExtended12Bit;
}

// Uncompressed frames behind one another, 1-bit samples without gaps (PS3.5 8.1.1).
class NativeValue {
public:
    void append(const codec::Frame& frame) {
        const std::uint64_t frame_bits = codec::native_frame_bits(frame.format);
        const ByteBuffer packed = codec::pack_native(frame);
        if (bits_ % 8 == 0) {
            bytes_.append(packed.span());
        } else {
            append_bits(packed.span(), frame_bits);
        }
        bits_ += frame_bits;
    }
    ByteBuffer take() {
        if (bytes_.size() % 2 != 0) bytes_.append(std::array{std::byte{0}});
        return std::move(bytes_);
    }

private:
    void append_bits(std::span<const std::byte> packed, std::uint64_t count) {
        for (std::uint64_t n = 0; n < count; ++n) {
            const std::uint64_t at = bits_ + n;
            if (at / 8 == bytes_.size()) bytes_.append(std::array{std::byte{0}});
            if ((packed[n / 8] >> (n % 8) & std::byte{1}) != std::byte{0})
                bytes_.data()[at / 8] |= std::byte{1} << (at % 8);
        }
    }

    ByteBuffer bytes_;
    std::uint64_t bits_ = 0;
};

// Every frame decoded and covered, in native form.
Result<PixelFormat> mask_native(const codec::FrameSource& source, std::span<const Rectangle> masks,
                                const codec::PixelLimits& limits, DataSet& cleaned) {
    codec::DecodeOptions options;
    options.limits = limits;
    NativeValue value;
    PixelFormat format = source.format();
    for (std::uint32_t n = 0; n < source.frame_count(); ++n) {
        auto frame = source.decode(n, options);
        if (!frame) return std::move(frame).error();
        mask_frame(*frame, masks);
        format = frame->format;
        value.append(*frame);
    }
    const ByteBuffer bytes = value.take();
    const Vr vr = format.bits_allocated > 8 ? Vr::OW : Vr::OB;
    const auto element = cleaned.find(tags::PixelData);
    cleaned.set(tags::PixelData, element ? element->vr() : vr, bytes.span());
    return format;
}

Result<ByteBuffer> mask_encoded(const codec::FrameSource& source, std::uint32_t n,
                                std::span<const Rectangle> masks, const codec::PixelLimits& limits,
                                PixelFormat& written) {
    const std::string_view syntax = source.syntax().uid;
    if (is_dct(syntax)) {
        auto encoded = source.encoded(n);
        if (!encoded) return std::move(encoded).error();
        return codec::mask_jpeg(encoded->span(), masks,
                                source.format().photometric == Photometric::monochrome1, limits);
    }
    const codec::FrameCodec* encoder = codec::find_encoder(syntax);
    if (encoder == nullptr)
        return Error(Errc::unsupported,
                     "masked pixels cannot be written in " + std::string(source.syntax().name));
    codec::DecodeOptions options;
    options.limits = limits;
    auto frame = source.decode(n, options);
    if (!frame) return std::move(frame).error();
    mask_frame(*frame, masks);
    codec::EncodeOptions lossless;
    lossless.near = 0;
    lossless.compression_ratio = 1;
    return encoder->encode(*frame, syntax, lossless, written);
}

// Every frame as one fragment behind a Basic Offset Table (PS3.5 A.4).
Result<PixelFormat> mask_fragments(const codec::FrameSource& source, std::span<const Rectangle> masks,
                                   const codec::PixelLimits& limits, DataSet& cleaned) {
    std::vector<ByteBuffer> frames;
    std::vector<std::byte> offsets;
    PixelFormat written = source.format();
    std::uint64_t at = 0;
    for (std::uint32_t n = 0; n < source.frame_count(); ++n) {
        auto frame = mask_encoded(source, n, masks, limits, written);
        if (!frame) return std::move(frame).error();
        std::array<std::byte, 4> offset{};
        store_le(offset.data(), static_cast<std::uint32_t>(at));
        offsets.insert(offsets.end(), offset.begin(), offset.end());
        at += 8 + frame->size();
        frames.push_back(std::move(*frame));
    }
    if (at > UINT32_MAX) offsets.clear();
    dicom::DataSetBuilder builder;
    builder.begin_fragments(tags::PixelData, Vr::OB);
    builder.add(dicom::kItem, Vr::none, offsets);
    for (const ByteBuffer& frame : frames) builder.add(dicom::kItem, Vr::none, frame.span());
    builder.end();
    const DataSet made = builder.finish();
    cleaned.set(*made.find(tags::PixelData));
    cleaned.erase(tags::ExtendedOffsetTable);
    cleaned.erase(tags::ExtendedOffsetTableLengths);
    return written;
}

}  // namespace

Result<PixelStep::Outcome> PixelMasker::clean(const DataSet& original, const dicom::TransferSyntax& syntax,
                                              DataSet& cleaned) const {
    const bool has_pixels = original.contains(tags::PixelData) || original.contains(tags::FloatPixelData) ||
                            original.contains(tags::DoubleFloatPixelData);
    if (!has_pixels) return Outcome{.safe = !original.contains(tags::PixelDataProviderURL), .masks = 0};
    auto areas = pixel_areas(original, rules_);
    if (!areas) return std::move(areas).error();
    if (!areas->decided) return Outcome{};
    if (*areas->decided == PixelRule::Action::refuse) return Error(Errc::refused, "a pixel rule refuses it");
    Outcome outcome;
    // Names are typed into the regions, too: that they may go is for a rule to say, or for the scanner.
    outcome.safe = areas->rule.has_value() || original.text(tags::BurnedInAnnotation) == "NO";
    outcome.masks = static_cast<std::uint32_t>(areas->masks.size());
    if (areas->masks.empty()) return outcome;
    auto source = codec::FrameSource::open(original, syntax, limits_);
    if (!source) return std::move(source).error();
    auto format = syntax.encapsulated ? mask_fragments(*source, areas->masks, limits_, cleaned)
                                      : mask_native(*source, areas->masks, limits_, cleaned);
    if (!format) return std::move(format).error();
    if (format->photometric != source->format().photometric && format->photometric != Photometric::other)
        cleaned.set_text(tags::PhotometricInterpretation, Vr::CS, to_string(format->photometric));
    const bool by_pixel_now = !syntax.encapsulated && cleaned.contains(tags::PlanarConfiguration);
    if (by_pixel_now) cleaned.set_uint16(tags::PlanarConfiguration, 0);
    cleaned.set_text(tags::BurnedInAnnotation, Vr::CS, "NO");
    return outcome;
}

}  // namespace sagitta::deid
