#include "codec/mask.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sagitta::codec {
namespace {

using Pixel = std::array<std::byte, 4 * sizeof(std::uint64_t)>;

void put(Pixel& pixel, std::size_t at, std::uint64_t value, std::uint32_t sample_bytes) {
    for (std::uint32_t byte = 0; byte < sample_bytes; ++byte)
        pixel[at + byte] = static_cast<std::byte>(value >> (8 * byte));
}

// What is darkest, and of YBR the middle for the colours, which are unsigned (PS3.3 C.7.6.3.1.2).
Pixel black_pixel(const PixelFormat& format) {
    Pixel pixel{};
    const std::uint32_t bytes = format.sample_bytes();
    if (format.sample != SampleType::integer) return pixel;  // 0 in either floating format
    const unsigned bits = std::clamp<unsigned>(format.bits_stored, 1, 64);
    const std::uint64_t most = format.is_signed ? (std::uint64_t{1} << (bits - 1)) - 1
                               : bits == 64     ? ~std::uint64_t{0}
                                                : (std::uint64_t{1} << bits) - 1;
    const std::uint64_t least = format.is_signed ? ~most : 0;
    switch (format.photometric) {
        case Photometric::monochrome1: put(pixel, 0, most, bytes); break;
        case Photometric::ybr_full:
        case Photometric::ybr_full_422:
        case Photometric::ybr_partial_420:
        case Photometric::ybr_ict:
        case Photometric::ybr_rct:
            for (std::size_t n = 1; n < 3; ++n) put(pixel, n * bytes, std::uint64_t{1} << (bits - 1), bytes);
            break;
        default:
            for (std::size_t n = 0; n < std::min<std::size_t>(format.samples_per_pixel, 4); ++n)
                put(pixel, n * bytes, least, bytes);
    }
    return pixel;
}

}  // namespace

Rectangle clipped(const Rectangle& area, std::uint32_t columns, std::uint32_t rows) noexcept {
    if (area.left >= columns || area.top >= rows) return {};
    return {area.left, area.top, std::min(area.width, columns - area.left),
            std::min(area.height, rows - area.top)};
}

std::vector<Rectangle> all_but(std::span<const Rectangle> kept, std::uint32_t columns, std::uint32_t rows) {
    std::vector<Rectangle> inside;
    std::vector<std::uint32_t> edges{0, rows};
    for (const Rectangle& one : kept) {
        const Rectangle area = clipped(one, columns, rows);
        if (area.width == 0 || area.height == 0) continue;
        inside.push_back(area);
        edges.push_back(area.top);
        edges.push_back(area.top + area.height);
    }
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    std::sort(inside.begin(), inside.end(), [](const auto& a, const auto& b) { return a.left < b.left; });
    std::vector<Rectangle> covered;
    for (std::size_t band = 0; band + 1 < edges.size(); ++band) {
        const std::uint32_t top = edges[band];
        const std::uint32_t height = edges[band + 1] - top;
        std::uint32_t from = 0;
        for (const Rectangle& area : inside) {
            if (top < area.top || top >= area.top + area.height) continue;
            if (area.left > from) covered.push_back({from, top, area.left - from, height});
            from = std::max(from, area.left + area.width);
        }
        if (from < columns) covered.push_back({from, top, columns - from, height});
    }
    return covered;
}

void mask_frame(Frame& frame, std::span<const Rectangle> areas) {
    const PixelFormat& format = frame.format;
    const std::size_t pixel_bytes = std::size_t{format.samples_per_pixel} * format.sample_bytes();
    const Pixel black = black_pixel(format);
    if (pixel_bytes == 0 || pixel_bytes > black.size()) return;
    for (const Rectangle& one : areas) {
        const Rectangle area = clipped(one, format.columns, format.rows);
        for (std::uint32_t y = 0; y < area.height; ++y) {
            std::byte* at =
                frame.bytes.data() + (std::size_t{area.top + y} * format.columns + area.left) * pixel_bytes;
            for (std::uint32_t x = 0; x < area.width; ++x, at += pixel_bytes)
                std::memcpy(at, black.data(), pixel_bytes);
        }
    }
}

}  // namespace sagitta::codec
