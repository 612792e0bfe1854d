#include "codec/overlay.h"

#include <algorithm>
#include <optional>
#include <string>

namespace sagitta::codec {

using dicom::ElementRange;
using dicom::Tag;

namespace {

constexpr std::uint16_t kRows = 0x0010;
constexpr std::uint16_t kColumns = 0x0011;
constexpr std::uint16_t kNumberOfFrames = 0x0015;
constexpr std::uint16_t kType = 0x0040;
constexpr std::uint16_t kOrigin = 0x0050;
constexpr std::uint16_t kImageFrameOrigin = 0x0051;
constexpr std::uint16_t kBitsAllocated = 0x0100;
constexpr std::uint16_t kBitPosition = 0x0102;
constexpr std::uint16_t kData = 0x3000;

/// Where and how big. Errors: malformed.
Result<Overlay> read_plane(const ElementRange& level, std::uint16_t group) {
    Overlay overlay;
    overlay.group = group;
    const auto number = [&](std::uint16_t element) { return level.integer(Tag(group, element)); };
    const auto rows = number(kRows);
    const auto columns = number(kColumns);
    if (!rows || !columns || *rows <= 0 || *columns <= 0 || *rows > UINT16_MAX || *columns > UINT16_MAX) {
        return Error(Errc::malformed, to_string(Tag(group, kRows)) + ": an overlay without rows and columns");
    }
    overlay.rows = static_cast<std::uint32_t>(*rows);
    overlay.columns = static_cast<std::uint32_t>(*columns);
    if (const auto origin = level.find(Tag(group, kOrigin))) {
        overlay.row = origin->integer(0).value_or(1) - 1;
        overlay.column = origin->integer(1).value_or(1) - 1;
    }
    overlay.region_of_interest = level.text(Tag(group, kType)) == "R";
    const auto frames = number(kNumberOfFrames).value_or(1);
    const auto first = number(kImageFrameOrigin).value_or(1);
    overlay.frames = static_cast<std::uint32_t>(std::clamp<std::int64_t>(frames, 1, INT32_MAX));
    overlay.first_frame = static_cast<std::uint32_t>(std::clamp<std::int64_t>(first, 1, INT32_MAX) - 1);
    return overlay;
}

Result<std::optional<Overlay>> read_overlay(const ElementRange& level, std::uint16_t group,
                                            const PixelFormat& format) {
    const auto data = level.find(Tag(group, kData));
    const auto allocated = level.integer(Tag(group, kBitsAllocated)).value_or(1);
    if (!data && allocated <= 1) return std::optional<Overlay>();  // attributes alone, as some write
    auto overlay = read_plane(level, group);
    if (!overlay) return std::move(overlay).error();
    if (data) {
        overlay->packed = data->value();
        overlay->swapped = data->node().big_endian && data->vr() == dicom::Vr::OW;
        const std::uint64_t bits = std::uint64_t{overlay->rows} * overlay->columns * overlay->frames;
        if (overlay->packed.size() < (bits + 7) / 8 + (overlay->swapped ? (bits + 7) / 8 % 2 : 0)) {
            return Error(Errc::truncated, to_string(Tag(group, kData)) + " is shorter than its planes");
        }
        return std::optional<Overlay>(*overlay);
    }
    const auto position = level.integer(Tag(group, kBitPosition)).value_or(-1);
    if (allocated != format.bits_allocated || position < 0 || position >= format.bits_allocated) {
        return Error(Errc::malformed, to_string(Tag(group, kBitPosition)) + " is no bit of the pixels");
    }
    overlay->embedded = true;
    overlay->bit_position = static_cast<std::uint16_t>(position);
    return std::optional<Overlay>(*overlay);
}

}  // namespace

Result<std::vector<Overlay>> read_overlays(const dicom::DataSet& data_set, const PixelFormat& format) {
    std::vector<Overlay> overlays;
    for (unsigned group = 0x6000; group <= 0x601e; group += 2) {
        auto overlay = read_overlay(data_set.elements(), static_cast<std::uint16_t>(group), format);
        if (!overlay) return std::move(overlay).error();
        if (*overlay) overlays.push_back(std::move(**overlay));
    }
    return overlays;
}

std::vector<std::uint8_t> overlay_mask(const Overlay& overlay, const PixelFormat& format, std::uint32_t frame,
                                       std::span<const std::byte> raw) {
    const bool of_all_frames = overlay.frames == 1 && overlay.first_frame == 0;
    const bool covered = frame >= overlay.first_frame && frame - overlay.first_frame < overlay.frames;
    if (!overlay.embedded && !of_all_frames && !covered) return {};
    const std::size_t container = format.bits_allocated / 8u;
    if (overlay.embedded && raw.size() < format.pixels() * container) return {};
    const std::uint64_t plane = covered ? frame - overlay.first_frame : 0;
    const std::uint64_t first_bit = plane * overlay.rows * overlay.columns;
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(format.pixels()));
    const auto is_set = [&](std::uint64_t pixel, std::uint64_t image_pixel) {
        if (!overlay.embedded) {
            const std::uint64_t bit = first_bit + pixel;
            const std::uint64_t byte = overlay.swapped ? bit / 8 ^ 1 : bit / 8;
            return (std::to_integer<unsigned>(overlay.packed[byte]) >> bit % 8 & 1u) != 0;
        }
        const std::byte byte = raw[image_pixel * container + overlay.bit_position / 8u];
        return (std::to_integer<unsigned>(byte) >> overlay.bit_position % 8 & 1u) != 0;
    };
    for (std::uint32_t y = 0; y < overlay.rows; ++y) {
        const std::int64_t row = overlay.row + y;
        if (row < 0 || row >= format.rows) continue;
        for (std::uint32_t x = 0; x < overlay.columns; ++x) {
            const std::int64_t column = overlay.column + x;
            if (column < 0 || column >= format.columns) continue;
            const auto at =
                static_cast<std::uint64_t>(row) * format.columns + static_cast<std::uint64_t>(column);
            if (is_set(std::uint64_t{y} * overlay.columns + x, at)) mask[at] = 1;
        }
    }
    return mask;
}

}  // namespace sagitta::codec
