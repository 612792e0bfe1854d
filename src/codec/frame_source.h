// The frames of an image, one at a time, without touching the others: native pixel data, and
// fragments with a Basic or Extended Offset Table or none (PS3.5 A.4, PS3.3 C.7.6.3.1.8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/pixel_format.h"
#include "dicom/data_set.h"
#include "dicom/part10.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::codec {

/// Where the bytes of a pixel data element lie: in memory, or in a file that is read piece by piece.
/// Thread-safe.
class PixelBytes {
public:
    virtual ~PixelBytes() = default;
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
    /// Fills all of `to` from byte `from` on. Errors: truncated when there are not so many; io_failure.
    [[nodiscard]] virtual Result<void> read(std::uint64_t from, std::span<std::byte> to) const = 0;
};

struct DecodeOptions {
    PixelLimits limits;
    /// Halve rows and columns so many times where the stream allows it (JPEG 2000, JPEG 8-bit); the
    /// others ignore it. The frame's format says what came of it.
    std::uint32_t reduce = 0;
    /// Turn YBR_FULL, YBR_FULL_422, YBR_ICT and YBR_RCT into RGB, as the codec declares them.
    bool to_rgb = false;
};

/// Thread-safe: frames may be decoded in parallel. Keeps what it reads from alive.
class FrameSource {
public:
    /// Of a parsed data set, all in memory. Errors: not_found when it has no pixel data; malformed;
    /// unsupported, naming the transfer syntax (video passes through untouched, PS3.5 8.2.5 ff).
    [[nodiscard]] static Result<FrameSource> open(dicom::DataSet data_set,
                                                  const dicom::TransferSyntax& syntax,
                                                  const PixelLimits& limits = {});
    /// Of a file: the header is in memory, pixel data is read when asked for.
    [[nodiscard]] static Result<FrameSource> open_file(const std::string& path,
                                                       const PixelLimits& limits = {});

    FrameSource(FrameSource&&) noexcept;
    FrameSource& operator=(FrameSource&&) noexcept;
    ~FrameSource();

    [[nodiscard]] const dicom::DataSet& data_set() const noexcept;  ///< of a file: all before the pixels
    [[nodiscard]] const dicom::TransferSyntax& syntax() const noexcept;
    [[nodiscard]] const PixelFormat& format() const noexcept;  ///< as the data set declares it
    /// Number of Frames; or as many whole ones as there are, when fewer.
    [[nodiscard]] std::uint32_t frame_count() const noexcept;
    /// What was repaired or contradicts: wrong offsets, a missing delimiter, frames that are not there.
    [[nodiscard]] std::span<const Error> warnings() const noexcept;

    /// The bytes of one frame as stored: of an encapsulated image the joined fragments; of a native one
    /// in little endian, 1-bit samples moved to begin at a byte. Errors: invalid_argument (no such frame,
    /// frames count from 0), truncated (declared, but not there), io_failure.
    [[nodiscard]] Result<ByteBuffer> encoded(std::uint32_t frame) const;
    /// Errors: those of encoded; malformed, unsupported, limit_exceeded from the codec.
    [[nodiscard]] Result<Frame> decode(std::uint32_t frame, const DecodeOptions& options = {}) const;

private:
    struct State;
    explicit FrameSource(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace sagitta::codec
