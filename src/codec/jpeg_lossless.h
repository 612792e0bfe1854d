// JPEG lossless, Huffman coding (ITU-T T.81 Annex H, process 14): both ways. Sees samples, knows nothing
// of data sets.
#pragma once

#include <cstdint>
#include <span>

#include "codec/jpeg_stream.h"
#include "core/byte_buffer.h"
#include "core/result.h"

namespace sagitta::codec::jpeg {

/// Decodes all scans of a SOF3 stream whose header `reader` has read, by pixel, into samples of
/// `sample_bytes` (1 or 2). `rows` is that of the frame header or, when that has none, of the data set.
/// Errors: malformed, truncated, unsupported.
[[nodiscard]] Result<void> decode_lossless(StreamReader& reader, std::uint32_t rows,
                                           std::uint32_t sample_bytes, std::span<std::byte> pixels);

struct LosslessImage {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t components = 1;
    std::uint32_t sample_bytes = 1;  ///< 1 or 2, by pixel
    unsigned precision = 8;          ///< 2 to 16; bits above are not looked at
    bool is_rgb = false;             ///< said by the identifiers of the components
};

/// Selection value 1, a Huffman table made for the image, all components in one scan.
[[nodiscard]] ByteBuffer encode_lossless(const LosslessImage& image, std::span<const std::byte> pixels);

}  // namespace sagitta::codec::jpeg
