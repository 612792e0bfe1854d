// JPEG extended sequential of 12 bits (ITU-T T.81 process 4), which libjpeg-turbo does not read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/jpeg_stream.h"
#include "core/result.h"

namespace sagitta::codec::jpeg {

/// Decodes all scans of a SOF1 stream of 12 bits whose header `reader` has read, by pixel, into samples
/// of 16 bits; chrominance of lower resolution is repeated. `rows` as for decode_lossless.
/// Errors: malformed, truncated.
[[nodiscard]] Result<void> decode_sequential12(StreamReader& reader, std::uint32_t rows,
                                               std::span<std::byte> pixels);

}  // namespace sagitta::codec::jpeg
