// Covering parts of pictures: rectangles, what is left of a picture without them, and frames blackened
// inside them. Knows nothing of why something must be covered.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/pixel_format.h"

namespace sagitta::codec {

/// In pixels, from the left upper corner of the picture.
struct Rectangle {
    std::uint32_t left = 0;
    std::uint32_t top = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;

    bool operator==(const Rectangle&) const = default;
};

/// The part of `area` inside a picture of that size; empty (no width or no height) when none is.
[[nodiscard]] Rectangle clipped(const Rectangle& area, std::uint32_t columns, std::uint32_t rows) noexcept;

/// Rectangles that cover the picture but for `kept`, and nothing of it twice. At most one for each band of
/// rows and gap between `kept` in it.
[[nodiscard]] std::vector<Rectangle> all_but(std::span<const Rectangle> kept, std::uint32_t columns,
                                             std::uint32_t rows);

/// Overwrites the samples inside `areas` with black: the value that is shown darkest (PS3.3 C.7.6.3.1.2), of
/// palette colour index 0 whatever its colour. Areas are clipped.
void mask_frame(Frame& frame, std::span<const Rectangle> areas);

}  // namespace sagitta::codec
