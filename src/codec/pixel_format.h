// What the pixels of an image are: the Image Pixel Module (PS3.3 C.7.6.3) as one value, and a frame
// of them. Knows nothing of encodings (frame_codec.h) or of what values mean (value_transform.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

/// What a sample is: Pixel Data, Float Pixel Data or Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25).
enum class SampleType : std::uint8_t { integer, float32, float64 };

/// Photometric Interpretation (0028,0004), PS3.3 C.7.6.3.1.2.
enum class Photometric : std::uint8_t {
    monochrome1,
    monochrome2,
    palette_color,
    rgb,
    ybr_full,
    ybr_full_422,
    ybr_partial_420,
    ybr_ict,
    ybr_rct,
    other,
};

/// Its defined term, "OTHER" for what the standard does not name; and back.
[[nodiscard]] std::string_view to_string(Photometric photometric) noexcept;
[[nodiscard]] Photometric parse_photometric(std::string_view term) noexcept;

/// All numbers are checked against each other by describe_pixels; a frame_bytes() fits the limits.
struct PixelFormat {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint16_t samples_per_pixel = 1;
    std::uint16_t bits_allocated = 8;  ///< 1, 8, 16, 32 or 64
    std::uint16_t bits_stored = 8;
    std::uint16_t high_bit = 7;
    bool is_signed = false;  ///< Pixel Representation 1
    bool planar = false;     ///< Planar Configuration 1
    SampleType sample = SampleType::integer;
    Photometric photometric = Photometric::monochrome2;

    [[nodiscard]] std::uint64_t pixels() const noexcept { return std::uint64_t{rows} * columns; }
    /// Of a decoded sample in memory: 1-bit samples take a byte each.
    [[nodiscard]] std::uint32_t sample_bytes() const noexcept { return (bits_allocated + 7u) / 8u; }
    /// Of a decoded frame in memory.
    [[nodiscard]] std::uint64_t frame_bytes() const noexcept {
        return pixels() * samples_per_pixel * sample_bytes();
    }
    bool operator==(const PixelFormat&) const = default;
};

/// How much work an image may ask for. All from configuration or command line.
struct PixelLimits {
    std::uint64_t max_pixels_per_frame = 1ull << 28;
    std::uint64_t max_frame_bytes = 1ull << 31;
    std::uint32_t max_frames = 1u << 24;
    std::uint32_t max_scans = 1000;  ///< of a progressive JPEG
};

/// Reads the module from the top level of a data set, or from the item that carries it (an icon).
/// `pixel_data` names the element of the pixels where the data set ends before it. A High Bit that
/// contradicts Bits Stored is taken as Bits Stored - 1. Errors: not_found when it is no image; malformed
/// with the attribute that contradicts; unsupported; limit_exceeded.
[[nodiscard]] Result<PixelFormat> describe_pixels(const dicom::ElementRange& image,
                                                  const PixelLimits& limits = {}, dicom::Tag pixel_data = {});

/// Errors: limit_exceeded. Before anything is allocated for a frame.
[[nodiscard]] Result<void> check_limits(const PixelFormat& format, const PixelLimits& limits);

/// A decoded frame in canonical form: little endian, colour by pixel, samples in containers of
/// sample_bytes(), stored values without any transformation, bits above Bits Stored as the sign or zero
/// says (overlay bits masked, left-aligned values moved down to bit 0). Native YBR_FULL_422 comes as
/// YBR_FULL, each chrominance sample repeated. `format` says what was found: it may differ from what the
/// data set declared (a compressed stream states its own precision and colour space).
struct Frame {
    PixelFormat format;
    ByteBuffer bytes;  ///< exactly format.frame_bytes()
};

}  // namespace sagitta::codec
