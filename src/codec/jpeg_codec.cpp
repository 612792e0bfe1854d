// JPEG as DICOM has it (PS3.5 8.2.1, A.4.1 to A.4.2): which decoder reads a stream is said by the stream.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "codec/codecs.h"
#include "codec/jpeg_dct.h"
#include "codec/jpeg_lossless.h"
#include "codec/jpeg_stream.h"
#include "codec/jpeg_turbo.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {
namespace {

namespace uids = dicom::uids;

constexpr std::array<std::string_view, 6> kDecodes{
    uids::JPEGBaseline8Bit,
    uids::JPEGExtended12Bit,
    uids::JPEGSpectralSelectionNonHierarchical68,  // retired, Huffman coded like the others
    uids::JPEGFullProgressionNonHierarchical1012,
    uids::JPEGLossless,
    uids::JPEGLosslessSV1,
};
constexpr std::array<std::string_view, 2> kEncodes{uids::JPEGBaseline8Bit, uids::JPEGLosslessSV1};

std::string hexadecimal(std::uint8_t marker) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    return {kDigits[marker >> 4], kDigits[marker & 15]};
}

Error unsupported_process(const jpeg::FrameHeader& header) {
    return {Errc::unsupported, "JPEG process of marker FF" + hexadecimal(header.sof) + " with " +
                                   std::to_string(header.precision) + " bits"};
}

bool is_turbo(const jpeg::FrameHeader& header) {
    if (header.precision != 8) return false;
    return header.sof <= jpeg::kSof2 || header.sof == jpeg::kSof9 || header.sof == jpeg::kSof10;
}

bool is_ybr(Photometric photometric) {
    return photometric >= Photometric::ybr_full && photometric <= Photometric::ybr_rct;
}

// Whether three components are YBR: what the stream itself says goes before what the data set declares,
// which is often wrong in compressed images.
bool stream_is_ybr(const jpeg::StreamReader& reader, const PixelFormat& declared) {
    const auto& components = reader.frame().components;
    if (reader.frame().sof == jpeg::kSof3) return is_ybr(declared.photometric);
    if (reader.colours().adobe_transform) return *reader.colours().adobe_transform != 0;
    if (reader.colours().jfif) return true;
    if (components[0].id == 'R' && components[1].id == 'G' && components[2].id == 'B') return false;
    if (components[0].horizontal != components[1].horizontal ||
        components[0].vertical != components[1].vertical)
        return true;  // nobody halves the resolution of green and blue
    return declared.photometric != Photometric::rgb;
}

// What the samples of the stream are, in the containers the data set declares where they fit.
PixelFormat stream_format(const PixelFormat& declared, const jpeg::StreamReader& reader) {
    const auto& header = reader.frame();
    PixelFormat format = declared;
    format.rows = header.rows != 0 ? header.rows : declared.rows;
    format.columns = header.columns;
    format.samples_per_pixel = static_cast<std::uint16_t>(header.components.size());
    format.planar = false;
    format.sample = SampleType::integer;
    const std::uint16_t container = header.precision > 8 ? 16 : 8;
    if (declared.bits_allocated < container || declared.bits_allocated > 16) {
        format.bits_allocated = container;
        format.bits_stored = declared.bits_allocated < container
                                 ? header.precision
                                 : std::min<std::uint16_t>(declared.bits_stored, container);
    }
    if (format.high_bit >= header.precision || format.high_bit + 1 < format.bits_stored)
        format.high_bit = static_cast<std::uint16_t>(format.bits_stored - 1);
    if (format.samples_per_pixel == 3) {
        format.photometric = stream_is_ybr(reader, declared) ? Photometric::ybr_full : Photometric::rgb;
    } else if (declared.samples_per_pixel == 3) {
        format.photometric = format.samples_per_pixel == 1 ? Photometric::monochrome2 : Photometric::other;
    }
    return format;
}

// The sign of a sample is the highest bit of the stream's precision where that is the smaller one.
void extend_samples(std::span<std::byte> samples, PixelFormat& format, unsigned precision) {
    const std::uint16_t stored = format.bits_stored;
    format.bits_stored = std::min<std::uint16_t>(stored, static_cast<std::uint16_t>(precision));
    if (format.bits_stored < stored) format.high_bit = static_cast<std::uint16_t>(format.bits_stored - 1);
    keep_stored_bits(samples, format);
    format.bits_stored = stored;
    format.high_bit = static_cast<std::uint16_t>(stored - 1);
}

// A lossy sample may overshoot what Bits Stored hold: masked it would turn from white to black.
void clamp_samples(std::span<std::byte> samples, const PixelFormat& format) {
    if (format.is_signed || format.bits_stored == format.bits_allocated) return;
    const auto largest = static_cast<std::uint16_t>((1u << format.bits_stored) - 1);
    if (format.sample_bytes() == 1) {
        for (auto& sample : samples) sample = std::min(sample, static_cast<std::byte>(largest));
        return;
    }
    for (std::size_t at = 0; at + 2 <= samples.size(); at += 2)
        store_le(samples.data() + at, std::min(load_le<std::uint16_t>(samples.data() + at), largest));
}

ByteBuffer widen(std::span<const std::byte> bytes) {
    ByteBuffer wide;
    const auto out = wide.prepare(2 * bytes.size());
    for (std::size_t n = 0; n < bytes.size(); ++n)
        store_le(out.data() + 2 * n, std::to_integer<std::uint16_t>(bytes[n]));
    wide.commit(out.size());
    return wide;
}

Result<Frame> decode_with_turbo(std::span<const std::byte> encoded, PixelFormat format,
                                const DecodeOptions& options) {
    jpeg::TurboOptions turbo;
    turbo.reduce = options.reduce;
    turbo.to_rgb = options.to_rgb;
    turbo.max_scans = options.limits.max_scans;
    turbo.stream_is_ybr = format.photometric == Photometric::ybr_full;
    auto image = jpeg::decode_turbo(encoded, turbo);
    if (!image) return std::move(image).error();
    format.rows = image->rows;
    format.columns = image->columns;
    if (turbo.stream_is_ybr && turbo.to_rgb) format.photometric = Photometric::rgb;
    if (image->components != format.samples_per_pixel)
        return Error(Errc::malformed, "JPEG frame header changes on the way");
    ByteBuffer pixels = std::move(image->pixels);
    if (format.bits_allocated == 16) pixels = widen(std::as_const(pixels).span());
    const auto samples = std::span(pixels.data(), pixels.size());
    clamp_samples(samples, format);
    extend_samples(samples, format, 8);
    return Frame{format, std::move(pixels)};
}

Result<Frame> decode_samples(jpeg::StreamReader& reader, PixelFormat format) {
    Frame frame;
    const auto out = frame.bytes.prepare(format.frame_bytes());
    frame.bytes.commit(out.size());
    auto done = reader.frame().sof == jpeg::kSof3
                    ? jpeg::decode_lossless(reader, format.rows, format.sample_bytes(), out)
                    : jpeg::decode_sequential12(reader, format.rows, out);
    if (!done) return std::move(done).error();
    if (reader.frame().sof != jpeg::kSof3) clamp_samples(out, format);
    extend_samples(out, format, reader.frame().precision);
    frame.format = format;
    return frame;
}

class Jpeg final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return kDecodes; }
    std::span<const std::string_view> encodes() const noexcept override { return kEncodes; }

    Result<Frame> decode(std::span<const std::byte> encoded, const PixelFormat& declared,
                         const DecodeOptions& options) const override {
        jpeg::StreamReader reader(encoded);
        if (auto read = reader.read_frame_header(); !read) return std::move(read).error();
        const auto& header = reader.frame();
        const PixelFormat format = stream_format(declared, reader);
        if (auto checked = check_limits(format, options.limits); !checked) return std::move(checked).error();
        // The shortest code is a bit, of a sample or of a block of 64.
        const std::uint64_t each = header.sof == jpeg::kSof3 ? 1 : 64;
        if (format.pixels() > 8 * each * encoded.size())
            return Error(Errc::truncated, "JPEG stream too short for its pixels", encoded.size());
        if (header.sof == jpeg::kSof55) {
            const FrameCodec* other = find_decoder(uids::JPEGLSLossless);
            if (other != nullptr) return other->decode(encoded, declared, options);
        }
        if (is_turbo(header)) return decode_with_turbo(encoded, format, options);
        const bool is_sequential12 = header.sof == jpeg::kSof1 && header.precision == 12;
        if (header.sof == jpeg::kSof3 || is_sequential12) return decode_samples(reader, format);
        return unsupported_process(header);
    }

    std::optional<Error> refuses(const PixelFormat& format, std::string_view uid) const override {
        if (format.rows > 0xffff || format.columns > 0xffff)
            return Error(Errc::unsupported, "JPEG takes at most 65535 rows and columns");
        const bool integers = format.sample == SampleType::integer;
        if (uid == uids::JPEGLosslessSV1) {
            if (integers && (format.bits_allocated == 8 || format.bits_allocated == 16)) return std::nullopt;
            return Error(Errc::unsupported, "JPEG lossless takes integers of 8 or 16 bits");
        }
        if (!integers || format.bits_allocated != 8 || format.is_signed)
            return Error(Errc::unsupported, "JPEG baseline takes unsigned samples of 8 bits");
        const bool colour =
            format.photometric == Photometric::rgb || format.photometric == Photometric::ybr_full;
        const bool grey =
            format.photometric == Photometric::monochrome1 || format.photometric == Photometric::monochrome2;
        if ((format.samples_per_pixel == 3 && colour) || (format.samples_per_pixel == 1 && grey))
            return std::nullopt;
        return Error(Errc::unsupported, "JPEG baseline takes MONOCHROME, RGB and YBR_FULL, not " +
                                            std::string(to_string(format.photometric)));
    }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view uid, const EncodeOptions& options,
                              PixelFormat& written) const override {
        if (auto refusal = refuses(frame.format, uid)) return std::move(*refusal);
        written = frame.format;
        if (uid == uids::JPEGLosslessSV1) return encode_lossless(frame);
        jpeg::TurboImage image;
        image.rows = frame.format.rows;
        image.columns = frame.format.columns;
        image.components = frame.format.samples_per_pixel;
        image.pixels.append(frame.bytes.span());
        if (image.components == 3) written.photometric = Photometric::ybr_full_422;
        return jpeg::encode_turbo(image, frame.format.photometric == Photometric::rgb, options.quality);
    }

private:
    static ByteBuffer encode_lossless(const Frame& frame) {
        const PixelFormat& format = frame.format;
        jpeg::LosslessImage image;
        image.rows = format.rows;
        image.columns = format.columns;
        image.components = format.samples_per_pixel;
        image.sample_bytes = format.sample_bytes();
        // Signed samples are given whole: decoders that know nothing of signs then restore the container,
        // and differences wrap around at its end, so that -1 beside 0 stays cheap.
        image.precision =
            format.is_signed ? format.bits_allocated : std::max<unsigned>(format.bits_stored, 2);
        image.is_rgb = format.samples_per_pixel == 3 && format.photometric == Photometric::rgb;
        return jpeg::encode_lossless(image, frame.bytes.span());
    }
};

}  // namespace

const FrameCodec& jpeg_codec() noexcept {
    static const Jpeg codec;
    return codec;
}

}  // namespace sagitta::codec
