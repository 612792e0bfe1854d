#include "codec/codecs.h"

#include <algorithm>
#include <array>

namespace sagitta::codec {
namespace {

std::span<const FrameCodec* const> all_codecs() noexcept {
    static const std::array codecs{
        &encapsulated_uncompressed_codec(),
        &rle_codec(),
        &jpeg_codec(),
        &jpeg_ls_codec(),
        &jpeg_2000_codec(),
        &htj2k_codec(),
        &deflated_frame_codec(),
    };
    return codecs;
}

bool names(std::span<const std::string_view> syntaxes, std::string_view uid) noexcept {
    return std::find(syntaxes.begin(), syntaxes.end(), uid) != syntaxes.end();
}

}  // namespace

const FrameCodec* find_decoder(std::string_view transfer_syntax_uid) noexcept {
    for (const FrameCodec* codec : all_codecs()) {
        if (names(codec->decodes(), transfer_syntax_uid)) return codec;
    }
    return nullptr;
}

const FrameCodec* find_encoder(std::string_view transfer_syntax_uid) noexcept {
    for (const FrameCodec* codec : all_codecs()) {
        if (names(codec->encodes(), transfer_syntax_uid)) return codec;
    }
    return nullptr;
}

}  // namespace sagitta::codec
