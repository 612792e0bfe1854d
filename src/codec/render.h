// A frame as a picture that people can look at: the grayscale pipeline (PS3.4 N.2), palettes, overlays,
// size. Which transformations, in which order: docs/RENDERING.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/frame_source.h"
#include "codec/picture.h"
#include "codec/voi.h"
#include "core/result.h"

namespace sagitta::codec {

struct RenderOptions {
    std::optional<Window> window;  ///< else
    std::optional<std::uint32_t>
        voi;                     ///< the n-th VOI of the image, counted from 1: windows, then LUTs; else
    bool automatic = false;      ///< the range of the frame's own values; else the first VOI there is
    double ignored_percent = 0;  ///< of the pixels at each end, for the automatic window
    bool overlays = false;       ///< in white
    bool invert = false;
    bool square_pixels = false;  ///< stretched by Pixel Aspect Ratio or Pixel Spacing
    std::uint32_t bits = 8;      ///< of the picture: 8 or 16
    std::uint32_t size = 0;      ///< of its longer side in pixels; 0: as many as the image has
    PixelLimits limits;          ///< hold for the picture, too
};

/// Frames count from 0. Errors: those of FrameSource::decode; invalid_argument when there is no such
/// VOI; malformed tables and overlays; unsupported colours.
[[nodiscard]] Result<Picture> render_frame(const FrameSource& source, std::uint32_t frame,
                                           const RenderOptions& options = {});

struct ContactSheetOptions {
    std::uint32_t cell = 128;       ///< the longer side of a frame's picture when RenderOptions::size is 0
    std::uint32_t max_cells = 256;  ///< of more frames, so many in equal distances are shown
};

/// All frames beside each other, about as many rows as columns, in the order of reading. Errors: of the
/// first frame that fails.
[[nodiscard]] Result<Picture> render_contact_sheet(const FrameSource& source,
                                                   const RenderOptions& options = {},
                                                   const ContactSheetOptions& sheet = {});

/// How many times as high as wide a pixel is: by Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7), else by the
/// frame's Pixel Spacing, Imager Pixel Spacing or Nominal Scanned Pixel Spacing; else 1.
[[nodiscard]] double pixel_aspect(const dicom::DataSet& data_set, std::uint32_t frame);

}  // namespace sagitta::codec
