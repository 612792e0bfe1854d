// Palette colour: from one stored value to three (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6, C.7.9), and the
// supplemental palette of an otherwise grey image (C.7.6.19).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "codec/lookup_table.h"
#include "codec/pixel_format.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

struct Palette {
    LookupTable red;
    LookupTable green;
    LookupTable blue;

    /// The three colours as fractions of the brightest.
    [[nodiscard]] std::array<double, 3> operator()(double stored) const noexcept;
};

/// Discrete or segmented. Entries of 16 bits of which none is above 255 are taken as 8 bits.
/// Errors: not_found, malformed, truncated; limit_exceeded from segments.
[[nodiscard]] Result<Palette> read_palette(const dicom::ElementRange& image, const PixelFormat& format);

/// Of a MONOCHROME2 image whose stored values from the first mapped one on are colours; nothing when it
/// has none. Errors as of read_palette.
[[nodiscard]] Result<std::optional<Palette>> read_supplemental_palette(const dicom::DataSet& data_set,
                                                                       const PixelFormat& format);

}  // namespace sagitta::codec
