// Instances sorted into series and in space: what comes before a volume. The sorting knows headers
// that were read, not files; read_series reads them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/uid.h"

namespace sagitta::dicom {

/// What sorting needs to know of an instance. Lengths are in mm, in the patient's coordinates
/// (PS3.3 C.7.6.2.1.1).
struct SeriesInstance {
    std::string path;  ///< of its file, or whatever the caller knows it by
    Uid study_instance_uid;
    Uid series_instance_uid;
    Uid sop_instance_uid;
    Uid sop_class_uid;
    std::string modality;
    std::optional<std::int64_t> instance_number;
    std::int64_t rows = 0;     ///< 0 when there are no pixels
    std::int64_t columns = 0;  ///< 0 when there are no pixels
    std::int64_t frames = 1;
    std::optional<std::array<double, 3>> position_mm;  ///< Image Position (Patient)
    std::optional<std::array<double, 6>> orientation;  ///< Image Orientation (Patient)
    std::optional<std::array<double, 2>> pixel_spacing_mm;
};

/// From a header. Values that are malformed are as absent. Errors: not_found when it has no Series or
/// SOP Instance UID.
[[nodiscard]] Result<SeriesInstance> series_instance(const DataSet& header, std::string path = {});

/// What instances are sorted by; each where the one before it is not stated by all of them.
enum class SeriesOrder : std::uint8_t {
    geometry,         ///< distance along the normal of the images, which all have the same one
    instance_number,  ///< Instance Number
    sop_instance_uid,
};

/// What somebody who stacks the series should know.
struct SeriesFinding {
    enum class Kind : std::uint8_t {
        gap,                  ///< `missing` instances would fit between this and the one before
        uneven_spacing,       ///< another distance to the one before, but no whole number of gaps
        same_position,        ///< as the one before, within 0.01 mm, or the same Instance Number
        mixed_orientation,    ///< the first that lies otherwise than the first of all
        mixed_pixel_spacing,  ///< likewise
        mixed_size,           ///< likewise: Rows, Columns
    };
    Kind kind;
    std::size_t instance;       ///< which of Series::instances
    std::uint64_t missing = 0;  ///< of a gap

    bool operator==(const SeriesFinding&) const = default;
};

/// Stable lower-case name of `kind`, for logs and JSON.
[[nodiscard]] std::string_view to_string(SeriesFinding::Kind kind) noexcept;

struct Series {
    Uid study_instance_uid;
    Uid series_instance_uid;
    std::string modality;
    SeriesOrder order = SeriesOrder::sop_instance_uid;
    std::vector<SeriesInstance> instances;   ///< sorted
    std::vector<SeriesInstance> duplicates;  ///< of a SOP Instance UID that is already there
    std::optional<double> spacing_mm;        ///< between positions, the median; sorted by geometry
    std::vector<SeriesFinding> findings;
};

/// One Series for each Study and Series Instance UID, in the order in which they first appear.
[[nodiscard]] std::vector<Series> sort_into_series(std::vector<SeriesInstance> instances);

/// A file that is in no series, and why.
struct UnreadableFile {
    std::string path;
    Error error;
};

struct SeriesOfFiles {
    std::vector<Series> series;
    std::vector<UnreadableFile> unreadable;
};

/// Reads the header of each file, no pixels, one after the other.
[[nodiscard]] SeriesOfFiles read_series(std::span<const std::string> paths);

/// The same for all regular files below `folder`, in the order of their paths. Symbolic links are not
/// followed. Errors: not_found, io_failure when the folder cannot be listed.
[[nodiscard]] Result<SeriesOfFiles> read_series_below(const std::string& folder);

}  // namespace sagitta::dicom
