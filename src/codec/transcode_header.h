// What a data set says of its pixels after they were recoded (PS3.3 C.7.6.3, C.7.6.1.1.5, C.12.4.1): for
// transcode.cpp and transcode_file.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/frame_codec.h"
#include "codec/pixel_format.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/uid.h"

namespace sagitta::codec {

struct PixelChange {
    std::string_view source;  ///< transfer syntaxes
    std::string_view target;
    PixelFormat written;
    std::uint32_t frames = 1;
    /// Of a target that loses: decimal, at most 16 characters, the same number of them in every call for
    /// one object.
    std::string ratio;
    dicom::Uid new_uid;  ///< of the instance, when newly lossy
};

/// Whether what is written in it has lost something, as our encoders write it.
[[nodiscard]] bool is_lossy_target(std::string_view transfer_syntax_uid,
                                   const EncodeOptions& options) noexcept;
/// Whether what was read from it has certainly lost something.
[[nodiscard]] bool is_lossy_source(std::string_view transfer_syntax_uid) noexcept;

/// `header` without or with its pixel data, which stays as it is. Errors: those of apply_edits.
[[nodiscard]] Result<dicom::DataSet> describe_change(const dicom::DataSet& header, const PixelChange& change,
                                                     std::vector<Error>& warnings);

/// Recoding would lose something that is not pixels: overlays in bits that are not stored (PS3.3 C.9.2,
/// retired).
[[nodiscard]] Result<void> check_recodable(const dicom::DataSet& header);

/// An icon that is compressed in an object that will not be (PS3.5 A.4) is left out, with a warning.
[[nodiscard]] dicom::DataSet without_compressed_icon(dicom::DataSet header, std::vector<Error>& warnings);

}  // namespace sagitta::codec
