// Volumes as files: .npy for NumPy with a JSON file beside it, .nrrd for everybody who reads that.
// Slices are decoded and written one after the other: memory holds two frames, whatever the series has.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "codec/volume.h"
#include "core/result.h"
#include "dicom/write_file.h"

namespace sagitta::codec {

enum class VolumeFormat : std::uint8_t { npy, nrrd_raw, nrrd_gzip };

struct VolumeFileOptions {
    VolumeFormat format = VolumeFormat::npy;
    dicom::IfFileExists if_exists = dicom::IfFileExists::refuse;
    PixelLimits limits;
    /// Told after each slice how many are written; may be empty.
    std::function<void(std::size_t)> on_slice;
};

/// Decodes and writes all slices, in C order: slice, row, column. A .npy has describe_volume beside it, in
/// a file with the ending .json. Nothing is left behind on an error: those of decoding with the file's
/// name, mismatch when a frame is not what its header said, limit_exceeded when a number does not fit
/// the type, those of dicom::write_file.
[[nodiscard]] Result<void> write_volume(const Volume& volume, const std::string& path,
                                        const VolumeFileOptions& options = {});

/// What the JSON file says: shape, dtype, spacing, origin, direction and affine in LPS, UIDs, findings.
[[nodiscard]] std::string describe_volume(const Volume& volume);

/// The JSON file that belongs to a .npy.
[[nodiscard]] std::string description_path(const std::string& path);

}  // namespace sagitta::codec
