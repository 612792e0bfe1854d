// Pictures as PNG. Writes nothing but the pixels: no text, no times.
#pragma once

#include "codec/picture.h"
#include "core/result.h"

namespace sagitta::codec {

/// Grey or RGB of 8 or 16 bits. Errors: unsupported for a picture that PNG cannot hold.
[[nodiscard]] Result<ByteBuffer> write_png(const Picture& picture);

}  // namespace sagitta::codec
