// JPEG 2000 (PS3.5 8.2.4) both ways and HTJ2K decoding (PS3.5 8.2.14 ff) by OpenJPEG. It allocates by what
// headers say: they are read and judged first (jpeg_2000_header.h).
#include <openjpeg.h>

#include <array>
#include <bit>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "codec/codecs.h"
#include "codec/jpeg_2000_header.h"
#include "codec/stream_format.h"

namespace sagitta::codec {
namespace {

constexpr std::string_view kLossless = "1.2.840.10008.1.2.4.90";
constexpr std::string_view kLossy = "1.2.840.10008.1.2.4.91";
constexpr std::array<std::string_view, 5> kDecodes{kLossless, kLossy, "1.2.840.10008.1.2.4.201",
                                                   "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"};
constexpr std::array kEncodes{kLossless, kLossy};
// The 5-3 filter and the colour transform add bits, and OpenJPEG counts in 32.
constexpr std::uint32_t kMaxEncodedBits = 24;

struct DestroyCodec {
    void operator()(opj_codec_t* codec) const noexcept { opj_destroy_codec(codec); }
};
struct DestroyStream {
    void operator()(opj_stream_t* stream) const noexcept { opj_stream_destroy(stream); }
};
struct DestroyImage {
    void operator()(opj_image_t* image) const noexcept { opj_image_destroy(image); }
};
using Codec = std::unique_ptr<opj_codec_t, DestroyCodec>;
using Stream = std::unique_ptr<opj_stream_t, DestroyStream>;
using Image = std::unique_ptr<opj_image_t, DestroyImage>;

// What the library complains of first: numbers and names of markers.
void keep_first(const char* message, void* kept) {
    auto& text = *static_cast<std::string*>(kept);
    if (text.empty()) text = message;
    while (!text.empty() && text.back() == '\n') text.pop_back();
}
void ignore(const char* /*message*/, void* /*data*/) {}

void listen(opj_codec_t* codec, std::string& complaint) {
    opj_set_error_handler(codec, keep_first, &complaint);
    opj_set_warning_handler(codec, ignore, nullptr);
    opj_set_info_handler(codec, ignore, nullptr);
}

Error failed(Errc code, const std::string& complaint) {
    return {code,
            "JPEG 2000: " + (complaint.empty() ? std::string("the library gives no reason") : complaint)};
}

// Memory as the library's file.
struct Source {
    std::span<const std::byte> bytes;
    std::size_t at = 0;

    static OPJ_SIZE_T read(void* to, OPJ_SIZE_T count, void* self) {
        auto& source = *static_cast<Source*>(self);
        const std::size_t left = source.bytes.size() - source.at;
        if (left == 0) return static_cast<OPJ_SIZE_T>(-1);
        if (count > left) count = left;
        std::memcpy(to, source.bytes.data() + source.at, count);
        source.at += count;
        return count;
    }
    static OPJ_OFF_T skip(OPJ_OFF_T count, void* self) {
        auto& source = *static_cast<Source*>(self);
        if (count < 0) return -1;
        const std::size_t left = source.bytes.size() - source.at;
        if (static_cast<std::size_t>(count) > left) count = static_cast<OPJ_OFF_T>(left);
        source.at += static_cast<std::size_t>(count);
        return count;
    }
    static OPJ_BOOL seek(OPJ_OFF_T to, void* self) {
        auto& source = *static_cast<Source*>(self);
        if (to < 0 || static_cast<std::size_t>(to) > source.bytes.size()) return OPJ_FALSE;
        source.at = static_cast<std::size_t>(to);
        return OPJ_TRUE;
    }
};

// The same for writing: it goes back to fill in lengths.
struct Sink {
    ByteBuffer bytes;
    std::size_t at = 0;

    void reach(std::size_t end) {
        if (end <= bytes.size()) return;
        const std::size_t more = end - bytes.size();
        std::memset(bytes.prepare(more).data(), 0, more);
        bytes.commit(more);
    }
    static OPJ_SIZE_T write(void* from, OPJ_SIZE_T count, void* self) {
        auto& sink = *static_cast<Sink*>(self);
        try {
            sink.reach(sink.at + count);
        } catch (const std::bad_alloc&) {
            return static_cast<OPJ_SIZE_T>(-1);
        }
        std::memcpy(sink.bytes.data() + sink.at, from, count);
        sink.at += count;
        return count;
    }
    static OPJ_OFF_T skip(OPJ_OFF_T count, void* self) {
        auto& sink = *static_cast<Sink*>(self);
        if (count < 0) return -1;
        sink.at += static_cast<std::size_t>(count);
        return count;
    }
    static OPJ_BOOL seek(OPJ_OFF_T to, void* self) {
        if (to < 0) return OPJ_FALSE;
        static_cast<Sink*>(self)->at = static_cast<std::size_t>(to);
        return OPJ_TRUE;
    }
};

Result<Image> decode_image(std::span<const std::byte> codestream, std::uint32_t reduce) {
    Source source{codestream};
    const Stream stream(opj_stream_create(64 * 1024, OPJ_TRUE));
    const Codec codec(opj_create_decompress(OPJ_CODEC_J2K));
    if (!stream || !codec) return Error(Errc::limit_exceeded, "no memory for a JPEG 2000 decoder");
    opj_stream_set_user_data(stream.get(), &source, nullptr);
    opj_stream_set_user_data_length(stream.get(), codestream.size());
    opj_stream_set_read_function(stream.get(), Source::read);
    opj_stream_set_skip_function(stream.get(), Source::skip);
    opj_stream_set_seek_function(stream.get(), Source::seek);
    std::string complaint;
    listen(codec.get(), complaint);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    parameters.cp_reduce = reduce;
    opj_image_t* image = nullptr;
    bool good = opj_setup_decoder(codec.get(), &parameters) == OPJ_TRUE &&
                opj_read_header(stream.get(), codec.get(), &image) == OPJ_TRUE;
    Image owned(image);
    good = good && opj_decode(codec.get(), stream.get(), image) == OPJ_TRUE;
    if (!good) return failed(Errc::malformed, complaint);
    return owned;
}

Result<StreamFormat> describe(const Jpeg2000Header& header, const PixelFormat& declared) {
    // More than the data set has samples are opacity and the like, which it does not know.
    const std::size_t count = std::min<std::size_t>(header.components.size(),
                                                    std::max<std::uint16_t>(declared.samples_per_pixel, 1));
    const auto& first = header.components.front();
    for (std::size_t i = 1; i < count; ++i) {
        const auto& other = header.components[i];
        if (other.precision != first.precision || other.is_signed != first.is_signed)
            return Error(Errc::unsupported, "JPEG 2000 whose components differ in depth or sign");
    }
    if (first.dx != 1 || first.dy != 1)
        return Error(Errc::unsupported, "JPEG 2000 whose first component is subsampled");
    StreamFormat stream{"JPEG 2000",     header.rows,    header.columns, static_cast<std::uint32_t>(count),
                        first.precision, first.is_signed};
    if (declared.samples_per_pixel == 1 && header.components.size() >= 3) stream.components = 3;
    return stream;
}

// The library undoes RCT and ICT; where the stream has none, YBR_RCT and YBR_ICT are RGB labelled wrongly.
Photometric photometric_of(const Jpeg2000Header& header, Photometric declared, bool subsampled) {
    if (header.component_transform) return Photometric::rgb;
    if (subsampled || declared == Photometric::ybr_full_422) return Photometric::ybr_full;
    if (declared == Photometric::ybr_rct || declared == Photometric::ybr_ict) return Photometric::rgb;
    return declared;
}

// Chroma of half the size, each sample for the pixels it stands for.
std::vector<OPJ_INT32> upsampled(const opj_image_comp_t& component, std::uint32_t rows,
                                 std::uint32_t columns) {
    std::vector<OPJ_INT32> plane(std::size_t{rows} * columns);
    for (std::uint32_t y = 0; y < rows; ++y) {
        const OPJ_UINT32 from_y = std::min(y / component.dy, component.h - 1);
        for (std::uint32_t x = 0; x < columns; ++x) {
            const OPJ_UINT32 from_x = std::min(x / component.dx, component.w - 1);
            plane[std::size_t{y} * columns + x] = component.data[std::size_t{from_y} * component.w + from_x];
        }
    }
    return plane;
}

Result<void> store_component(const opj_image_comp_t& component, const PlaneTarget& target, Frame& frame,
                             SampleRange& range) {
    const std::uint32_t rows = frame.format.rows;
    const std::uint32_t columns = frame.format.columns;
    if (component.data == nullptr || component.w == 0 || component.h == 0)
        return Error(Errc::malformed, "a JPEG 2000 component is missing");
    if (component.w == columns && component.h == rows) {
        store_plane(component.data, std::size_t{rows} * columns, target, frame, range);
        return {};
    }
    const bool halved = component.dx <= 2 && component.dy <= 2 &&
                        component.w == (columns + component.dx - 1) / component.dx &&
                        component.h == (rows + component.dy - 1) / component.dy;
    if (!halved) return Error(Errc::unsupported, "JPEG 2000 with this subsampling of components");
    const auto plane = upsampled(component, rows, columns);
    store_plane(plane.data(), plane.size(), target, frame, range);
    return {};
}

Result<Frame> frame_of(const opj_image_t& image, const Jpeg2000Header& header, const StreamFormat& stream,
                       const PixelFormat& declared, PixelFormat format) {
    format.rows = image.comps[0].h;
    format.columns = image.comps[0].w;
    bool subsampled = false;
    for (std::uint32_t i = 1; i < stream.components; ++i)
        subsampled = subsampled || image.comps[i].dx != 1 || image.comps[i].dy != 1;
    if (stream.components == 3) format.photometric = photometric_of(header, format.photometric, subsampled);
    auto frame = make_frame(format);
    if (!frame) return frame;
    SampleRange range;
    const std::uint32_t extend = extend_from(stream, declared);
    for (std::uint32_t i = 0; i < stream.components; ++i) {
        const PlaneTarget target{i, stream.components, extend};
        if (auto stored = store_component(image.comps[i], target, *frame, range); !stored)
            return std::move(stored).error();
    }
    settle(frame->format, range, stream, declared);
    return frame;
}

Result<Frame> decode_frame(std::span<const std::byte> encoded, const PixelFormat& declared,
                           const DecodeOptions& options) {
    const auto codestream = find_codestream(encoded);
    if (!codestream) return codestream.error();
    const auto header = read_jpeg_2000_header(*codestream);
    if (!header) return header.error();
    const auto stream = describe(*header, declared);
    if (!stream) return stream.error();
    const auto format = reconcile(*stream, declared, options.limits);
    if (!format) return format.error();
    const auto image = decode_image(*codestream, std::min(options.reduce, header->levels));
    if (!image) return image.error();
    if ((*image)->numcomps < stream->components) return Error(Errc::malformed, "JPEG 2000 lost components");
    return frame_of(**image, *header, *stream, declared, *format);
}

Result<Image> image_of(const Frame& frame) {
    const auto& format = frame.format;
    std::array<opj_image_cmptparm_t, 3> components{};
    for (auto& component : components) {
        component.dx = component.dy = 1;
        component.w = format.columns;
        component.h = format.rows;
        component.prec = format.bits_stored;
        component.sgnd = format.is_signed ? 1 : 0;
    }
    const auto space = format.samples_per_pixel == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY;
    Image image(opj_image_create(format.samples_per_pixel, components.data(), space));
    if (!image) return Error(Errc::limit_exceeded, "no memory for a JPEG 2000 image");
    image->x1 = format.columns;
    image->y1 = format.rows;
    for (std::uint32_t i = 0; i < format.samples_per_pixel; ++i)
        load_plane(frame, {i, format.samples_per_pixel, 0}, format.pixels(), image->comps[i].data);
    return image;
}

opj_cparameters_t parameters_for(const PixelFormat& format, bool lossy, double ratio) {
    opj_cparameters_t parameters;
    opj_set_default_encoder_parameters(&parameters);
    parameters.tcp_numlayers = 1;
    parameters.tcp_rates[0] = lossy ? static_cast<float>(ratio) : 0.0F;
    parameters.cp_disto_alloc = 1;
    parameters.irreversible = lossy ? 1 : 0;
    parameters.tcp_mct = format.photometric == Photometric::rgb ? 1 : 0;
    const auto smallest = std::min(format.rows, format.columns);
    parameters.numresolution = std::min(6, static_cast<int>(std::bit_width(smallest)));
    return parameters;
}

Result<ByteBuffer> encode_frame(const Frame& frame, bool lossy, double ratio) {
    const auto image = image_of(frame);
    if (!image) return image.error();
    Sink sink;
    const Stream stream(opj_stream_create(64 * 1024, OPJ_FALSE));
    const Codec codec(opj_create_compress(OPJ_CODEC_J2K));
    if (!stream || !codec) return Error(Errc::limit_exceeded, "no memory for a JPEG 2000 encoder");
    opj_stream_set_user_data(stream.get(), &sink, nullptr);
    opj_stream_set_write_function(stream.get(), Sink::write);
    opj_stream_set_skip_function(stream.get(), Sink::skip);
    opj_stream_set_seek_function(stream.get(), Sink::seek);
    std::string complaint;
    listen(codec.get(), complaint);
    auto parameters = parameters_for(frame.format, lossy, ratio);
    const bool good = opj_setup_encoder(codec.get(), &parameters, image->get()) == OPJ_TRUE &&
                      opj_start_compress(codec.get(), image->get(), stream.get()) == OPJ_TRUE &&
                      opj_encode(codec.get(), stream.get()) == OPJ_TRUE &&
                      opj_end_compress(codec.get(), stream.get()) == OPJ_TRUE;
    if (!good) return failed(Errc::unsupported, complaint);
    if (sink.bytes.size() % 2 != 0) sink.reach(sink.bytes.size() + 1);
    return std::move(sink.bytes);
}

class Jpeg2000 final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return kDecodes; }
    std::span<const std::string_view> encodes() const noexcept override { return kEncodes; }

    Result<Frame> decode(std::span<const std::byte> encoded, const PixelFormat& declared,
                         const DecodeOptions& options) const override {
        try {
            return decode_frame(encoded, declared, options);
        } catch (const std::bad_alloc&) {
            return Error(Errc::limit_exceeded, "no memory to decode JPEG 2000");
        }
    }

    std::optional<Error> refuses(const PixelFormat& format, std::string_view /*syntax*/) const override {
        return refuses_samples(format, "JPEG 2000", 1, kMaxEncodedBits);
    }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view syntax, const EncodeOptions& options,
                              PixelFormat& written) const override {
        if (auto why = refuses(frame.format, syntax)) return *why;
        const bool lossy = syntax == kLossy && options.compression_ratio > 1;
        written = frame.format;
        written.planar = false;
        if (written.photometric == Photometric::rgb)
            written.photometric = lossy ? Photometric::ybr_ict : Photometric::ybr_rct;
        try {
            return encode_frame(frame, lossy, options.compression_ratio);
        } catch (const std::bad_alloc&) {
            return Error(Errc::limit_exceeded, "no memory to encode JPEG 2000");
        }
    }
};

}  // namespace

const FrameCodec& jpeg_2000_codec() noexcept {
    static const Jpeg2000 codec;
    return codec;
}

}  // namespace sagitta::codec
