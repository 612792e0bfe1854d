// The main header of a JPEG 2000 codestream (ITU-T T.800 Annex A), read before a library allocates by
// it. Knows nothing of pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace sagitta::codec {

struct Jpeg2000Component {
    std::uint32_t precision = 8;  ///< bits, 1 to 38
    bool is_signed = false;
    std::uint32_t dx = 1;  ///< subsampling
    std::uint32_t dy = 1;
    bool operator==(const Jpeg2000Component&) const = default;
};

struct Jpeg2000Header {
    std::uint32_t rows = 0;  ///< of the reference grid's image area
    std::uint32_t columns = 0;
    std::uint64_t tiles = 1;
    std::vector<Jpeg2000Component> components;
    std::uint32_t levels = 0;               ///< the fewest decompositions of any component
    bool component_transform = false;       ///< RCT or ICT (T.800 Annex G)
    bool reversible = false;                ///< the 5-3 filter
    std::size_t first_tile_part_bytes = 0;  ///< where the main header ends
};

/// The contiguous codestream in `bytes`: they are it, or are a JP2 file that holds it (T.800 Annex I).
/// Errors: malformed, truncated.
[[nodiscard]] Result<std::span<const std::byte>> find_codestream(std::span<const std::byte> bytes);

/// Errors: malformed, truncated, limit_exceeded (tiles or components beyond reason).
[[nodiscard]] Result<Jpeg2000Header> read_jpeg_2000_header(std::span<const std::byte> codestream);

}  // namespace sagitta::codec
