// The fragments of encapsulated pixel data and which of them make a frame (PS3.5 section A.4). For
// frame_source.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/frame_source.h"
#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

/// Either in memory or at a place in a PixelBytes.
struct Fragment {
    std::uint64_t item_offset = 0;  ///< of its item tag, counted as offset tables count
    std::uint64_t at = 0;
    std::uint64_t length = 0;
    std::span<const std::byte> memory;
};

struct FragmentTable {
    ByteBuffer basic_offsets;  ///< the value of the first item
    std::vector<Fragment> fragments;
};

/// Those of a parsed or built element. The spans live as long as its data set.
[[nodiscard]] FragmentTable list_fragments(const dicom::Element& pixel_data);

/// Those in a file, up to the delimiter or to where no item can stand: then with a warning.
/// Errors: io_failure, limit_exceeded (more than `max_fragments`).
[[nodiscard]] Result<FragmentTable> walk_fragments(const PixelBytes& bytes, std::uint32_t max_fragments,
                                                   std::vector<Error>& warnings);

/// Fills `to` with the first bytes of a fragment that has so many. Errors: truncated, io_failure.
[[nodiscard]] Result<void> read_fragment(const Fragment& fragment, const PixelBytes* bytes,
                                         std::span<std::byte> to);

/// Whether these are the first bytes of a JPEG, JPEG-LS or JPEG 2000 stream.
[[nodiscard]] bool begins_a_stream(std::span<const std::byte, 4> first) noexcept;

/// Extended Offset Table and its lengths, as in the data set; empty without.
struct ExtendedOffsets {
    std::span<const std::byte> offsets;
    std::span<const std::byte> lengths;
};

struct FrameFragments {
    std::uint32_t first = 0;      ///< index of its first fragment
    std::uint32_t last = 0;       ///< behind its last
    std::uint64_t max_bytes = 0;  ///< what an Extended Offset Table says of its length, 0 without
};

/// By the Extended or Basic Offset Table where it is right, else one fragment each, else by what frames
/// begin and end with. Errors: malformed when the fragments cannot be told apart.
[[nodiscard]] Result<std::vector<FrameFragments>> group_fragments(const FragmentTable& table,
                                                                  const ExtendedOffsets& extended,
                                                                  const PixelBytes* bytes,
                                                                  std::uint32_t frames,
                                                                  std::vector<Error>& warnings);

}  // namespace sagitta::codec
