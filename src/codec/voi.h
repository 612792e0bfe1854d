// From numbers to grey: windows and VOI LUTs (PS3.3 C.11.2), presentation LUT (C.11.4, C.11.6) and the
// inversion of MONOCHROME1. All grey levels are fractions: 0 is black, 1 is white.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "codec/functional_groups.h"
#include "codec/lookup_table.h"
#include "codec/value_transform.h"

namespace sagitta::codec {

/// VOI LUT Function (0028,1056), PS3.3 C.11.2.1.2 and C.11.2.1.3.
enum class VoiFunction : std::uint8_t { linear, linear_exact, sigmoid };

struct Window {
    double center = 0;
    double width = 1;  ///< above 0
    VoiFunction function = VoiFunction::linear;

    [[nodiscard]] double operator()(double number) const noexcept;
    bool operator==(const Window&) const = default;
};

/// What an image suggests, the windows before the tables. Windows without width are left out.
struct VoiChoices {
    std::vector<Window> windows;
    std::vector<LookupTable> tables;

    [[nodiscard]] std::size_t size() const noexcept { return windows.size() + tables.size(); }
};

/// Of the frame's Frame VOI LUT, else of the top level. `negative`: the numbers may be below 0, which
/// decides how a table's first input is read. Errors: malformed or truncated table.
[[nodiscard]] Result<VoiChoices> voi_choices(const FunctionalGroups& groups, std::uint32_t frame,
                                             bool negative);

/// The range of these numbers as a window; `ignored_percent` of them at each end are left out of it,
/// and all that are not finite. Sorts `numbers` partly.
[[nodiscard]] Window automatic_window(std::span<double> numbers, double ignored_percent);
/// All numbers of a range, none beyond black and white.
[[nodiscard]] Window window_of(const ValueRange& range) noexcept;

/// What follows the VOI (PS3.3 C.11.6.1.2): a table, or an inversion.
struct Presentation {
    std::optional<LookupTable> table;
    bool inverse = false;  ///< Presentation LUT Shape INVERSE, or MONOCHROME1 without a shape

    [[nodiscard]] double operator()(double fraction) const noexcept;
};
[[nodiscard]] Result<Presentation> presentation(const dicom::DataSet& data_set, Photometric photometric);

/// The way of a stored value to its grey level.
struct GrayscalePipeline {
    ModalityTransform modality;
    std::variant<Window, LookupTable> voi;
    Presentation presentation;

    [[nodiscard]] double operator()(double stored) const noexcept;
};

}  // namespace sagitta::codec
