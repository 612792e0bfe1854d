#include "codec/transcode.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/frame_pipeline.h"
#include "codec/transcode_header.h"
#include "codec/transcode_plan.h"
#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using dicom::Vr;

// Of those that keep everything, by what a frame costs (docs/PIXELS.md).
constexpr std::array kCompressedBySpeed{
    uids::EncapsulatedUncompressedExplicitVRLittleEndian,
    uids::RLELossless,
    uids::JPEGLosslessSV1,
    uids::HTJ2KLossless,
    uids::HTJ2KLosslessRPCL,
    uids::JPEGLSLossless,
    uids::DeflatedImageFrameCompression,
    uids::JPEG2000Lossless,
};

// Native pixels grow bit by bit where a frame is no whole number of bytes (PS3.5 8.1.1).
class FramesInMemory final : public FrameTarget {
public:
    Result<void> begin(const PixelFormat& written, std::uint32_t /*frames*/) override {
        written_ = written;
        frames_.clear();
        encoded_bytes_ = 0;
        return {};
    }
    Result<void> frame(RecodedFrame frame) override {
        encoded_bytes_ += frame.bytes.size();
        frames_.push_back(std::move(frame.bytes));
        return {};
    }

    [[nodiscard]] const PixelFormat& written() const { return written_; }
    [[nodiscard]] const std::vector<ByteBuffer>& frames() const { return frames_; }
    [[nodiscard]] std::uint64_t encoded_bytes() const { return encoded_bytes_; }

private:
    PixelFormat written_;
    std::vector<ByteBuffer> frames_;
    std::uint64_t encoded_bytes_ = 0;
};

ByteBuffer joined(const FramesInMemory& frames) {
    ByteBuffer all;
    NativeFrames native(frames.written());
    for (const auto& frame : frames.frames()) native.append(frame.span(), all);
    native.finish(all);
    return all;
}

// Empty when an offset does not fit its 32 bits, which is allowed (PS3.5 A.4).
ByteBuffer basic_offset_table(const std::vector<ByteBuffer>& frames) {
    ByteBuffer table;
    std::uint64_t offset = 0;
    for (const auto& frame : frames) {
        if (offset > 0xFFFFFFFFu) return {};
        append_le(table, static_cast<std::uint32_t>(offset));
        offset += 8 + frame.size();
    }
    return table;
}

dicom::DataSet with_fragments(const dicom::DataSet& header, const std::vector<ByteBuffer>& frames) {
    dicom::DataSetBuilder builder(header);
    bool placed = false;
    const auto place = [&] {
        placed = true;
        builder.begin_fragments(tags::PixelData, Vr::OB);
        builder.add(dicom::kItem, Vr::none, basic_offset_table(frames).span());
        for (const auto& frame : frames) builder.add(dicom::kItem, Vr::none, frame.span());
        builder.end();
    };
    for (const auto element : header.elements()) {
        if (!placed && element.tag() > tags::PixelData) place();
        builder.keep(element);
    }
    if (!placed) place();
    return builder.finish();
}

Result<dicom::DataSet> with_pixels(const dicom::DataSet& original, const FramesInMemory& frames,
                                   const TranscodePlan& plan, TranscodeReport& report) {
    dicom::DataSet header = original;
    header.erase(tags::PixelData);
    header.erase(tags::ExtendedOffsetTable);
    header.erase(tags::ExtendedOffsetTableLengths);
    PixelChange change = plan.change(frames.written(), static_cast<std::uint32_t>(frames.frames().size()));
    change.ratio =
        fmt::format("{:.2f}", plan.ratio(frames.written(), frames.frames().size(), frames.encoded_bytes()));
    auto changed = describe_change(header, change, report.warnings);
    if (!changed) return changed;
    if (plan.encoder != nullptr) return with_fragments(*changed, frames.frames());
    const auto pixels = joined(frames);
    changed->set(tags::PixelData, frames.written().bits_allocated > 8 ? Vr::OW : Vr::OB, pixels.span());
    return changed;
}

bool has_pixels(const dicom::DataSet& data_set) {
    return data_set.contains(tags::PixelData) || data_set.contains(tags::FloatPixelData) ||
           data_set.contains(tags::DoubleFloatPixelData);
}

}  // namespace

Result<Transcoded> transcode(const dicom::DataSet& data_set, std::string_view source, std::string_view target,
                             const TranscodeOptions& options) {
    auto plan = make_plan(source, target, options);
    if (!plan) return std::move(plan).error();
    Transcoded done;
    done.syntax = dicom::find_transfer_syntax(target);
    done.report.transfer_syntax_uid = target;
    if (data_set.contains(tags::PixelData)) {
        if (auto good = check_words(*plan, data_set, tags::PixelData); !good) return std::move(good).error();
    }
    const bool native_word =
        !data_set.contains(tags::PixelData) || data_set.integer(tags::BitsAllocated).value_or(0) <= 16;
    if (source == target || !has_pixels(data_set) || plan->native_to_native(native_word)) {
        done.data_set = data_set;
        done.report.pixels_copied = true;
        return done;
    }
    if (auto good = check_recodable(data_set); !good) return std::move(good).error();
    const auto* syntax = dicom::find_transfer_syntax(source);
    if (syntax == nullptr)
        return Error(Errc::unsupported, "pixel data in a transfer syntax that is not known here");
    auto frames = FrameSource::open(data_set, *syntax, options.limits);
    if (!frames) return std::move(frames).error();
    if (auto good = check_complete(*frames, done.report); !good) return std::move(good).error();
    FramesInMemory recoded;
    if (auto good = recode_frames(*frames, plan->recoding(frames->format()), recoded); !good)
        return std::move(good).error();
    auto changed = with_pixels(data_set, recoded, *plan, done.report);
    if (!changed) return std::move(changed).error();
    done.data_set = std::move(*changed);
    done.report.frames = frames->frame_count();
    done.report.newly_lossy = !plan->new_uid.empty();
    return done;
}

bool can_transcode_to(std::string_view uid) noexcept {
    return is_native(uid) || find_encoder(uid) != nullptr;
}

std::optional<std::string_view> choose_transfer_syntax(std::string_view source,
                                                       const std::optional<PixelFormat>& format,
                                                       std::span<const std::string_view> accepted) {
    const auto accepts = [&](std::string_view uid) {
        return std::find(accepted.begin(), accepted.end(), uid) != accepted.end();
    };
    if (accepts(source)) return source;
    if (format && !is_native(source) && find_decoder(source) == nullptr) return std::nullopt;
    for (const auto uid : kNativeSyntaxes) {
        const bool fits = uid != uids::ExplicitVRBigEndian || !format || format->bits_allocated <= 16;
        if (accepts(uid) && fits) return uid;
    }
    if (!format) return std::nullopt;
    for (const auto uid : kCompressedBySpeed) {
        const auto* encoder = find_encoder(uid);
        if (accepts(uid) && encoder != nullptr && !encoder->refuses(*format, uid)) return uid;
    }
    return std::nullopt;
}

}  // namespace sagitta::codec
