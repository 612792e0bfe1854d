// An object from one transfer syntax to another (PS3.5 Annex A, PS3.4 B.4.1): pixels through the codecs,
// and the data set made to say what became of them. Lossy only when the target is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/frame_codec.h"
#include "codec/pixel_format.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"
#include "dicom/write_file.h"

namespace sagitta::codec {

struct TranscodeOptions {
    EncodeOptions encode;
    PixelLimits limits;
    unsigned threads = 1;  ///< frames of one object at the same time
    /// Objects that need to be in memory as a whole: deflated ones, and those without pixels.
    std::uint64_t max_bytes_in_memory = 2ull << 30;
};

struct TranscodeReport {
    std::string transfer_syntax_uid;  ///< of the result; not the target when `untouched`
    /// The bytes of the pixels are those of the source.
    bool pixels_copied = false;
    /// The object is as it was, and why: video, or no pixels for a compressed target.
    std::string untouched;
    /// The result has a new SOP Instance UID (PS3.3 C.12.4.1).
    bool newly_lossy = false;
    std::uint32_t frames = 0;
    std::vector<Error> warnings;
};

/// Writes the file `in` as a new file `out` in the transfer syntax `target`. Frames go through memory a
/// few at a time, pixels that stay as they are a piece at a time.
/// Errors: those of FrameSource, of the codecs (unsupported: a lossless way does not exist), of
/// write_file; truncated when declared frames are missing; nothing is left behind.
[[nodiscard]] Result<TranscodeReport> transcode_file(
    const std::string& in, const std::string& out, std::string_view target,
    const TranscodeOptions& options = {}, dicom::IfFileExists if_exists = dicom::IfFileExists::refuse);

struct Transcoded {
    dicom::DataSet data_set;  ///< to be written in `syntax`
    const dicom::TransferSyntax* syntax = nullptr;
    TranscodeReport report;
};

/// The same in memory, for an object on its way to a peer. Video is an error: unsupported.
[[nodiscard]] Result<Transcoded> transcode(const dicom::DataSet& data_set, std::string_view source,
                                           std::string_view target, const TranscodeOptions& options = {});

/// Whether frames or data sets can be brought into that syntax here.
[[nodiscard]] bool can_transcode_to(std::string_view transfer_syntax_uid) noexcept;

/// Which of the accepted syntaxes costs least and loses nothing: the stored one itself, then native ones,
/// then compressed ones by their speed. `format` is nothing for an object without pixels.
[[nodiscard]] std::optional<std::string_view> choose_transfer_syntax(
    std::string_view source, const std::optional<PixelFormat>& format,
    std::span<const std::string_view> accepted);

}  // namespace sagitta::codec
