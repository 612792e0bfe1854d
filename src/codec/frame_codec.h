// One compression of frames (PS3.5 section 8.2, Annex A.4), behind one interface; each codec library is
// used in one file. A codec sees one frame and knows nothing of fragments or data sets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "codec/frame_source.h"
#include "codec/pixel_format.h"

namespace sagitta::codec {

struct EncodeOptions {
    std::uint32_t near = 2;         ///< JPEG-LS near-lossless: the largest error of a sample
    double compression_ratio = 10;  ///< JPEG 2000 lossy; at 1 or less it is reversible
    std::uint32_t quality = 90;     ///< JPEG baseline, 1 to 100
};

/// Thread-safe, without state.
class FrameCodec {
public:
    virtual ~FrameCodec() = default;

    /// The transfer syntaxes it reads.
    [[nodiscard]] virtual std::span<const std::string_view> decodes() const noexcept = 0;
    /// The transfer syntaxes it writes.
    [[nodiscard]] virtual std::span<const std::string_view> encodes() const noexcept = 0;

    /// `declared` is what the data set says; the stream's own header wins where they differ.
    /// Errors: malformed, truncated, unsupported, limit_exceeded; each says where and why.
    [[nodiscard]] virtual Result<Frame> decode(std::span<const std::byte> encoded,
                                               const PixelFormat& declared,
                                               const DecodeOptions& options) const = 0;

    /// Why frames of this format cannot be written in that syntax; nothing when they can.
    [[nodiscard]] virtual std::optional<Error> refuses(const PixelFormat& format,
                                                       std::string_view transfer_syntax_uid) const = 0;

    /// Even length. What the encoded frame is (a Photometric Interpretation that the codec turned the
    /// colours into) is written to `written`.
    [[nodiscard]] virtual Result<ByteBuffer> encode(const Frame& frame, std::string_view transfer_syntax_uid,
                                                    const EncodeOptions& options,
                                                    PixelFormat& written) const = 0;
};

/// Null when no codec reads, or writes, that syntax. The codecs live as long as the program.
[[nodiscard]] const FrameCodec* find_decoder(std::string_view transfer_syntax_uid) noexcept;
[[nodiscard]] const FrameCodec* find_encoder(std::string_view transfer_syntax_uid) noexcept;

}  // namespace sagitta::codec
