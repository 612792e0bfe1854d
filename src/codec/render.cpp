#include "codec/render.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "codec/overlay.h"
#include "codec/palette.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {

namespace tags = dicom::tags;

namespace {

constexpr std::size_t kBlock = 4096;          // samples that are numbers at a time
constexpr std::uint32_t kMostTableBits = 16;  // stored values that are looked up, not calculated
constexpr std::uint32_t kMostReductions = 8;
constexpr double kMostAspect = 100;

/// Writes grey levels and colours, which are fractions, as samples.
class SampleWriter {
public:
    explicit SampleWriter(Picture& picture)
        : at_(picture.bytes.data()), wide_(picture.bits == 16), highest_(wide_ ? UINT16_MAX : UINT8_MAX) {}

    [[nodiscard]] std::uint16_t level(double fraction) const noexcept {
        return static_cast<std::uint16_t>(std::clamp(fraction, 0.0, 1.0) * highest_ + 0.5);
    }
    void put(std::uint16_t level) noexcept {
        if (wide_) {
            std::memcpy(at_, &level, 2);
            at_ += 2;
        } else {
            *at_++ = static_cast<std::byte>(level);
        }
    }

private:
    std::byte* at_;
    bool wide_;
    double highest_;
};

/// What a stored value becomes: one level, or three. Looked up where there are few enough values.
template <std::size_t Channels, class Transform>
void draw(const Frame& frame, const Transform& transform, Picture& picture) {
    SampleWriter out(picture);
    const auto levels_of = [&](double stored) {
        std::array<std::uint16_t, Channels> levels;
        const auto fractions = transform(stored);
        for (std::size_t n = 0; n < Channels; ++n) levels[n] = out.level(fractions[n]);
        return levels;
    };
    const std::size_t pixels = static_cast<std::size_t>(frame.format.pixels());
    const bool few = frame.format.sample == SampleType::integer &&
                     frame.format.bits_stored <= kMostTableBits &&
                     (std::size_t{1} << frame.format.bits_stored) <= pixels;
    std::vector<std::array<std::uint16_t, Channels>> table;
    const std::int64_t lowest =
        frame.format.is_signed ? -(std::int64_t{1} << (frame.format.bits_stored - 1)) : 0;
    if (few) {
        for (std::int64_t n = 0; n < std::int64_t{1} << frame.format.bits_stored; ++n)
            table.push_back(levels_of(static_cast<double>(lowest + n)));
    }
    std::array<double, kBlock> numbers;
    for (std::size_t first = 0; first < pixels; first += kBlock) {
        const std::span<double> block(numbers.data(), std::min(kBlock, pixels - first));
        read_samples(frame, first, block);
        for (const double stored : block) {
            const auto levels =
                few ? table[static_cast<std::size_t>(static_cast<std::int64_t>(stored) - lowest)]
                    : levels_of(stored);
            for (const std::uint16_t level : levels) out.put(level);
        }
    }
}

/// The numbers of a frame that are no padding.
std::vector<double> image_numbers(const Frame& frame, const ModalityTransform& modality,
                                  const std::optional<PixelPadding>& padding) {
    std::vector<double> numbers;
    std::vector<double> stored(static_cast<std::size_t>(frame.format.pixels()));
    read_samples(frame, 0, stored);
    numbers.reserve(stored.size());
    for (const double value : stored) {
        if (!padding || !padding->contains(value)) numbers.push_back(modality(value));
    }
    return numbers;
}

/// Stored values of at most 8 bits that no modality transformation concerns are taken as grey levels
/// when nothing says otherwise; so are floating point numbers and wider integers nowhere.
bool are_levels(const PixelFormat& format, const ModalityTransform& modality) {
    return format.sample == SampleType::integer && format.bits_stored <= 8 && !modality.table &&
           modality.slope == 1 && modality.intercept == 0;
}

Result<std::variant<Window, LookupTable>> choose_voi(const Frame& frame, const FunctionalGroups& groups,
                                                     const dicom::DataSet& data_set, std::uint32_t number,
                                                     const ModalityTransform& modality,
                                                     const RenderOptions& options) {
    using Voi = std::variant<Window, LookupTable>;
    if (options.window) return Voi(*options.window);
    const auto automatic = [&] {
        auto numbers = image_numbers(frame, modality, pixel_padding(data_set, frame.format));
        return Voi(automatic_window(numbers, options.ignored_percent));
    };
    if (options.automatic && !options.voi) return automatic();
    const auto range = transformed_range(frame.format, modality);
    auto choices = voi_choices(groups, number, range && range->lowest < 0);
    if (!choices) return std::move(choices).error();
    if (options.voi && (*options.voi == 0 || *options.voi > choices->size())) {
        return Error(Errc::invalid_argument, "no VOI " + std::to_string(*options.voi) + ": the image has " +
                                                 std::to_string(choices->windows.size()) + " windows and " +
                                                 std::to_string(choices->tables.size()) + " VOI LUTs");
    }
    const std::size_t chosen = options.voi.value_or(1) - 1;
    if (chosen < choices->windows.size()) return Voi(choices->windows[chosen]);
    if (chosen < choices->size()) return Voi(std::move(choices->tables[chosen - choices->windows.size()]));
    if (are_levels(frame.format, modality)) return Voi(window_of(*range));
    return automatic();
}

/// Of X-Ray Angiographic and X-Ray Radiofluoroscopic images the Modality LUT leads back to the intensity
/// of the beam; it is no part of their display (PS3.3 C.8.7.1.1.2).
bool is_displayed_as_stored(const dicom::DataSet& data_set) {
    const auto sop_class = data_set.text(tags::SOPClassUID);
    return sop_class == dicom::uids::XRayAngiographicImageStorage ||
           sop_class == dicom::uids::XRayRadiofluoroscopicImageStorage;
}

Result<Picture> draw_gray(const Frame& frame, const dicom::DataSet& data_set, std::uint32_t number,
                          const RenderOptions& options) {
    const FunctionalGroups groups(data_set);
    GrayscalePipeline pipeline;
    auto modality = modality_transform(data_set, groups, number, frame.format);
    if (!modality) return std::move(modality).error();
    if (!is_displayed_as_stored(data_set)) pipeline.modality = std::move(*modality);
    auto voi = choose_voi(frame, groups, data_set, number, pipeline.modality, options);
    if (!voi) return std::move(voi).error();
    pipeline.voi = std::move(*voi);
    auto shown = presentation(data_set, frame.format.photometric);
    if (!shown) return std::move(shown).error();
    pipeline.presentation = std::move(*shown);
    if (options.invert) pipeline.presentation.inverse = !pipeline.presentation.inverse;

    auto supplement = read_supplemental_palette(data_set, frame.format);
    if (!supplement) return std::move(supplement).error();
    Picture picture =
        blank_picture(frame.format.rows, frame.format.columns, *supplement ? 3 : 1, options.bits);
    if (*supplement) {
        const Palette& palette = **supplement;
        draw<3>(
            frame,
            [&](double stored) {
                if (stored >= static_cast<double>(palette.red.first_mapped)) return palette(stored);
                const double gray = pipeline(stored);
                return std::array{gray, gray, gray};
            },
            picture);
    } else {
        draw<1>(
            frame, [&](double stored) { return std::array{pipeline(stored)}; }, picture);
    }
    return picture;
}

Result<Picture> draw_palette(const Frame& frame, const dicom::DataSet& data_set,
                             const RenderOptions& options) {
    const auto palette = read_palette(data_set.elements(), frame.format);
    if (!palette) return Error(palette.error());
    Picture picture = blank_picture(frame.format.rows, frame.format.columns, 3, options.bits);
    draw<3>(
        frame,
        [&](double stored) {
            auto colour = (*palette)(stored);
            if (options.invert) {
                for (double& part : colour) part = 1 - part;
            }
            return colour;
        },
        picture);
    return picture;
}

Result<Picture> draw_colour(const Frame& frame, const RenderOptions& options) {
    if (frame.format.photometric != Photometric::rgb) {
        return Error(Errc::unsupported, "colours of Photometric Interpretation " +
                                            std::string(to_string(frame.format.photometric)) +
                                            " cannot be turned into RGB");
    }
    const auto range = stored_range(frame.format);
    if (!range) return Error(Errc::unsupported, "colours in floating point");
    Picture picture = blank_picture(frame.format.rows, frame.format.columns, 3, options.bits);
    SampleWriter out(picture);
    const Window window = window_of(*range);
    std::array<double, kBlock> numbers;
    const auto samples = static_cast<std::size_t>(picture.samples());
    for (std::size_t first = 0; first < samples; first += kBlock) {
        const std::span<double> block(numbers.data(), std::min(kBlock, samples - first));
        read_samples(frame, first, block);
        for (const double stored : block) {
            const double fraction = window(stored);
            out.put(out.level(options.invert ? 1 - fraction : fraction));
        }
    }
    return picture;
}

Result<Picture> draw_frame(const Frame& frame, const dicom::DataSet& data_set, std::uint32_t number,
                           const RenderOptions& options) {
    if (frame.format.samples_per_pixel == 3) return draw_colour(frame, options);
    if (frame.format.samples_per_pixel != 1) {
        return Error(Errc::unsupported,
                     std::to_string(frame.format.samples_per_pixel) + " samples per pixel are no picture");
    }
    if (frame.format.photometric == Photometric::palette_color) return draw_palette(frame, data_set, options);
    return draw_gray(frame, data_set, number, options);
}

Result<void> draw_overlays(const FrameSource& source, std::uint32_t number, Picture& picture) {
    const auto overlays = read_overlays(source.data_set(), source.format());
    if (!overlays) return Error(overlays.error());
    ByteBuffer raw;
    const bool embedded = std::any_of(overlays->begin(), overlays->end(),
                                      [](const Overlay& overlay) { return overlay.embedded; });
    if (embedded) {
        if (source.syntax().encapsulated) {
            return Error(Errc::unsupported, "overlays in the high bits of compressed pixels");
        }
        auto stored = source.encoded(number);
        if (!stored) return std::move(stored).error();
        raw = std::move(*stored);
    }
    PixelFormat format = source.format();
    format.rows = picture.rows;
    format.columns = picture.columns;
    const std::size_t bytes = picture.channels * picture.bits / 8;
    for (const Overlay& overlay : *overlays) {
        const auto mask = overlay_mask(overlay, format, number, raw.span());
        for (std::size_t n = 0; n < mask.size(); ++n) {
            if (mask[n] != 0) std::memset(picture.bytes.data() + n * bytes, 0xff, bytes);
        }
    }
    return {};
}

struct Size {
    std::uint32_t rows;
    std::uint32_t columns;
};

Result<Size> wanted_size(const PixelFormat& format, double aspect, const RenderOptions& options) {
    double rows = format.rows;
    double columns = format.columns;
    if (options.square_pixels && aspect >= 1) rows *= aspect;
    if (options.square_pixels && aspect < 1) columns /= aspect;
    if (options.size != 0) {
        const double factor = options.size / std::max(rows, columns);
        rows *= factor;
        columns *= factor;
    }
    if (!(rows * columns <= static_cast<double>(options.limits.max_pixels_per_frame))) {
        return Error(Errc::limit_exceeded, "the picture would have more pixels than the limit of " +
                                               std::to_string(options.limits.max_pixels_per_frame));
    }
    const auto whole = [](double pixels) {
        return static_cast<std::uint32_t>(std::max(1.0, std::nearbyint(pixels)));
    };
    return Size{whole(rows), whole(columns)};
}

/// How often rows and columns may be halved while decoding without being fewer than wanted.
std::uint32_t useful_reduction(const PixelFormat& format, const Size& size) {
    std::uint32_t reduce = 0;
    while (reduce < kMostReductions && format.rows >> (reduce + 1) >= size.rows &&
           format.columns >> (reduce + 1) >= size.columns) {
        ++reduce;
    }
    return reduce;
}

}  // namespace

double pixel_aspect(const dicom::DataSet& data_set, std::uint32_t frame) {
    const auto of = [](const dicom::ElementRange& level, dicom::Tag tag) -> std::optional<double> {
        const auto pair = decimals(level, tag, 2);
        if (!pair || !((*pair)[0] > 0 && (*pair)[1] > 0)) return std::nullopt;
        return std::clamp((*pair)[0] / (*pair)[1], 1 / kMostAspect, kMostAspect);
    };
    const FunctionalGroups groups(data_set);
    if (const auto ratio = of(data_set.elements(), tags::PixelAspectRatio)) return *ratio;
    if (const auto spacing = of(groups.level_of(frame, tags::PixelMeasuresSequence), tags::PixelSpacing))
        return *spacing;
    for (const auto tag : {tags::ImagerPixelSpacing, tags::NominalScannedPixelSpacing}) {
        if (const auto spacing = of(data_set.elements(), tag)) return *spacing;
    }
    return 1;
}

Result<Picture> render_frame(const FrameSource& source, std::uint32_t frame, const RenderOptions& options) {
    if (options.bits != 8 && options.bits != 16) {
        return Error(Errc::invalid_argument, "pictures have 8 or 16 bits");
    }
    const double aspect = options.square_pixels ? pixel_aspect(source.data_set(), frame) : 1;
    const auto size = wanted_size(source.format(), aspect, options);
    if (!size) return Error(size.error());
    DecodeOptions decode;
    decode.limits = options.limits;
    decode.to_rgb = true;
    // Overlays have the size of the whole image.
    decode.reduce = options.overlays ? 0 : useful_reduction(source.format(), *size);
    const auto decoded = source.decode(frame, decode);
    if (!decoded) return Error(decoded.error());
    if (decoded->format.pixels() == 0) return Error(Errc::malformed, "a frame without pixels");
    auto picture = draw_frame(*decoded, source.data_set(), frame, options);
    if (!picture) return picture;
    if (options.overlays) {
        if (auto drawn = draw_overlays(source, frame, *picture); !drawn) return std::move(drawn).error();
    }
    const bool as_stored = options.size == 0 && !options.square_pixels;
    if (as_stored || (picture->rows == size->rows && picture->columns == size->columns)) return picture;
    return scale(*picture, size->rows, size->columns);
}

Result<Picture> render_contact_sheet(const FrameSource& source, const RenderOptions& options,
                                     const ContactSheetOptions& sheet) {
    const std::uint32_t cells = std::min(source.frame_count(), std::max(sheet.max_cells, 1u));
    if (cells == 0) return Error(Errc::not_found, "no frames");
    RenderOptions of_cell = options;
    if (of_cell.size == 0) of_cell.size = std::max(sheet.cell, 1u);
    const auto across = static_cast<std::uint32_t>(std::ceil(std::sqrt(double(cells))));
    const std::uint32_t down = (cells + across - 1) / across;
    Picture made;
    for (std::uint32_t n = 0; n < cells; ++n) {
        const auto frame = static_cast<std::uint32_t>(std::uint64_t{n} * source.frame_count() / cells);
        auto picture = render_frame(source, frame, of_cell);
        if (!picture) return std::move(picture).error().within("frame " + std::to_string(frame + 1));
        if (n == 0) {
            const std::uint64_t pixels = std::uint64_t{across} * down * picture->rows * picture->columns;
            if (pixels > options.limits.max_pixels_per_frame) {
                return Error(Errc::limit_exceeded, "the sheet would have more pixels than the limit of " +
                                                       std::to_string(options.limits.max_pixels_per_frame));
            }
            made = blank_picture(down * picture->rows, across * picture->columns, picture->channels,
                                 picture->bits);
        }
        if (picture->channels != made.channels) {
            picture = to_rgb(std::move(*picture));
            made = to_rgb(std::move(made));
        }
        const std::uint32_t rows = made.rows / down;
        const std::uint32_t columns = made.columns / across;
        if (picture->rows != rows || picture->columns != columns) picture = scale(*picture, rows, columns);
        paste(*picture, made, n / across * rows, n % across * columns);
    }
    return made;
}

}  // namespace sagitta::codec
