#include "codec/stream_format.h"

#include <bit>
#include <new>
#include <string>

namespace sagitta::codec {
namespace {

std::string size_text(std::uint64_t rows, std::uint64_t columns) {
    return std::to_string(rows) + " x " + std::to_string(columns);
}

std::uint16_t container_for(std::uint32_t precision, std::uint16_t declared) {
    if (precision <= declared) return declared;
    if (precision <= 8) return 8;
    return precision <= 16 ? 16 : 32;
}

// A data set that miscounts its samples has its colour wrong too.
Photometric photometric_for(std::uint32_t components, const PixelFormat& declared) {
    if (components == declared.samples_per_pixel) return declared.photometric;
    return components == 1 ? Photometric::monochrome2 : Photometric::rgb;
}

std::uint32_t bits_needed(const SampleRange& range, bool is_signed) {
    const auto width = [](std::int64_t value) {
        return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(value)));
    };
    if (!is_signed) return width(range.highest);
    const std::uint32_t below = range.lowest < 0 ? width(-(range.lowest + 1)) : 0;
    return 1 + std::max(width(range.highest), below);
}

}  // namespace

Result<PixelFormat> reconcile(const StreamFormat& stream, const PixelFormat& declared,
                              const PixelLimits& limits) {
    const std::string name(stream.name);
    if (declared.sample != SampleType::integer)
        return Error(Errc::unsupported, name + " has whole numbers, the data set declares floating point");
    if (stream.rows != declared.rows || stream.columns != declared.columns) {
        return Error(Errc::mismatch, "the " + name + " stream is " + size_text(stream.rows, stream.columns) +
                                         ", Rows and Columns are " +
                                         size_text(declared.rows, declared.columns));
    }
    if (stream.components != 1 && stream.components != 3)
        return Error(Errc::unsupported, name + " with " + std::to_string(stream.components) + " components");
    PixelFormat format = declared;
    format.samples_per_pixel = static_cast<std::uint16_t>(stream.components);
    format.photometric = photometric_for(stream.components, declared);
    format.planar = false;
    format.bits_allocated = container_for(stream.precision, declared.bits_allocated);
    const std::uint32_t bytes = format.sample_bytes();
    if (!std::has_single_bit(bytes) || stream.precision > 32) {
        return Error(Errc::unsupported, name + " of " + std::to_string(stream.precision) + " bits in " +
                                            std::to_string(format.bits_allocated) + " allocated");
    }
    if (format.pixels() > limits.max_pixels_per_frame || format.frame_bytes() > limits.max_frame_bytes)
        return Error(Errc::limit_exceeded,
                     "a frame of " + size_text(format.rows, format.columns) + " pixels");
    return format;
}

Result<Frame> make_frame(const PixelFormat& format) {
    try {
        Frame frame{format, {}};
        const auto bytes = static_cast<std::size_t>(format.frame_bytes());
        (void)frame.bytes.prepare(bytes);
        frame.bytes.commit(bytes);
        return frame;
    } catch (const std::bad_alloc&) {
        return Error(Errc::limit_exceeded,
                     "no memory for a frame of " + std::to_string(format.frame_bytes()) + " bytes");
    }
}

std::uint32_t extend_from(const StreamFormat& stream, const PixelFormat& declared) noexcept {
    return declared.is_signed && !stream.is_signed.value_or(false) ? stream.precision : 0;
}

void settle(PixelFormat& format, const SampleRange& range, const StreamFormat& stream,
            const PixelFormat& declared) noexcept {
    format.is_signed = declared.is_signed || range.lowest < 0;
    const std::uint32_t needed = bits_needed(range, format.is_signed);
    const bool fits = needed <= declared.bits_stored;
    format.bits_stored =
        fits ? declared.bits_stored : static_cast<std::uint16_t>(std::max(needed, stream.precision));
    format.high_bit = static_cast<std::uint16_t>(format.bits_stored - 1);
}

std::optional<Error> refuses_samples(const PixelFormat& format, std::string_view codec,
                                     std::uint32_t min_bits, std::uint32_t max_bits) {
    const std::string name(codec);
    if (format.sample != SampleType::integer)
        return Error(Errc::unsupported, name + " has no floating point samples (PS3.5 8.2)");
    if (format.bits_stored < min_bits || format.bits_stored > max_bits) {
        return Error(Errc::unsupported, name + " has samples of " + std::to_string(min_bits) + " to " +
                                            std::to_string(max_bits) + " bits, these have " +
                                            std::to_string(format.bits_stored));
    }
    if (format.samples_per_pixel != 1 && format.samples_per_pixel != 3) {
        return Error(Errc::unsupported, name + " here has 1 or 3 samples a pixel, these have " +
                                            std::to_string(format.samples_per_pixel));
    }
    if (!std::has_single_bit(format.sample_bytes()))
        return Error(Errc::unsupported, "samples of " + std::to_string(format.bits_allocated) + " bits");
    return std::nullopt;
}

}  // namespace sagitta::codec
