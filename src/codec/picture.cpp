#include "codec/picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

namespace sagitta::codec {
namespace {

/// What of the old samples along an axis makes one new sample.
struct Taps {
    std::uint32_t first = 0;
    std::vector<float> weights;  ///< they add up to 1
};

Taps area_taps(double begin, double end, std::uint32_t from) {
    Taps taps;
    taps.first = std::min(static_cast<std::uint32_t>(begin), from - 1);
    const auto last = std::min(static_cast<std::uint32_t>(std::ceil(end)), from);
    for (std::uint32_t n = taps.first; n < std::max(last, taps.first + 1); ++n) {
        const double covered = std::min(end, n + 1.0) - std::max(begin, double(n));
        taps.weights.push_back(static_cast<float>(covered / (end - begin)));
    }
    return taps;
}

Taps linear_taps(double center, std::uint32_t from) {
    const double at = std::clamp(center - 0.5, 0.0, double(from - 1));
    const auto first = static_cast<std::uint32_t>(at);
    if (first + 1 >= from) return {first, {1}};
    const auto weight = static_cast<float>(at - first);
    return {first, {1 - weight, weight}};
}

std::vector<Taps> axis_taps(std::uint32_t from, std::uint32_t to) {
    std::vector<Taps> axis;
    const double step = static_cast<double>(from) / to;
    for (std::uint32_t n = 0; n < to; ++n) {
        axis.push_back(to < from ? area_taps(n * step, (n + 1) * step, from)
                                 : linear_taps((n + 0.5) * step, from));
    }
    return axis;
}

template <class Sample>
void scale_row(const std::byte* from, const std::vector<Taps>& axis, std::uint32_t channels, float* to) {
    for (const Taps& taps : axis) {
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            float sum = 0;
            for (std::size_t n = 0; n < taps.weights.size(); ++n) {
                Sample sample;
                std::memcpy(&sample, from + ((taps.first + n) * channels + channel) * sizeof sample,
                            sizeof sample);
                sum += taps.weights[n] * static_cast<float>(sample);
            }
            *to++ = sum;
        }
    }
}

template <class Sample>
void store_row(const std::vector<float>& sums, ByteBuffer& out) {
    auto room = out.prepare(sums.size() * sizeof(Sample));
    for (std::size_t n = 0; n < sums.size(); ++n) {
        const auto sample = static_cast<Sample>(sums[n] + 0.5f);
        std::memcpy(room.data() + n * sizeof sample, &sample, sizeof sample);
    }
    out.commit(room.size());
}

template <class Sample>
void scale_into(const Picture& picture, Picture& scaled) {
    const auto horizontal = axis_taps(picture.columns, scaled.columns);
    const auto vertical = axis_taps(picture.rows, scaled.rows);
    const std::size_t stride = std::size_t{picture.columns} * picture.channels * sizeof(Sample);
    const std::size_t width = std::size_t{scaled.columns} * scaled.channels;
    // Old rows, scaled to the new width, as long as a new row needs them: the first is `kept_from`.
    std::vector<std::vector<float>> kept;
    std::uint32_t kept_from = 0;
    std::vector<float> sums(width);
    for (const Taps& taps : vertical) {
        const auto gone = std::min<std::size_t>(taps.first - kept_from, kept.size());
        kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(gone));
        kept_from = taps.first;
        while (kept.size() < taps.weights.size()) {
            auto& row = kept.emplace_back(width);
            scale_row<Sample>(picture.bytes.data() + (kept_from + kept.size() - 1) * stride, horizontal,
                              picture.channels, row.data());
        }
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (std::size_t n = 0; n < taps.weights.size(); ++n) {
            for (std::size_t x = 0; x < width; ++x) sums[x] += taps.weights[n] * kept[n][x];
        }
        store_row<Sample>(sums, scaled.bytes);
    }
}

}  // namespace

Picture scale(const Picture& picture, std::uint32_t rows, std::uint32_t columns) {
    Picture scaled;
    scaled.rows = rows;
    scaled.columns = columns;
    scaled.channels = picture.channels;
    scaled.bits = picture.bits;
    if (picture.rows == rows && picture.columns == columns) {
        scaled.bytes.append(picture.bytes.span());
    } else if (picture.bits == 16) {
        scale_into<std::uint16_t>(picture, scaled);
    } else {
        scale_into<std::uint8_t>(picture, scaled);
    }
    return scaled;
}

Picture blank_picture(std::uint32_t rows, std::uint32_t columns, std::uint32_t channels, std::uint32_t bits) {
    Picture blank;
    blank.rows = rows;
    blank.columns = columns;
    blank.channels = channels;
    blank.bits = bits;
    const auto room = blank.bytes.prepare(static_cast<std::size_t>(blank.samples() * bits / 8));
    if (!room.empty()) std::memset(room.data(), 0, room.size());
    blank.bytes.commit(room.size());
    return blank;
}

Picture to_rgb(Picture picture) {
    if (picture.channels == 3) return picture;
    Picture coloured = blank_picture(picture.rows, picture.columns, 3, picture.bits);
    const std::size_t bytes = picture.bits / 8;
    for (std::size_t n = 0; n < picture.samples() * 3; ++n) {
        std::memcpy(coloured.bytes.data() + n * bytes, picture.bytes.data() + n / 3 * bytes, bytes);
    }
    return coloured;
}

void paste(const Picture& from, Picture& onto, std::uint32_t row, std::uint32_t column) noexcept {
    const std::size_t pixel = std::size_t{from.channels} * from.bits / 8;
    for (std::uint32_t y = 0; y < from.rows; ++y) {
        std::memcpy(onto.bytes.data() + (std::size_t{row + y} * onto.columns + column) * pixel,
                    from.bytes.data() + std::size_t{y} * from.columns * pixel, from.columns * pixel);
    }
}

}  // namespace sagitta::codec
