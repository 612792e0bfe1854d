// What is to be done to bring an object from one transfer syntax to another, before its pixels are
// known: for transcode.cpp and transcode_file.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "codec/frame_pipeline.h"
#include "codec/transcode.h"
#include "codec/transcode_header.h"
#include "dicom/generated/uids.h"
#include "dicom/uid.h"

namespace sagitta::codec {

/// Native pixel data, in the order in which we prefer them.
inline constexpr std::array kNativeSyntaxes{
    dicom::uids::ExplicitVRLittleEndian, dicom::uids::ImplicitVRLittleEndian,
    dicom::uids::ExplicitVRBigEndian, dicom::uids::DeflatedExplicitVRLittleEndian};

[[nodiscard]] bool is_native(std::string_view transfer_syntax_uid) noexcept;
/// PS3.5 8.2.5 to 8.2.12.
[[nodiscard]] bool is_video(std::string_view transfer_syntax_uid) noexcept;

struct TranscodePlan {
    std::string_view source;
    std::string_view target;
    const FrameCodec* encoder = nullptr;  ///< null: the target is native
    dicom::Uid new_uid;                   ///< of the instance, when newly lossy
    TranscodeOptions options;

    /// Pixels may stay as they lie: their bytes, or words of 16 bits, are at most swapped.
    [[nodiscard]] bool native_to_native(bool at_most_words) const noexcept;
    [[nodiscard]] Recoding recoding(const PixelFormat& declared) const;
    [[nodiscard]] PixelChange change(const PixelFormat& written, std::uint32_t frames) const;
    /// Native bytes for each encoded one (PS3.3 C.7.6.1.1.5.2).
    [[nodiscard]] double ratio(const PixelFormat& written, std::uint64_t frames,
                               std::uint64_t encoded_bytes) const noexcept;
};

/// Errors: unsupported, when nothing here writes the target or reads the source.
[[nodiscard]] Result<TranscodePlan> make_plan(std::string_view source, std::string_view target,
                                              const TranscodeOptions& options);

/// Words of 16 bits are all that big endian has for samples without a VR of their own (PS3.5 A.3), so
/// that readers differ on longer ones. Errors: unsupported.
[[nodiscard]] Result<void> check_words(const TranscodePlan& plan, const dicom::DataSet& header,
                                       dicom::Tag pixel_data);

/// Frames that are declared and not there would be gone for good. Errors: truncated.
[[nodiscard]] Result<void> check_complete(const FrameSource& frames, TranscodeReport& report);

/// Frames of native pixel data one behind the other, by bits.
class NativeFrames {
public:
    explicit NativeFrames(const PixelFormat& format);
    /// `frame` begins at a byte of its own.
    void append(std::span<const std::byte> frame, ByteBuffer& out);
    /// The bits that are left; even length of all that was given out.
    void finish(ByteBuffer& out);
    /// Of so many frames, padded.
    [[nodiscard]] std::uint64_t bytes_of(std::uint64_t frames) const noexcept;

private:
    std::uint64_t frame_bits_;
    unsigned left_bits_ = 0;
    unsigned left_ = 0;
    std::uint64_t given_ = 0;
};

}  // namespace sagitta::codec
