// The encoded frames of a file as plainly as can be: for tests of codecs that must not depend on how
// FrameSource finds frames.
#pragma once

#include <string>
#include <vector>

#include "codec/pixel_format.h"
#include "dicom/part10.h"

namespace sagitta::test {

struct EncodedImage {
    dicom::ParsedFile file;
    codec::PixelFormat declared;
    std::string transfer_syntax_uid;
    std::vector<ByteBuffer> frames;
};

inline codec::PixelFormat declared_by(const dicom::DataSet& data_set) {
    const auto number = [&](std::uint32_t tag, std::int64_t otherwise) {
        return static_cast<std::uint16_t>(data_set.integer(dicom::Tag{tag}).value_or(otherwise));
    };
    codec::PixelFormat format;
    format.samples_per_pixel = number(0x00280002, 1);
    format.rows = number(0x00280010, 0);
    format.columns = number(0x00280011, 0);
    format.bits_allocated = number(0x00280100, 8);
    format.bits_stored = number(0x00280101, 8);
    format.high_bit = number(0x00280102, 7);
    format.is_signed = number(0x00280103, 0) == 1;
    const auto term = data_set.text(dicom::Tag{0x00280004});
    format.photometric = term == "RGB"              ? codec::Photometric::rgb
                         : term == "YBR_FULL"       ? codec::Photometric::ybr_full
                         : term == "YBR_FULL_422"   ? codec::Photometric::ybr_full_422
                         : term == "YBR_RCT"        ? codec::Photometric::ybr_rct
                         : term == "YBR_ICT"        ? codec::Photometric::ybr_ict
                         : term == "PALETTE COLOR " ? codec::Photometric::palette_color
                                                    : codec::Photometric::monochrome2;
    return format;
}

/// A fragment that begins with the marker of a new stream begins a new frame; a single frame is all of
/// them. Nothing without encapsulated pixel data.
inline std::vector<ByteBuffer> encoded_frames(const dicom::DataSet& data_set) {
    std::vector<ByteBuffer> frames;
    const auto pixels = data_set.find(dicom::Tag{0x7FE00010});
    if (!pixels || !pixels->has_children()) return frames;
    const auto count = data_set.integer(dicom::Tag{0x00280008}).value_or(1);
    bool table = true;
    for (const auto fragment : pixels->children()) {
        if (std::exchange(table, false)) continue;
        const auto bytes = fragment.value();
        const bool begins = bytes.size() > 2 && bytes[0] == std::byte{0xFF} &&
                            (bytes[1] == std::byte{0xD8} || bytes[1] == std::byte{0x4F});
        if (frames.empty() || (count > 1 && begins)) frames.emplace_back();
        frames.back().append(bytes);
    }
    return frames;
}

inline Result<EncodedImage> read_encoded(const std::string& path) {
    auto file = dicom::read_file(path);
    if (!file) return std::move(file).error();
    auto declared = declared_by(file->data_set);
    auto frames = encoded_frames(file->data_set);
    auto uid = file->layout.transfer_syntax_uid;
    return EncodedImage{std::move(*file), declared, std::move(uid), std::move(frames)};
}

}  // namespace sagitta::test
