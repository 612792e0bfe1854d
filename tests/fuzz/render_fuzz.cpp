// Pictures and volumes of an arbitrary data set: tables, palettes, windows, overlays, functional groups.
// First byte: transfer syntax and how to render. What must hold: a picture has as many bytes as it says,
// and frames cost no more than the limits allow.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "codec/frame_source.h"
#include "codec/overlay.h"
#include "codec/palette.h"
#include "codec/render.h"
#include "codec/value_transform.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"

namespace {

using namespace sagitta;

constexpr std::uint64_t kMostPixels = 1u << 16;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

void check(const Result<codec::Picture>& picture) {
    if (!picture) return;
    require(picture->samples() * picture->bits / 8 == picture->bytes.size(), "a picture has all its bytes");
    require(std::uint64_t{picture->rows} * picture->columns <= kMostPixels, "a picture keeps to the limit");
}

/// The readers themselves, of any data set, with or without pixels.
void read_tables(const dicom::DataSet& data_set, std::uint8_t choice) {
    codec::PixelFormat format;
    format.rows = 8;
    format.columns = 8;
    format.is_signed = (choice & 1) != 0;
    const auto palette = codec::read_palette(data_set.elements(), format);
    if (palette) require((*palette)(choice)[0] <= 1, "a colour is a fraction");
    const codec::FunctionalGroups groups(data_set);
    const auto choices = codec::voi_choices(groups, choice, true);
    if (choices) {
        for (const auto& window : choices->windows) {
            require(window(-1e6) >= 0 && window(1e6) <= 1, "a grey level is a fraction");
        }
    }
    const auto overlays = codec::read_overlays(data_set, format);
    if (!overlays) return;
    for (const auto& overlay : *overlays) {
        const auto mask = codec::overlay_mask(overlay, format, choice, {});
        require(mask.empty() || mask.size() == format.pixels(), "a mask covers the image");
    }
}

void render(const dicom::DataSet& data_set, const dicom::TransferSyntax& syntax, std::uint8_t choice) {
    codec::RenderOptions options;
    options.limits.max_pixels_per_frame = kMostPixels;
    options.limits.max_frame_bytes = kMostPixels * 8;
    options.overlays = (choice & 0x10) != 0;
    options.square_pixels = (choice & 0x20) != 0;
    options.automatic = (choice & 0x40) != 0;
    options.size = (choice & 0x80) != 0 ? 17 : 0;
    options.bits = (choice & 0x08) != 0 ? 16 : 8;
    const auto source = codec::FrameSource::open(data_set, syntax, options.limits);
    if (!source) return;
    check(codec::render_frame(*source, 0, options));
    codec::ContactSheetOptions sheet;
    sheet.cell = 4;
    sheet.max_cells = 4;
    check(codec::render_contact_sheet(*source, options, sheet));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view kSyntaxes[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1",
                                              "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"};
    if (size == 0) return 0;
    const auto& syntax = *dicom::find_transfer_syntax(kSyntaxes[data[0] & 3]);
    dicom::ParseOptions options;
    options.keep_readable_part = true;
    const auto parsed =
        dicom::parse_data_set(std::as_bytes(std::span(data, size)).subspan(1), syntax, options);
    if (!parsed) return 0;
    read_tables(parsed->data_set, data[0]);
    render(parsed->data_set, syntax, data[0]);
    return 0;
}
