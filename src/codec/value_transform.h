// From stored values to numbers that mean something: Modality LUT, Rescale Slope and Intercept (PS3.3
// C.11.1), also per frame (C.7.6.16.2.9). Pure functions over arrays; display comes later (voi.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/functional_groups.h"
#include "codec/lookup_table.h"
#include "codec/pixel_format.h"
#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::codec {

/// A table wins over slope and intercept.
struct ModalityTransform {
    double slope = 1;
    double intercept = 0;
    std::optional<LookupTable> table;
    std::string type;  ///< Rescale Type or Modality LUT Type: "HU"; may be empty

    [[nodiscard]] double operator()(double stored) const noexcept;
};

/// Of a frame, counted from 0. Of an RT Dose the slope is Dose Grid Scaling, of which the type is Dose
/// Units (PS3.3 C.8.8.3). Slope 1 and intercept 0 when nothing is stated. Errors: malformed.
[[nodiscard]] Result<ModalityTransform> modality_transform(const dicom::DataSet& data_set,
                                                           const FunctionalGroups& groups,
                                                           std::uint32_t frame, const PixelFormat& format);

/// Stored values that are no part of the image (PS3.3 C.7.5.1.1.2): one, or a range.
struct PixelPadding {
    double lowest = 0;
    double highest = 0;

    [[nodiscard]] bool contains(double stored) const noexcept {
        return stored >= lowest && stored <= highest;
    }
};
[[nodiscard]] std::optional<PixelPadding> pixel_padding(const dicom::DataSet& data_set,
                                                        const PixelFormat& format);

/// The lowest and highest value that the format can store; nothing for floating point.
struct ValueRange {
    double lowest = 0;
    double highest = 0;
};
[[nodiscard]] std::optional<ValueRange> stored_range(const PixelFormat& format) noexcept;
/// The same behind the transformation.
[[nodiscard]] std::optional<ValueRange> transformed_range(const PixelFormat& format,
                                                          const ModalityTransform& transform) noexcept;

/// Samples from the `first` on as numbers, as many as `out` has: sign extended from Bits Stored, what
/// is above masked. They must be there.
void read_samples(const Frame& frame, std::size_t first, std::span<double> out) noexcept;

/// What numbers are written as, little endian.
enum class NumberType : std::uint8_t { uint8, int8, uint16, int16, uint32, int32, float32, float64 };
[[nodiscard]] std::string_view to_string(NumberType type) noexcept;
[[nodiscard]] std::optional<NumberType> parse_number_type(std::string_view name) noexcept;
[[nodiscard]] std::size_t size_of(NumberType type) noexcept;

/// The smallest integer that holds every value of the range; float32 when there is none, or nothing but
/// integers cannot be relied on.
[[nodiscard]] NumberType smallest_integer(const ValueRange& range) noexcept;
/// Everything that this transformation can make of a stored value is an integer.
[[nodiscard]] bool makes_integers(const PixelFormat& format, const ModalityTransform& transform) noexcept;

/// All samples of a frame, transformed, into `out`, which has samples × size_of(type) bytes. Values that
/// are no integers are rounded for an integer type. Errors: limit_exceeded when one does not fit.
[[nodiscard]] Result<void> write_numbers(const Frame& frame, const ModalityTransform& transform,
                                         NumberType type, std::span<std::byte> out);

}  // namespace sagitta::codec
