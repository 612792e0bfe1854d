// Deflated Image Frame Compression (PS3.5 8.2.16): each native frame as an RFC 1951 stream of its own.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <string>

#include "codec/codecs.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {
namespace {

constexpr std::array<std::string_view, 1> kSyntaxes{dicom::uids::DeflatedImageFrameCompression};
constexpr int kRawDeflate = -15;
// RFC 1951 makes at most 1032 bytes of one.
constexpr std::uint64_t kMostFromAByte = 1032;

// zlib counts in 32 bits.
uInt piece(std::size_t bytes) {
    return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

// Fills all of `to`, and no more.
Result<void> inflate_into(std::span<const std::byte> from, std::span<std::byte> to) {
    z_stream stream{};
    if (inflateInit2(&stream, kRawDeflate) != Z_OK)
        return Error(Errc::limit_exceeded, "no memory to inflate a frame");
    std::size_t read = 0;
    std::size_t written = 0;
    int code = Z_OK;
    while (code == Z_OK && written < to.size()) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data() + read));
        stream.next_out = reinterpret_cast<Bytef*>(to.data() + written);
        const uInt in = stream.avail_in = piece(from.size() - read);
        const uInt out = stream.avail_out = piece(to.size() - written);
        code = inflate(&stream, Z_NO_FLUSH);
        read += in - stream.avail_in;
        written += out - stream.avail_out;
    }
    inflateEnd(&stream);
    if (written == to.size()) return {};
    const bool ended = code == Z_STREAM_END || code == Z_BUF_ERROR || code == Z_OK;
    return Error(
        ended ? Errc::truncated : Errc::malformed,
        "a deflated frame gives " + std::to_string(written) + " of " + std::to_string(to.size()) + " bytes",
        read);
}

Result<ByteBuffer> deflate_all(std::span<const std::byte> bytes) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawDeflate, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return Error(Errc::limit_exceeded, "no memory to deflate a frame");
    ByteBuffer out;
    std::size_t read = 0;
    int code = Z_OK;
    while (code == Z_OK) {
        const auto space = out.prepare(256 * 1024);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data() + read));
        stream.next_out = reinterpret_cast<Bytef*>(space.data());
        const uInt in = stream.avail_in = piece(bytes.size() - read);
        stream.avail_out = piece(space.size());
        code = deflate(&stream, read + in == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
        read += in - stream.avail_in;
        out.commit(space.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    if (code != Z_STREAM_END) return Error(Errc::io_failure, "zlib does not deflate a frame");
    if (out.size() % 2 != 0) append_be<std::uint8_t>(out, 0);
    return out;
}

class DeflatedFrame final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return kSyntaxes; }
    std::span<const std::string_view> encodes() const noexcept override { return kSyntaxes; }

    Result<Frame> decode(std::span<const std::byte> encoded, const PixelFormat& declared,
                         const DecodeOptions& options) const override {
        if (auto checked = check_limits(declared, options.limits); !checked)
            return std::move(checked).error();
        const std::uint64_t wanted = (native_frame_bits(declared) + 7) / 8;
        if (wanted / kMostFromAByte > encoded.size()) {
            return Error(Errc::truncated, std::to_string(encoded.size()) + " deflated bytes for a frame of " +
                                              std::to_string(wanted));
        }
        try {
            ByteBuffer stored;
            const auto space = stored.prepare(wanted);
            if (auto inflated = inflate_into(encoded, space); !inflated) return std::move(inflated).error();
            stored.commit(wanted);
            return unpack_native(stored.span(), declared, options.limits);
        } catch (const std::bad_alloc&) {
            return Error(Errc::limit_exceeded, "no memory for a deflated frame");
        }
    }

    std::optional<Error> refuses(const PixelFormat&, std::string_view) const override { return std::nullopt; }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view, const EncodeOptions&,
                              PixelFormat& written) const override {
        written = frame.format;
        try {
            const ByteBuffer native = pack_native(frame);
            return deflate_all(native.span());
        } catch (const std::bad_alloc&) {
            return Error(Errc::limit_exceeded, "no memory to deflate a frame");
        }
    }
};

}  // namespace

const FrameCodec& deflated_frame_codec() noexcept {
    static const DeflatedFrame codec;
    return codec;
}

}  // namespace sagitta::codec
