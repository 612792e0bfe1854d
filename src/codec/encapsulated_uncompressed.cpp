#include <array>
#include <utility>

#include "codec/codecs.h"
#include "codec/native_pixels.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {
namespace {

constexpr std::array<std::string_view, 1> kSyntaxes{
    dicom::uids::EncapsulatedUncompressedExplicitVRLittleEndian};

// A frame as native pixel data has it, in a fragment of its own (PS3.5 A.4.11).
class EncapsulatedUncompressed final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return kSyntaxes; }
    std::span<const std::string_view> encodes() const noexcept override { return kSyntaxes; }

    Result<Frame> decode(std::span<const std::byte> encoded, const PixelFormat& declared,
                         const DecodeOptions& options) const override {
        return unpack_native(encoded, declared, options.limits);
    }

    std::optional<Error> refuses(const PixelFormat&, std::string_view) const override { return std::nullopt; }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view, const EncodeOptions&,
                              PixelFormat& written) const override {
        ByteBuffer bytes = pack_native(frame);
        if (bytes.size() % 2 != 0) bytes.append(std::array{std::byte{0}});
        written = frame.format;
        return bytes;
    }
};

}  // namespace

const FrameCodec& encapsulated_uncompressed_codec() noexcept {
    static const EncapsulatedUncompressed codec;
    return codec;
}

}  // namespace sagitta::codec
