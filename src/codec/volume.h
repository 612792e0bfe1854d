// Slices of a series sorted in space and stacked: what a program wants that computes. Knows positions
// and numbers, not how a volume is written (volume_file.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/pixel_format.h"
#include "codec/value_transform.h"
#include "core/result.h"
#include "dicom/series.h"
#include "dicom/uid.h"

namespace sagitta::codec {

/// A frame of a file, before it is decoded. Lengths in mm, in the patient's coordinates: LPS (PS3.3
/// C.7.6.2.1.1).
struct VolumeSlice {
    std::string path;
    std::uint32_t frame = 0;  ///< of the file, from 0
    dicom::Uid sop_instance_uid;
    std::optional<std::int64_t> number;  ///< Instance Number; of a multi-frame image the frame, from 1
    std::optional<std::array<double, 3>> position_mm;
    std::optional<std::array<double, 6>> orientation;
    std::optional<std::array<double, 2>> pixel_spacing_mm;
    std::optional<double> thickness_mm;  ///< Spacing Between Slices, else Slice Thickness
    PixelFormat format;
    std::optional<ValueRange> range;    ///< of the transformed numbers; nothing for floating point
    bool integers = false;              ///< all of them are integers
    std::string unit;                   ///< Rescale Type, Dose Units; may be empty
    std::optional<ValueRange> padding;  ///< transformed
    /// What else than its place tells it from others of its image: stack, time, echo, segment.
    std::vector<std::int64_t> stack;
};

/// All frames of a file, from its header: of an enhanced image by its functional groups, of an RT Dose
/// by its grid (PS3.3 C.8.8.3). Errors: not_found without pixels, malformed; unsupported for colours.
[[nodiscard]] Result<std::vector<VolumeSlice>> slices_of_file(const std::string& path,
                                                              const PixelLimits& limits = {});

/// What somebody who uses the volume should know. `kind` is a name of dicom::SeriesFinding, or:
/// duplicate (an instance is there twice), no_geometry (sorted by number), sheared (the stack leans, as by
/// gantry tilt), shifted (a slice lies beside the stack), mixed_unit.
struct VolumeFinding {
    std::string kind;
    std::string text;
};

struct Volume {
    dicom::Uid study_instance_uid;
    dicom::Uid series_instance_uid;
    std::string modality;
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::vector<VolumeSlice> slices;  ///< in the order in which they are stacked
    NumberType type = NumberType::float32;
    std::string unit;
    std::optional<ValueRange> padding;

    bool placed = false;                           ///< origin and direction are known
    std::array<double, 3> spacing_mm = {1, 1, 1};  ///< of columns, rows, slices
    std::array<double, 3> origin_mm = {0, 0, 0};   ///< the centre of the first voxel
    /// Where the next column, the next row and the next slice lie: three unit vectors.
    std::array<std::array<double, 3>, 3> direction = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    std::vector<VolumeFinding> findings;
};

struct VolumeOptions {
    std::optional<NumberType> type;  ///< else the smallest integer that is exact for all slices, else float32
    std::uint32_t stack = 0;         ///< which one, from 1, when there are several; 0: there must be one
    PixelLimits limits;
};

/// Of one series, as read_series made it: reads the headers again, no pixels. Errors: invalid_argument
/// naming the stacks when there are several and none was chosen; mismatch when sizes differ; those of
/// slices_of_file.
[[nodiscard]] Result<Volume> plan_volume(const dicom::Series& series, const VolumeOptions& options = {});

/// The same of slices that are known; `series` says whose they are.
[[nodiscard]] Result<Volume> stack_slices(const dicom::Series& series, std::vector<VolumeSlice> slices,
                                          const VolumeOptions& options = {});

/// Nothing, when every finding's kind is allowed; else mismatch, with all the others in one text.
[[nodiscard]] std::optional<Error> refuse_findings(const Volume& volume,
                                                   const std::set<std::string>& allowed);

/// The kinds that there are.
[[nodiscard]] std::span<const std::string_view> volume_finding_kinds() noexcept;

}  // namespace sagitta::codec
