// Covering parts of a JPEG picture without decoding it: its coefficients stay as they are outside.
#pragma once

#include <cstddef>
#include <span>

#include "codec/mask.h"
#include "core/byte_buffer.h"
#include "core/result.h"

namespace sagitta::codec {

/// An 8-bit JPEG stream of DCT processes (baseline, extended, progressive) with `areas` black. What is
/// touched is whole MCUs (up to 32 by 32 pixels), so a little more than asked; all others decode to the
/// same samples. Application data and comments are dropped. `inverted`: MONOCHROME1, where black is the
/// highest value. Even length. Errors: malformed, unsupported, limit_exceeded.
[[nodiscard]] Result<ByteBuffer> mask_jpeg(std::span<const std::byte> encoded,
                                           std::span<const Rectangle> areas, bool inverted,
                                           const PixelLimits& limits = {});

}  // namespace sagitta::codec
