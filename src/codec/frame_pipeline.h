// Frames out of one image and into another form: decoded and encoded on several threads, handed over in
// order, a few at a time in memory. Knows nothing of data sets or files.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"

namespace sagitta::codec {

struct RecodedFrame {
    ByteBuffer bytes;     ///< encoded, or as native pixel data
    PixelFormat written;  ///< what `bytes` are
};

/// What takes the frames.
class FrameTarget {
public:
    virtual ~FrameTarget() = default;
    /// Before the first frame; called again, when a later frame shows that samples need more bits than
    /// those before: then all frames come again.
    [[nodiscard]] virtual Result<void> begin(const PixelFormat& written, std::uint32_t frames) = 0;
    /// In order.
    [[nodiscard]] virtual Result<void> frame(RecodedFrame frame) = 0;
};

struct Recoding {
    std::string_view target;              ///< transfer syntax
    const FrameCodec* encoder = nullptr;  ///< null: native
    EncodeOptions encode;
    DecodeOptions decode;
    unsigned threads = 1;
};

/// All frames of `source`. Errors: those of decoding, encoding and `target`; unsupported when the encoder
/// refuses; mismatch when frames differ in shape or colour.
[[nodiscard]] Result<void> recode_frames(const FrameSource& source, const Recoding& recoding,
                                         FrameTarget& target);

}  // namespace sagitta::codec
