// A finished picture: grey or RGB, 8 or 16 bits, without meaning beyond its colours; and what may be
// done with it before it is written (png_writer.h, jpeg_writer.h).
#pragma once

#include <cstdint>

#include "core/byte_buffer.h"

namespace sagitta::codec {

struct Picture {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t channels = 1;  ///< 1 grey, 3 RGB by pixel
    std::uint32_t bits = 8;      ///< 8, or 16 in little endian
    ByteBuffer bytes;            ///< rows × columns × channels samples, rows not padded

    [[nodiscard]] std::uint64_t samples() const noexcept { return std::uint64_t{rows} * columns * channels; }
};

/// The same picture of another size: each axis is averaged over areas where it shrinks and interpolated
/// between centres where it grows. Rows and columns are above 0.
[[nodiscard]] Picture scale(const Picture& picture, std::uint32_t rows, std::uint32_t columns);

/// Black, with so many channels and bits.
[[nodiscard]] Picture blank_picture(std::uint32_t rows, std::uint32_t columns, std::uint32_t channels,
                                    std::uint32_t bits);

/// Grey as RGB; RGB as it is.
[[nodiscard]] Picture to_rgb(Picture picture);

/// Copies `from` onto `onto`, its first pixel at that row and column; both have the same channels and
/// bits, and it fits.
void paste(const Picture& from, Picture& onto, std::uint32_t row, std::uint32_t column) noexcept;

}  // namespace sagitta::codec
