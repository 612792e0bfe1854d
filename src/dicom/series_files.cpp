#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/series.h"

namespace sagitta::dicom {
namespace {

/// What series_instance reads, in the order of a data set.
constexpr std::array kWanted = {
    tags::SpecificCharacterSet,
    tags::SOPClassUID,
    tags::SOPInstanceUID,
    tags::Modality,
    tags::StudyInstanceUID,
    tags::SeriesInstanceUID,
    tags::InstanceNumber,
    tags::ImagePositionPatient,
    tags::ImageOrientationPatient,
    tags::NumberOfFrames,
    tags::Rows,
    tags::Columns,
    tags::PixelSpacing,
};
static_assert(std::is_sorted(kWanted.begin(), kWanted.end()));

}  // namespace

SeriesOfFiles read_series(std::span<const std::string> paths) {
    SeriesOfFiles found;
    std::vector<SeriesInstance> instances;
    HeaderOptions options;
    options.only = kWanted;
    for (const std::string& path : paths) {
        const auto header = read_file_header(path, options);
        if (!header) {
            found.unreadable.push_back({path, header.error()});
            continue;
        }
        auto instance = series_instance(header->data_set, path);
        if (instance) {
            instances.push_back(std::move(*instance));
        } else {
            found.unreadable.push_back({path, std::move(instance).error().within(path)});
        }
    }
    found.series = sort_into_series(std::move(instances));
    return found;
}

Result<SeriesOfFiles> read_series_below(const std::string& folder) {
    namespace fs = std::filesystem;
    std::vector<std::string> paths;
    std::error_code error;
    fs::recursive_directory_iterator at(folder, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        std::error_code unknown;
        if (at->is_regular_file(unknown) && !at->is_symlink(unknown)) paths.push_back(at->path().string());
    }
    if (error) {
        const bool absent = error == std::errc::no_such_file_or_directory;
        return Error(absent ? Errc::not_found : Errc::io_failure, folder + ": " + error.message());
    }
    std::sort(paths.begin(), paths.end());
    return read_series(paths);
}

}  // namespace sagitta::dicom
