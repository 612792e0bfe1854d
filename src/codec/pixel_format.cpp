#include "codec/pixel_format.h"

#include <array>
#include <bit>
#include <optional>
#include <string>
#include <utility>

#include "dicom/generated/tags.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;

constexpr std::array<std::pair<Photometric, std::string_view>, 10> kTerms{{
    {Photometric::monochrome1, "MONOCHROME1"},
    {Photometric::monochrome2, "MONOCHROME2"},
    {Photometric::palette_color, "PALETTE COLOR"},
    {Photometric::rgb, "RGB"},
    {Photometric::ybr_full, "YBR_FULL"},
    {Photometric::ybr_full_422, "YBR_FULL_422"},
    {Photometric::ybr_partial_420, "YBR_PARTIAL_420"},
    {Photometric::ybr_ict, "YBR_ICT"},
    {Photometric::ybr_rct, "YBR_RCT"},
    {Photometric::other, "OTHER"},
}};

constexpr std::uint16_t kMaxSamplesPerPixel = 4;

Error contradiction(std::string_view what) {
    return {Errc::malformed, std::string(what)};
}

// A US value; nothing when the attribute is absent or empty.
Result<std::optional<std::uint16_t>> unsigned_short(const dicom::ElementRange& image, dicom::Tag tag,
                                                    std::string_view name) {
    const auto element = image.find(tag);
    if (!element || element->empty()) return std::optional<std::uint16_t>();
    const auto number = element->integer();
    if (!number || *number < 0 || *number > 0xffff) return contradiction(std::string(name) + " is no number");
    return std::optional<std::uint16_t>(static_cast<std::uint16_t>(*number));
}

SampleType sample_type(const dicom::ElementRange& image, dicom::Tag pixel_data) {
    const auto is = [&](dicom::Tag tag) {
        return pixel_data == tag || (pixel_data == dicom::Tag() && image.find(tag).has_value());
    };
    if (is(tags::PixelData)) return SampleType::integer;
    if (is(tags::FloatPixelData)) return SampleType::float32;
    return is(tags::DoubleFloatPixelData) ? SampleType::float64 : SampleType::integer;
}

Result<void> check_bits(PixelFormat& format, std::optional<std::uint16_t> stored,
                        std::optional<std::uint16_t> high) {
    const std::uint16_t allocated = format.bits_allocated;
    if (allocated == 0 || allocated > 64) return contradiction("Bits Allocated is not from 1 to 64");
    if (allocated != 1 && (allocated % 8 != 0 || !std::has_single_bit(allocated)))
        return Error(Errc::unsupported,
                     "Bits Allocated " + std::to_string(allocated) + " is none of 1, 8, 16, 32 and 64");
    if (format.sample != SampleType::integer) {
        if (allocated != (format.sample == SampleType::float32 ? 32 : 64))
            return contradiction("Bits Allocated contradicts floating point pixel data");
        format.is_signed = false;
        format.bits_stored = allocated;
        format.high_bit = static_cast<std::uint16_t>(allocated - 1);
        return {};
    }
    format.bits_stored = stored.value_or(allocated);
    if (format.bits_stored == 0 || format.bits_stored > allocated)
        return contradiction("Bits Stored " + std::to_string(format.bits_stored) + " with Bits Allocated " +
                             std::to_string(allocated));
    format.high_bit = static_cast<std::uint16_t>(format.bits_stored - 1);
    // Some writers count High Bit wrongly; the low bits are where everybody looks then.
    if (high && *high < allocated && *high >= format.bits_stored) format.high_bit = *high;
    return {};
}

}  // namespace

std::string_view to_string(Photometric photometric) noexcept {
    for (const auto& [value, term] : kTerms) {
        if (value == photometric) return term;
    }
    return "OTHER";
}

Photometric parse_photometric(std::string_view term) noexcept {
    for (const auto& [value, name] : kTerms) {
        if (name == term) return value;
    }
    return Photometric::other;
}

Result<void> check_limits(const PixelFormat& format, const PixelLimits& limits) {
    if (format.pixels() > limits.max_pixels_per_frame)
        return Error(Errc::limit_exceeded,
                     std::to_string(format.rows) + " x " + std::to_string(format.columns) +
                         " pixels are more than the limit of " + std::to_string(limits.max_pixels_per_frame));
    if (format.frame_bytes() > limits.max_frame_bytes)
        return Error(Errc::limit_exceeded, "a frame of " + std::to_string(format.frame_bytes()) +
                                               " bytes is larger than the limit of " +
                                               std::to_string(limits.max_frame_bytes));
    return {};
}

Result<PixelFormat> describe_pixels(const dicom::ElementRange& image, const PixelLimits& limits,
                                    dicom::Tag pixel_data) {
    PixelFormat format;
    format.sample = sample_type(image, pixel_data);
    if (!image.find(tags::Rows) && !image.find(tags::BitsAllocated))
        return Error(Errc::not_found, "no image: neither Rows nor Bits Allocated");
    std::array<std::optional<std::uint16_t>, 8> numbers;
    const std::array<std::pair<dicom::Tag, std::string_view>, 8> wanted{{
        {tags::Rows, "Rows"},
        {tags::Columns, "Columns"},
        {tags::SamplesPerPixel, "Samples per Pixel"},
        {tags::BitsAllocated, "Bits Allocated"},
        {tags::BitsStored, "Bits Stored"},
        {tags::HighBit, "High Bit"},
        {tags::PixelRepresentation, "Pixel Representation"},
        {tags::PlanarConfiguration, "Planar Configuration"},
    }};
    for (std::size_t n = 0; n < wanted.size(); ++n) {
        auto number = unsigned_short(image, wanted[n].first, wanted[n].second);
        if (!number) return std::move(number).error();
        numbers[n] = *number;
    }
    const auto& [rows, columns, samples, allocated, stored, high, representation, planar] = numbers;
    if (!rows || *rows == 0) return contradiction("Rows is missing or zero");
    if (!columns || *columns == 0) return contradiction("Columns is missing or zero");
    if (!allocated) return contradiction("Bits Allocated is missing");
    format.rows = *rows;
    format.columns = *columns;
    format.bits_allocated = *allocated;
    format.samples_per_pixel = samples.value_or(1);
    if (format.samples_per_pixel == 0 || format.samples_per_pixel > kMaxSamplesPerPixel)
        return contradiction("Samples per Pixel is not from 1 to 4");
    format.is_signed = representation.value_or(0) == 1;
    format.planar = format.samples_per_pixel > 1 && planar.value_or(0) == 1;
    if (auto checked = check_bits(format, stored, high); !checked) return std::move(checked).error();
    const auto term = image.text(tags::PhotometricInterpretation);
    if (!term.empty()) {
        format.photometric = parse_photometric(term);
    } else {
        format.photometric = format.samples_per_pixel >= 3 ? Photometric::rgb : Photometric::monochrome2;
    }
    if (auto checked = check_limits(format, limits); !checked) return std::move(checked).error();
    return format;
}

}  // namespace sagitta::codec
