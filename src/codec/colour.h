// Colour spaces of decoded frames (PS3.3 C.7.6.3.1.2). Palettes are looked up elsewhere (palette.h).
#pragma once

#include "codec/pixel_format.h"

namespace sagitta::codec {

/// Whether to_rgb changes frames that are declared or decoded so.
[[nodiscard]] bool is_luminance_chrominance(Photometric photometric) noexcept;

/// YBR_FULL, YBR_FULL_422 (each pixel with its own chrominance by now) and YBR_ICT, which has the same
/// coefficients, become RGB. What has no luminance and chrominance stays as it is.
/// Errors: unsupported (YBR_PARTIAL_420, which is video's; YBR_RCT outside of its codec; signed samples).
[[nodiscard]] Result<void> to_rgb(Frame& frame);

}  // namespace sagitta::codec
