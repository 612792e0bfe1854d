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

}  // namespace sagitta::codec
