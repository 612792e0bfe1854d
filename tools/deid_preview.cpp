#include "deid_preview.h"

#include <utility>

#include <fmt/format.h>

#include "codec/frame_source.h"
#include "codec/png_writer.h"
#include "codec/render.h"
#include "deid/pixel_areas.h"
#include "dicom/write_file.h"

namespace sagitta::tools {
namespace {

// Half of what is there, half red.
void tint(codec::Picture& picture, const codec::Rectangle& area) {
    for (std::uint32_t y = area.top; y < area.top + area.height; ++y) {
        std::byte* pixel = picture.bytes.data() + (std::size_t{y} * picture.columns + area.left) * 3;
        for (std::uint32_t x = 0; x < area.width; ++x, pixel += 3) {
            for (std::size_t n = 0; n < 3; ++n)
                pixel[n] = static_cast<std::byte>(static_cast<unsigned>(pixel[n]) / 2 + (n == 0 ? 128 : 0));
        }
    }
}

std::string decided_by(const deid::Profile& profile, const deid::PixelAreas& areas) {
    if (!areas.decided) return "no rule and no ultrasound region knows this image";
    std::string who = "the ultrasound regions";
    if (areas.rule) who = fmt::format("{}:{}", profile.file, profile.pixels[*areas.rule].line);
    switch (*areas.decided) {
        case deid::PixelRule::Action::keep: return who + ": nothing is covered";
        case deid::PixelRule::Action::refuse: return who + ": refused";
        default: return who;
    }
}

}  // namespace

Result<PreviewReport> write_preview(const deid::Profile& profile, const std::string& in,
                                    const std::string& out) {
    auto source = codec::FrameSource::open_file(in);
    if (!source) return std::move(source).error();
    auto areas = deid::pixel_areas(source->data_set(), profile.pixels);
    if (!areas) return std::move(areas).error().within(in);
    auto rendered = codec::render_frame(*source, source->frame_count() / 2);
    if (!rendered) return std::move(rendered).error().within(in);
    codec::Picture picture = codec::to_rgb(std::move(*rendered));
    for (const auto& area : areas->masks) tint(picture, codec::clipped(area, picture.columns, picture.rows));
    auto png = codec::write_png(picture);
    if (!png) return std::move(png).error();
    const auto bytes = std::as_const(*png).span();
    auto written = dicom::write_file(out, std::span(&bytes, 1));
    if (!written) return std::move(written).error();
    return PreviewReport{areas->masks.size(), decided_by(profile, *areas)};
}

}  // namespace sagitta::tools
