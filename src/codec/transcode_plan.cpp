#include "codec/transcode_plan.h"

#include <algorithm>
#include <string>

#include "codec/colour.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/generated/tags.h"

namespace sagitta::codec {

namespace uids = dicom::uids;

bool is_native(std::string_view uid) noexcept {
    return std::find(kNativeSyntaxes.begin(), kNativeSyntaxes.end(), uid) != kNativeSyntaxes.end();
}

bool is_video(std::string_view uid) noexcept {
    return uid.starts_with("1.2.840.10008.1.2.4.10") || uid.starts_with("1.2.840.10008.1.2.7.");
}

bool TranscodePlan::native_to_native(bool at_most_words) const noexcept {
    if (!is_native(source) || !is_native(target)) return false;
    return at_most_words || source != uids::ExplicitVRBigEndian;
}

Recoding TranscodePlan::recoding(const PixelFormat& declared) const {
    Recoding recoding;
    recoding.target = target;
    recoding.encoder = encoder;
    recoding.encode = options.encode;
    recoding.decode.limits = options.limits;
    recoding.threads = options.threads;
    // What a lossy JPEG holds is made of RGB, which is what everybody understands in native pixels.
    recoding.decode.to_rgb = is_lossy_source(source) && declared.samples_per_pixel == 3;
    return recoding;
}

PixelChange TranscodePlan::change(const PixelFormat& written, std::uint32_t frames) const {
    PixelChange change;
    change.source = source;
    change.target = target;
    change.written = written;
    change.frames = frames;
    change.new_uid = new_uid;
    return change;
}

double TranscodePlan::ratio(const PixelFormat& written, std::uint64_t frames,
                            std::uint64_t encoded_bytes) const noexcept {
    const double native = static_cast<double>(written.frame_bytes()) * static_cast<double>(frames);
    return native / static_cast<double>(std::max<std::uint64_t>(encoded_bytes, 1));
}

Result<TranscodePlan> make_plan(std::string_view source, std::string_view target,
                                const TranscodeOptions& options) {
    TranscodePlan plan;
    plan.source = source;
    plan.target = target;
    plan.options = options;
    if (source == target) return plan;
    if (is_video(source)) return Error(Errc::unsupported, "video stays in the transfer syntax it has");
    if (!can_transcode_to(target))
        return Error(Errc::unsupported, "nothing here writes transfer syntax " + std::string(target));
    if (!is_native(target)) plan.encoder = find_encoder(target);
    if (is_lossy_target(target, options.encode)) plan.new_uid = dicom::Uid::generate();
    return plan;
}

Result<void> check_words(const TranscodePlan& plan, const dicom::DataSet& header, dicom::Tag pixel_data) {
    const bool longer = header.integer(dicom::tags::BitsAllocated).value_or(0) > 16;
    if (plan.target != uids::ExplicitVRBigEndian || plan.source == plan.target || !longer ||
        pixel_data != dicom::tags::PixelData)
        return {};
    return Error(Errc::unsupported, "big endian has words of 16 bits, these samples are longer");
}

Result<void> check_complete(const FrameSource& frames, TranscodeReport& report) {
    report.warnings.insert(report.warnings.end(), frames.warnings().begin(), frames.warnings().end());
    const auto declared = frames.data_set().integer(dicom::tags::NumberOfFrames).value_or(1);
    if (std::int64_t{frames.frame_count()} >= declared) return {};
    return Error(Errc::truncated, "pixel data has " + std::to_string(frames.frame_count()) + " of " +
                                      std::to_string(declared) + " frames");
}

NativeFrames::NativeFrames(const PixelFormat& format) : frame_bits_(native_frame_bits(format)) {}

void NativeFrames::append(std::span<const std::byte> frame, ByteBuffer& out) {
    const std::size_t before = out.size();
    if (left_bits_ == 0 && frame_bits_ % 8 == 0) {
        out.append(frame);
    } else {
        std::uint64_t bits = frame_bits_;
        for (const std::byte byte : frame) {
            const auto here = static_cast<unsigned>(std::min<std::uint64_t>(bits, 8));
            left_ |= (std::to_integer<unsigned>(byte) & ((1u << here) - 1)) << left_bits_;
            left_bits_ += here;
            bits -= here;
            if (left_bits_ < 8) continue;
            append_le(out, static_cast<std::uint8_t>(left_ & 0xFF));
            left_ >>= 8;
            left_bits_ -= 8;
        }
    }
    given_ += out.size() - before;
}

void NativeFrames::finish(ByteBuffer& out) {
    if (left_bits_ > 0) {
        append_le(out, static_cast<std::uint8_t>(left_));
        ++given_;
    }
    if (given_ % 2 != 0) append_le(out, std::uint8_t{0});
}

std::uint64_t NativeFrames::bytes_of(std::uint64_t frames) const noexcept {
    const std::uint64_t bytes = (frames * frame_bits_ + 7) / 8;
    return bytes + bytes % 2;
}

}  // namespace sagitta::codec
