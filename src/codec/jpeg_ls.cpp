// JPEG-LS (PS3.5 8.2.3, ITU-T T.87) by CharLS, through its C interface, which throws nothing.
#include <charls/charls.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "codec/codecs.h"
#include "codec/stream_format.h"
#include "core/bytes.h"

namespace sagitta::codec {
namespace {

constexpr std::string_view kLossless = "1.2.840.10008.1.2.4.80";
constexpr std::string_view kNearLossless = "1.2.840.10008.1.2.4.81";
constexpr std::array kSyntaxes{kLossless, kNearLossless};

struct DestroyDecoder {
    void operator()(charls_jpegls_decoder* decoder) const noexcept { charls_jpegls_decoder_destroy(decoder); }
};
struct DestroyEncoder {
    void operator()(charls_jpegls_encoder* encoder) const noexcept { charls_jpegls_encoder_destroy(encoder); }
};
using Decoder = std::unique_ptr<charls_jpegls_decoder, DestroyDecoder>;
using Encoder = std::unique_ptr<charls_jpegls_encoder, DestroyEncoder>;

Result<void> checked(charls_jpegls_errc code, const char* what) {
    if (code == charls_jpegls_errc::success) return {};
    const bool short_of = code == charls_jpegls_errc::source_buffer_too_small;
    return Error(short_of ? Errc::truncated : Errc::malformed,
                 std::string("JPEG-LS ") + what + ": " + charls_get_error_message(code));
}

struct Header {
    charls_frame_info info{};
    charls::interleave_mode interleave{};
};

Result<Header> read_header(charls_jpegls_decoder* decoder, std::span<const std::byte> encoded) {
    if (auto set = checked(charls_jpegls_decoder_set_source_buffer(decoder, encoded.data(), encoded.size()),
                           "stream");
        !set)
        return std::move(set).error();
    if (auto read = checked(charls_jpegls_decoder_read_header(decoder), "header"); !read)
        return std::move(read).error();
    Header header;
    if (auto got = checked(charls_jpegls_decoder_get_frame_info(decoder, &header.info), "header"); !got)
        return std::move(got).error();
    if (auto got = checked(charls_jpegls_decoder_get_interleave_mode(decoder, &header.interleave), "header");
        !got)
        return std::move(got).error();
    return header;
}

// What the decoder left: samples of one or two bytes, by pixel or plane by plane.
template <class Sample>
void store_all(std::span<const std::byte> raw, const Header& header, std::uint32_t extend, Frame& frame,
               SampleRange& range) {
    const auto* samples = reinterpret_cast<const Sample*>(raw.data());
    const std::size_t pixels = frame.format.pixels();
    const std::uint32_t components = frame.format.samples_per_pixel;
    if (header.interleave != charls::interleave_mode::none || components == 1) {
        store_plane(samples, pixels * components, {0, 1, extend}, frame, range);
        return;
    }
    for (std::uint32_t plane = 0; plane < components; ++plane)
        store_plane(samples + plane * pixels, pixels, {plane, components, extend}, frame, range);
}

// In run mode a bit stands for at most 2^15 pixels (T.87 A.7), and every line has one at least.
Result<void> enough_bytes(const charls_frame_info& info, std::size_t bytes) {
    const std::uint64_t lines = std::uint64_t{info.height} * static_cast<std::uint32_t>(info.component_count);
    if (lines / 8 <= bytes) return {};
    return Error(Errc::truncated, "a JPEG-LS stream of " + std::to_string(bytes) + " bytes for " +
                                      std::to_string(lines) + " lines");
}

Result<void> decode_scans(charls_jpegls_decoder* decoder, const Header& header, ByteBuffer& raw) {
    const auto code = charls_jpegls_decoder_decode_to_buffer(decoder, raw.data(), raw.size(), 0);
    // Some encoders pad between the only scan and its EOI: all samples are there by then.
    const bool one_scan =
        header.info.component_count == 1 || header.interleave != charls::interleave_mode::none;
    if (one_scan && code == charls_jpegls_errc::jpeg_marker_start_byte_not_found) return {};
    return checked(code, "scan");
}

Result<Frame> decode_stream(std::span<const std::byte> encoded, const PixelFormat& declared,
                            const PixelLimits& limits) {
    if (encoded.empty()) return Error(Errc::truncated, "an empty JPEG-LS stream");
    // CharLS 2.4 loops for ever in a scan that the end of the bytes cuts short; a marker ends every scan.
    ByteBuffer ended(encoded);
    append_be<std::uint16_t>(ended, 0xFFD9);
    const Decoder decoder(charls_jpegls_decoder_create());
    if (!decoder) return Error(Errc::limit_exceeded, "no memory for a JPEG-LS decoder");
    const auto header = read_header(decoder.get(), std::as_const(ended).span());
    if (!header) return header.error();
    const auto& info = header->info;
    const StreamFormat stream{"JPEG-LS",
                              info.height,
                              info.width,
                              static_cast<std::uint32_t>(info.component_count),
                              static_cast<std::uint32_t>(info.bits_per_sample),
                              std::nullopt};
    auto format = reconcile(stream, declared, limits);
    if (!format) return std::move(format).error();
    if (auto enough = enough_bytes(info, encoded.size()); !enough) return std::move(enough).error();
    auto frame = make_frame(*format);
    if (!frame) return frame;
    PixelFormat raw_format = *format;
    raw_format.bits_allocated = stream.precision <= 8 ? 8 : 16;
    auto raw = make_frame(raw_format);
    if (!raw) return raw;
    if (auto done = decode_scans(decoder.get(), *header, raw->bytes); !done) return std::move(done).error();
    SampleRange range;
    const std::uint32_t extend = extend_from(stream, declared);
    if (stream.precision <= 8) {
        store_all<std::uint8_t>(raw->bytes.span(), *header, extend, *frame, range);
    } else {
        store_all<std::uint16_t>(raw->bytes.span(), *header, extend, *frame, range);
    }
    settle(frame->format, range, stream, declared);
    return frame;
}

// Samples as CharLS wants them: as many bits as the precision, in one byte or two.
template <class Sample>
std::vector<Sample> load_all(const Frame& frame) {
    std::vector<Sample> samples(frame.format.pixels() * frame.format.samples_per_pixel);
    load_plane(frame, {0, 1, 0}, samples.size(), samples.data());
    const auto mask = static_cast<Sample>((1u << frame.format.bits_stored) - 1);
    for (auto& sample : samples) sample &= mask;
    return samples;
}

Result<void> configure(charls_jpegls_encoder* encoder, const PixelFormat& format, std::uint32_t near) {
    const charls_frame_info info{format.columns, format.rows, format.bits_stored, format.samples_per_pixel};
    if (auto set = checked(charls_jpegls_encoder_set_frame_info(encoder, &info), "frame"); !set) return set;
    if (auto set = checked(charls_jpegls_encoder_set_near_lossless(encoder, static_cast<std::int32_t>(near)),
                           "near-lossless parameter");
        !set)
        return set;
    const auto interleave =
        format.samples_per_pixel == 1 ? charls::interleave_mode::none : charls::interleave_mode::line;
    return checked(charls_jpegls_encoder_set_interleave_mode(encoder, interleave), "interleave mode");
}

// JPEG-LS knows no signs: where two's complement changes its sign a sample may be off by all of its range.
Result<void> check_near(const Frame& frame, std::uint32_t near) {
    if (near == 0 || !frame.format.is_signed) return {};
    std::vector<std::int32_t> samples(frame.format.pixels() * frame.format.samples_per_pixel);
    load_plane(frame, {0, 1, 0}, samples.size(), samples.data());
    const auto [lowest, highest] = std::minmax_element(samples.begin(), samples.end());
    const std::int64_t end = std::int64_t{1} << (frame.format.bits_stored - 1);
    if (*lowest - std::int64_t{near} >= -end && *highest + std::int64_t{near} < end) return {};
    return Error(Errc::unsupported, "near-lossless JPEG-LS of signed samples at the end of their range");
}

template <class Sample>
Result<ByteBuffer> encode_samples(const Frame& frame, std::uint32_t near) {
    const Encoder encoder(charls_jpegls_encoder_create());
    if (!encoder) return Error(Errc::limit_exceeded, "no memory for a JPEG-LS encoder");
    if (auto set = configure(encoder.get(), frame.format, near); !set) return std::move(set).error();
    const auto samples = load_all<Sample>(frame);
    const std::size_t source_bytes = samples.size() * sizeof(Sample);
    // Noise grows: T.87's limit of a code word is 32 bits for 8 and 64 for 16, but a scan of noise stays
    // below a quarter more than its samples.
    const std::size_t room = source_bytes + source_bytes / 2 + 4096;
    ByteBuffer out;
    const auto space = out.prepare(room + 1);
    if (auto set = checked(charls_jpegls_encoder_set_destination_buffer(encoder.get(), space.data(), room),
                           "destination");
        !set)
        return std::move(set).error();
    const auto done = checked(
        charls_jpegls_encoder_encode_from_buffer(encoder.get(), samples.data(), source_bytes, 0), "encoding");
    if (!done) return done.error();
    std::size_t written = 0;
    if (auto got = checked(charls_jpegls_encoder_get_bytes_written(encoder.get(), &written), "encoding");
        !got)
        return std::move(got).error();
    if (written % 2 != 0) space[written++] = std::byte{0};
    out.commit(written);
    return out;
}

class JpegLs final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return kSyntaxes; }
    std::span<const std::string_view> encodes() const noexcept override { return kSyntaxes; }

    Result<Frame> decode(std::span<const std::byte> encoded, const PixelFormat& declared,
                         const DecodeOptions& options) const override {
        try {
            return decode_stream(encoded, declared, options.limits);
        } catch (const std::bad_alloc&) {
            return Error(Errc::limit_exceeded, "no memory to decode JPEG-LS");
        }
    }

    std::optional<Error> refuses(const PixelFormat& format, std::string_view /*syntax*/) const override {
        if (auto why = refuses_samples(format, "JPEG-LS", 2, 16)) return why;
        if (format.bits_allocated == 1) return Error(Errc::unsupported, "JPEG-LS has 8 or 16 bits allocated");
        if (format.rows > 0xFFFF || format.columns > 0xFFFF)
            return Error(Errc::unsupported, "JPEG-LS has at most 65535 rows and columns");
        return std::nullopt;
    }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view syntax, const EncodeOptions& options,
                              PixelFormat& written) const override {
        if (auto why = refuses(frame.format, syntax)) return *why;
        const std::uint32_t near = syntax == kNearLossless ? options.near : 0;
        written = frame.format;
        written.planar = false;
        if (written.bits_allocated > 16) written.bits_allocated = 16;
        try {
            if (auto good = check_near(frame, near); !good) return std::move(good).error();
            if (frame.format.bits_stored <= 8) return encode_samples<std::uint8_t>(frame, near);
            return encode_samples<std::uint16_t>(frame, near);
        } catch (const std::bad_alloc&) {
            return Error(Errc::limit_exceeded, "no memory to encode JPEG-LS");
        }
    }
};

}  // namespace

const FrameCodec& jpeg_ls_codec() noexcept {
    static const JpegLs codec;
    return codec;
}

}  // namespace sagitta::codec
