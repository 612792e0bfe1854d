// HTJ2K lossless (PS3.5 8.2.14, ITU-T T.814) by OpenJPH: encoding only. Its decoder ends the process on
// bad streams, so decoding is OpenJPEG's (jpeg_2000.cpp).
#include <openjph/ojph_arch.h>
#include <openjph/ojph_base.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_message.h>
#include <openjph/ojph_params.h>

#include <array>
#include <bit>
#include <exception>
#include <string>
#include <vector>

#include "codec/codecs.h"
#include "codec/jpeg_2000_header.h"
#include "codec/stream_format.h"
#include "core/bytes.h"

namespace sagitta::codec {
namespace {

constexpr std::string_view kLossless = "1.2.840.10008.1.2.4.201";
constexpr std::string_view kLosslessRpcl = "1.2.840.10008.1.2.4.202";
constexpr std::array kEncodes{kLossless, kLosslessRpcl};
// What the library's 32-bit block coder takes with the guard bits of the 5-3 filter and of RCT.
constexpr std::uint32_t kMaxBits = 24;

struct Refused : std::exception {};

// The library's own handlers print to standard error. Its base classes are never deleted through.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class QuietError final : public ojph::message_error {
public:
    void operator()(int /*code*/, const char* /*file*/, int /*line*/, const char* /*format*/, ...) override {
        throw Refused();
    }
};
class QuietWarning final : public ojph::message_warning {
public:
    void operator()(int /*code*/, const char* /*file*/, int /*line*/, const char* /*format*/, ...) override {}
};
#pragma GCC diagnostic pop

void silence() {
    static QuietError error;
    static QuietWarning warning;
    static const bool once = [] {
        ojph::configure_error(&error);
        ojph::configure_warning(&warning);
        return true;
    }();
    (void)once;
}

// The library gives the length of what was written only as a position.
class Sink final : public ojph::outfile_base {
public:
    std::size_t write(const void* from, std::size_t count) override {
        bytes.append({static_cast<const std::byte*>(from), count});
        return count;
    }
    ojph::si64 tell() override { return static_cast<ojph::si64>(bytes.size()); }

    ByteBuffer bytes;
};

// With the RPCL options the smallest resolution is at most 64 x 64 (PS3.5 8.2.14).
std::uint32_t levels_for(const PixelFormat& format) {
    const auto largest = std::max(format.rows, format.columns);
    std::uint32_t levels = 5;
    while ((largest + (1ull << levels) - 1) >> levels > 64) ++levels;
    const auto smallest = std::min(format.rows, format.columns);
    return std::min<std::uint32_t>(levels, static_cast<std::uint32_t>(std::bit_width(smallest)));
}

void describe(ojph::codestream& codestream, const PixelFormat& format) {
    auto size = codestream.access_siz();
    size.set_image_extent(ojph::point(format.columns, format.rows));
    size.set_num_components(format.samples_per_pixel);
    for (ojph::ui32 i = 0; i < format.samples_per_pixel; ++i)
        size.set_component(i, ojph::point(1, 1), format.bits_stored, format.is_signed);
    auto style = codestream.access_cod();
    style.set_num_decomposition(levels_for(format));
    style.set_block_dims(64, 64);
    style.set_progression_order("RPCL");
    style.set_color_transform(format.photometric == Photometric::rgb);
    style.set_reversible(true);
    codestream.set_planar(false);
}

void push_lines(ojph::codestream& codestream, const Frame& frame) {
    const auto& format = frame.format;
    const std::uint32_t components = format.samples_per_pixel;
    const std::size_t line_samples = std::size_t{format.columns} * components;
    ojph::ui32 component = 0;
    ojph::line_buf* line = codestream.exchange(nullptr, component);
    for (std::uint32_t row = 0; row < format.rows; ++row) {
        for (std::uint32_t i = 0; i < components; ++i) {
            const auto first = static_cast<std::uint64_t>(row) * line_samples + component;
            load_plane(frame, {first, components, 0}, format.columns, line->i32);
            line = codestream.exchange(line, component);
        }
    }
}

// A TLM marker segment (T.800 A.7.1) for the single tile-part, in front of it.
Result<ByteBuffer> with_tile_part_lengths(const ByteBuffer& plain) {
    const auto header = read_jpeg_2000_header(plain.span());
    if (!header) return header.error();
    const std::size_t at = header->first_tile_part_bytes;
    ByteBuffer out;
    out.append(plain.span().first(at));
    append_be<std::uint16_t>(out, 0xFF55);
    append_be<std::uint16_t>(out, 8);
    append_be<std::uint8_t>(out, 0);
    append_be<std::uint8_t>(out, 0x40);  // lengths of 32 bits, tiles in order
    append_be<std::uint32_t>(out, static_cast<std::uint32_t>(plain.size() - 2 - at));  // all but EOC
    out.append(plain.span().subspan(at));
    return out;
}

Result<ByteBuffer> encode_frame(const Frame& frame, bool tile_part_lengths) {
    silence();
    Sink sink;
    try {
        ojph::codestream codestream;
        describe(codestream, frame.format);
        codestream.write_headers(&sink);
        push_lines(codestream, frame);
        codestream.flush();
        codestream.close();
    } catch (const std::exception&) {
        return Error(Errc::unsupported, "OpenJPH does not encode frames of this format");
    }
    if (tile_part_lengths) {
        auto longer = with_tile_part_lengths(sink.bytes);
        if (!longer) return longer;
        sink.bytes = std::move(*longer);
    }
    if (sink.bytes.size() % 2 != 0) append_be<std::uint8_t>(sink.bytes, 0);
    return std::move(sink.bytes);
}

class Htj2k final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return {}; }
    std::span<const std::string_view> encodes() const noexcept override { return kEncodes; }

    Result<Frame> decode(std::span<const std::byte> /*encoded*/, const PixelFormat& /*declared*/,
                         const DecodeOptions& /*options*/) const override {
        return Error(Errc::unsupported, "HTJ2K is decoded by the JPEG 2000 codec");
    }

    std::optional<Error> refuses(const PixelFormat& format, std::string_view /*syntax*/) const override {
        return refuses_samples(format, "HTJ2K", 1, kMaxBits);
    }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view syntax, const EncodeOptions& /*options*/,
                              PixelFormat& written) const override {
        if (auto why = refuses(frame.format, syntax)) return *why;
        written = frame.format;
        written.planar = false;
        if (written.photometric == Photometric::rgb) written.photometric = Photometric::ybr_rct;
        return encode_frame(frame, syntax == kLosslessRpcl);
    }
};

}  // namespace

const FrameCodec& htj2k_codec() noexcept {
    static const Htj2k codec;
    return codec;
}

}  // namespace sagitta::codec
