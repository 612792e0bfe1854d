// RLE Lossless (PS3.5 Annex G): a segment for each byte of a sample, the most significant first, each
// packed as runs and literals.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/codecs.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {
namespace {

constexpr std::array<std::string_view, 1> kSyntaxes{dicom::uids::RLELossless};
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kMaxSegments = 15;
constexpr std::size_t kLongest = 128;       // bytes that one run or literal makes
constexpr std::size_t kChunkPixels = 8192;  // planes of so many stay in the cache until they are joined
constexpr std::size_t kSlackBytes = 2 * kLongest;

/// Unpacks a segment piece by piece.
class SegmentReader {
public:
    explicit SegmentReader(std::span<const std::byte> segment)
        : at_(segment.data()), end_(segment.data() + segment.size()) {}

    /// Fills `count` bytes, behind which there must be room for kSlackBytes. False when the segment ends
    /// before. A run or literal may reach into the next piece.
    bool fill(std::byte* out, std::size_t count) {
        std::byte* const stop = out + count;
        out = std::copy_n(carried_.data(), carried_count_, out);
        carried_count_ = 0;
        while (out < stop) {
            if (at_ == end_) return false;
            const auto control = std::to_integer<unsigned>(*at_++);
            if (control < 0x80) {
                const std::size_t length = control + 1;
                if (length > static_cast<std::size_t>(end_ - at_)) return false;
                copy_literal(out, length);
                at_ += length;
                out += length;
            } else if (control > 0x80) {
                if (at_ == end_) return false;
                const std::size_t length = 257 - control;
                const int value = std::to_integer<int>(*at_++);
                std::memset(out, value, 16);
                if (length > 16) std::memset(out + 16, value, kLongest - 16);
                out += length;
            }
        }
        carried_count_ = static_cast<std::size_t>(out - stop);
        std::memcpy(carried_.data(), stop, carried_count_);
        return true;
    }

private:
    // Whole blocks where they can be read: what is written too much is overwritten by what follows.
    void copy_literal(std::byte* out, std::size_t length) const {
        if (static_cast<std::size_t>(end_ - at_) < kLongest + 16) {
            std::memcpy(out, at_, length);
            return;
        }
        std::memcpy(out, at_, 16);
        for (std::size_t done = 16; done < length; done += 16) std::memcpy(out + done, at_ + done, 16);
    }

    const std::byte* at_;
    const std::byte* end_;
    std::array<std::byte, kLongest> carried_;
    std::size_t carried_count_ = 0;
};

Result<std::vector<SegmentReader>> open_segments(std::span<const std::byte> encoded, std::size_t expected) {
    if (encoded.size() < kHeaderBytes) return Error(Errc::truncated, "RLE header cut short", encoded.size());
    const auto count = load_le<std::uint32_t>(encoded.data());
    if (count != expected)
        return Error(Errc::malformed,
                     std::to_string(count) + " RLE segments where " + std::to_string(expected) + " must be",
                     0);
    std::vector<SegmentReader> segments;
    const auto offset_of = [&](std::size_t n) {
        return load_le<std::uint32_t>(encoded.data() + 4 * (n + 1));
    };
    for (std::size_t n = 0; n < count; ++n) {
        const std::size_t from = offset_of(n);
        const std::size_t to = n + 1 < count ? offset_of(n + 1) : encoded.size();
        if (from < kHeaderBytes || from > to || to > encoded.size())
            return Error(Errc::malformed, "offset of RLE segment " + std::to_string(n) + " is wrong",
                         4 * (n + 1));
        segments.emplace_back(encoded.subspan(from, to - from));
    }
    return segments;
}

// Byte n of pixel p goes to out[p * Planes + position of plane n].
template <std::size_t Planes>
void join_fixed(const std::byte* scratch, std::size_t stride, std::size_t pixels, std::size_t sample_bytes,
                std::byte* out) {
    std::array<const std::byte*, Planes> plane;
    for (std::size_t n = 0; n < Planes; ++n) {
        const std::size_t in_sample = n % sample_bytes;
        plane[n] = scratch + (n - in_sample + sample_bytes - 1 - in_sample) * stride;
    }
    for (std::size_t p = 0; p < pixels; ++p) {
        for (std::size_t n = 0; n < Planes; ++n) out[p * Planes + n] = plane[n][p];
    }
}

void join_pairs(const std::byte* high, const std::byte* low, std::size_t pixels, std::byte* out) {
    for (std::size_t p = 0; p < pixels; ++p) {
        const auto value = static_cast<std::uint16_t>((std::to_integer<unsigned>(high[p]) << 8) |
                                                      std::to_integer<unsigned>(low[p]));
        store_le(out + 2 * p, value);
    }
}

void join(const std::byte* scratch, std::size_t stride, std::size_t pixels, std::size_t planes,
          std::size_t sample_bytes, std::byte* out) {
    if (planes == 1) {
        std::memcpy(out, scratch, pixels);
    } else if (planes == 2 && sample_bytes == 2) {
        join_pairs(scratch, scratch + stride, pixels, out);
    } else if (planes == 3) {
        join_fixed<3>(scratch, stride, pixels, sample_bytes, out);
    } else if (planes == 4) {
        join_fixed<4>(scratch, stride, pixels, sample_bytes, out);
    } else {
        for (std::size_t n = 0; n < planes; ++n) {
            const std::size_t in_sample = n % sample_bytes;
            std::byte* to = out + (n - in_sample) + (sample_bytes - 1 - in_sample);
            for (std::size_t p = 0; p < pixels; ++p) to[p * planes] = scratch[n * stride + p];
        }
    }
}

// Never across a row (PS3.5 G.3.1). `out` has room for the longest outcome.
std::byte* pack_row(const std::byte* row, std::size_t count, std::byte* out) {
    std::size_t at = 0;
    std::size_t literal = 0;  // where the bytes begin that are in no run yet
    const auto flush = [&](std::size_t to) {
        while (literal < to) {
            const std::size_t length = std::min(kLongest, to - literal);
            *out++ = static_cast<std::byte>(length - 1);
            out = std::copy_n(row + literal, length, out);
            literal += length;
        }
    };
    while (at < count) {
        std::size_t run = 1;
        while (run < kLongest && at + run < count && row[at + run] == row[at]) ++run;
        if (run >= 3 || (run == 2 && literal == at)) {
            flush(at);
            *out++ = static_cast<std::byte>(257 - run);
            *out++ = row[at];
            literal = at + run;
        }
        at += run;
    }
    flush(count);
    return out;
}

class Rle final : public FrameCodec {
public:
    std::span<const std::string_view> decodes() const noexcept override { return kSyntaxes; }
    std::span<const std::string_view> encodes() const noexcept override { return kSyntaxes; }

    Result<Frame> decode(std::span<const std::byte> encoded, const PixelFormat& declared,
                         const DecodeOptions& options) const override {
        if (auto checked = check_limits(declared, options.limits); !checked)
            return std::move(checked).error();
        if (declared.bits_allocated < 8)
            return Error(Errc::unsupported, "RLE of samples that are not whole bytes");
        const std::size_t sample_bytes = declared.sample_bytes();
        const std::size_t planes = declared.samples_per_pixel * sample_bytes;
        if (declared.frame_bytes() > encoded.size() * kLongest / 2)
            return Error(Errc::truncated, "RLE data too short for its pixels", encoded.size());
        auto segments = open_segments(encoded, planes);
        if (!segments) return std::move(segments).error();
        Frame frame;
        frame.format = declared;
        frame.format.planar = false;
        const auto out = frame.bytes.prepare(declared.frame_bytes());
        frame.bytes.commit(out.size());
        const std::size_t stride = kChunkPixels + kSlackBytes;
        const auto scratch = std::make_unique_for_overwrite<std::byte[]>(planes * stride);
        const std::size_t pixels = declared.pixels();
        for (std::size_t from = 0; from < pixels; from += kChunkPixels) {
            const std::size_t count = std::min(kChunkPixels, pixels - from);
            for (std::size_t n = 0; n < planes; ++n) {
                if (!(*segments)[n].fill(scratch.get() + n * stride, count))
                    return Error(Errc::truncated,
                                 "RLE segment " + std::to_string(n) + " has fewer bytes than pixels");
            }
            join(scratch.get(), stride, count, planes, sample_bytes, out.data() + from * planes);
        }
        keep_stored_bits(out, frame.format);
        return frame;
    }

    std::optional<Error> refuses(const PixelFormat& format, std::string_view) const override {
        if (format.bits_allocated < 8)
            return Error(Errc::unsupported, "RLE takes samples of whole bytes only");
        if (format.samples_per_pixel * format.sample_bytes() > kMaxSegments)
            return Error(Errc::unsupported, "RLE has at most 15 segments");
        if (format.frame_bytes() > (1ull << 31)) return Error(Errc::unsupported, "RLE offsets have 32 bits");
        return std::nullopt;
    }

    Result<ByteBuffer> encode(const Frame& frame, std::string_view transfer_syntax_uid, const EncodeOptions&,
                              PixelFormat& written) const override {
        if (auto refusal = refuses(frame.format, transfer_syntax_uid)) return std::move(*refusal);
        const std::size_t sample_bytes = frame.format.sample_bytes();
        const std::size_t planes = frame.format.samples_per_pixel * sample_bytes;
        const std::size_t columns = frame.format.columns;
        ByteBuffer out;
        std::fill_n(out.prepare(kHeaderBytes).data(), kHeaderBytes, std::byte{0});
        out.commit(kHeaderBytes);
        store_le(out.data(), static_cast<std::uint32_t>(planes));
        std::vector<std::byte> row(columns);
        for (std::size_t n = 0; n < planes; ++n) {
            store_le(out.data() + 4 * (n + 1), static_cast<std::uint32_t>(out.size()));
            const std::size_t in_sample = n % sample_bytes;
            const std::byte* from = frame.bytes.data() + (n - in_sample) + (sample_bytes - 1 - in_sample);
            for (std::uint32_t y = 0; y < frame.format.rows; ++y) {
                for (std::size_t x = 0; x < columns; ++x, from += planes) row[x] = *from;
                std::byte* const begin = out.prepare(columns + columns / kLongest + 2).data();
                out.commit(static_cast<std::size_t>(pack_row(row.data(), columns, begin) - begin));
            }
            if (out.size() % 2 != 0) out.append(std::array{std::byte{0}});
        }
        written = frame.format;
        return out;
    }
};

}  // namespace

const FrameCodec& rle_codec() noexcept {
    static const Rle codec;
    return codec;
}

}  // namespace sagitta::codec
