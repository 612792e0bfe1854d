// Pictures as JFIF files, for people. Pixel data in JPEG is a codec's business (frame_codec.h).
#pragma once

#include "codec/picture.h"
#include "core/result.h"

namespace sagitta::codec {

/// Grey or RGB of 8 bits; `quality` from 1 to 100. Errors: unsupported for a picture that JPEG cannot hold.
[[nodiscard]] Result<ByteBuffer> write_jpeg(const Picture& picture, int quality);

}  // namespace sagitta::codec
