// All codecs, one function for each file that holds one. Only codecs.cpp, which keeps the table, and the
// tests of a codec need this; everyone else asks find_decoder and find_encoder (frame_codec.h).
#pragma once

#include "codec/frame_codec.h"

namespace sagitta::codec {

/// Encapsulated Uncompressed (PS3.5 A.4.11).
[[nodiscard]] const FrameCodec& encapsulated_uncompressed_codec() noexcept;
/// RLE Lossless (PS3.5 Annex G).
[[nodiscard]] const FrameCodec& rle_codec() noexcept;
/// JPEG, lossy and lossless (PS3.5 A.4.1).
[[nodiscard]] const FrameCodec& jpeg_codec() noexcept;
/// JPEG-LS, lossless and near-lossless (PS3.5 8.2.3), by CharLS.
[[nodiscard]] const FrameCodec& jpeg_ls_codec() noexcept;
/// JPEG 2000 (PS3.5 8.2.4), and HTJ2K decoded, by OpenJPEG.
[[nodiscard]] const FrameCodec& jpeg_2000_codec() noexcept;
/// HTJ2K encoded, lossless, by OpenJPH.
[[nodiscard]] const FrameCodec& htj2k_codec() noexcept;
/// Deflated Image Frame Compression (PS3.5 8.2.16), by zlib.
[[nodiscard]] const FrameCodec& deflated_frame_codec() noexcept;

}  // namespace sagitta::codec
