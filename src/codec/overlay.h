// Overlay planes (PS3.3 C.9.2): bitmaps in groups 6000 to 601E, or in high bits of the pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "codec/pixel_format.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

/// Valid as long as its data set is neither changed nor destroyed.
struct Overlay {
    std::uint16_t group = 0x6000;
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::int64_t row = 0;               ///< of the image, counted from 0, on which the plane's first one lies
    std::int64_t column = 0;            ///< may be outside of the image, as may be `row`
    bool region_of_interest = false;    ///< Overlay Type R; else graphics
    std::uint32_t first_frame = 0;      ///< of the image, counted from 0
    std::uint32_t frames = 1;           ///< of the overlay; a single one covers all of the image
    std::span<const std::byte> packed;  ///< Overlay Data, the lowest bit first; empty when embedded
    bool swapped = false;               ///< the bytes of each word of `packed` (big endian, OW)
    std::uint16_t bit_position = 0;     ///< of an embedded one: of its bit in the pixels
    bool embedded = false;              ///< Overlay Bit Position in the pixel data (retired)
};

/// All that an image has, by group. Errors: malformed or truncated with the tag, and the
/// dimensions are held against the data.
[[nodiscard]] Result<std::vector<Overlay>> read_overlays(const dicom::DataSet& data_set,
                                                         const PixelFormat& format);

/// The overlay over one frame (counted from 0) of the image: a byte for each of its pixels, 1 where
/// the overlay is. Empty when it does not cover that frame. `raw` are the native bytes of that frame,
/// in little endian, of which only an embedded overlay is read.
[[nodiscard]] std::vector<std::uint8_t> overlay_mask(const Overlay& overlay, const PixelFormat& format,
                                                     std::uint32_t frame, std::span<const std::byte> raw);

}  // namespace sagitta::codec
