#include "codec/jpeg_dct.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "codec/jpeg_huffman.h"

namespace sagitta::codec::jpeg {
namespace {

constexpr std::size_t kSide = 8;
constexpr std::size_t kBlock = kSide * kSide;
constexpr float kLevel = 2048;  // half of what 12 bits hold
constexpr float kLargest = 4095;

// Where the n-th coefficient of the zigzag lies (T.81 Figure A.6).
constexpr std::array<std::uint8_t, kBlock> make_zigzag() {
    std::array<std::uint8_t, kBlock> order{};
    std::size_t row = 0;
    std::size_t column = 0;
    for (std::size_t n = 0; n < kBlock; ++n) {
        order[n] = static_cast<std::uint8_t>(row * kSide + column);
        const bool up = (row + column) % 2 == 0;
        if (up && column == kSide - 1) {
            ++row;
        } else if (up && row == 0) {
            ++column;
        } else if (up) {
            --row, ++column;
        } else if (row == kSide - 1) {
            ++column;
        } else if (column == 0) {
            ++row;
        } else {
            ++row, --column;
        }
    }
    return order;
}
constexpr auto kZigzag = make_zigzag();

using Matrix = std::array<float, kBlock>;

// Row u: the u-th cosine (T.81 A.3.3).
Matrix make_cosines() {
    Matrix cosines;
    for (std::size_t u = 0; u < kSide; ++u) {
        for (std::size_t x = 0; x < kSide; ++x) {
            const double scale = u == 0 ? std::sqrt(0.125) : 0.5;
            const double angle =
                (2.0 * static_cast<double>(x) + 1) * static_cast<double>(u) * std::numbers::pi / 16;
            cosines[u * kSide + x] = static_cast<float>(scale * std::cos(angle));
        }
    }
    return cosines;
}

/// The coefficients of a block, and which rows and columns have any.
struct Block {
    Matrix values{};
    unsigned rows = 0;  // a bit for each
    unsigned columns = 0;

    void set(std::size_t at, float value) {
        values[at] = value;
        rows |= 1u << (at / kSide);
        columns |= 1u << (at % kSide);
    }
};

const Matrix kCosines = make_cosines();

void inverse_transform(const Block& block, std::uint16_t* out, std::size_t stride) {
    Matrix columns{};
    for (std::size_t v = 0; v < kSide; ++v) {
        if ((block.rows >> v & 1) == 0) continue;
        const float* from = block.values.data() + v * kSide;
        for (std::size_t y = 0; y < kSide; ++y) {
            const float factor = kCosines[v * kSide + y];
            for (std::size_t u = 0; u < kSide; ++u) columns[y * kSide + u] += factor * from[u];
        }
    }
    for (std::size_t y = 0; y < kSide; ++y) {
        std::array<float, kSide> row;
        row.fill(kLevel + 0.5f);
        for (std::size_t u = 0; u < kSide; ++u) {
            if ((block.columns >> u & 1) == 0) continue;
            const float factor = columns[y * kSide + u];
            for (std::size_t x = 0; x < kSide; ++x) row[x] += factor * kCosines[u * kSide + x];
        }
        for (std::size_t x = 0; x < kSide; ++x) {
            const float sample = row[x] < 0 ? 0 : row[x] > kLargest ? kLargest : row[x];
            out[y * stride + x] = static_cast<std::uint16_t>(static_cast<std::int32_t>(sample));
        }
    }
}

struct Plane {
    std::size_t horizontal = 1;
    std::size_t vertical = 1;
    std::size_t blocks_wide = 0;  // those that hold pixels
    std::size_t blocks_high = 0;
    std::size_t stride = 0;  // in samples, of all blocks of all units
    std::vector<std::uint16_t> samples;
    std::array<float, kBlock> quantization{};  // in the order of the block
    bool decoded = false;
};

std::size_t parts(std::size_t whole, std::size_t size) {
    return (whole + size - 1) / size;
}

/// The planes of a frame, and the scans that fill them.
class SequentialFrame {
public:
    SequentialFrame(StreamReader& reader, std::size_t rows) : reader_(reader), rows_(rows) {
        const auto& header = reader.frame();
        columns_ = header.columns;
        const bool alone = header.components.size() == 1;
        for (const auto& component : header.components) {
            Plane plane;
            // Alone, its factors mean nothing (T.81 A.2.2).
            plane.horizontal = alone ? 1 : component.horizontal;
            plane.vertical = alone ? 1 : component.vertical;
            widest_ = std::max(widest_, plane.horizontal);
            highest_ = std::max(highest_, plane.vertical);
            planes_.push_back(std::move(plane));
        }
        units_wide_ = parts(columns_, kSide * widest_);
        units_high_ = parts(rows_, kSide * highest_);
        for (auto& plane : planes_) {
            plane.blocks_wide = parts(parts(columns_ * plane.horizontal, widest_), kSide);
            plane.blocks_high = parts(parts(rows_ * plane.vertical, highest_), kSide);
            plane.stride = units_wide_ * plane.horizontal * kSide;
            plane.samples.resize(plane.stride * units_high_ * plane.vertical * kSide);
        }
    }

    Result<void> decode() {
        while (
            !std::all_of(planes_.begin(), planes_.end(), [](const Plane& plane) { return plane.decoded; })) {
            auto scan = reader_.next_scan();
            if (!scan) return std::move(scan).error();
            if (!*scan)
                return Error(Errc::truncated, "JPEG stream ends before all its components were there");
            if (auto done = decode_scan(**scan); !done) return done;
        }
        return {};
    }

    void store(std::byte* out) const {
        const std::size_t pixel_bytes = 2 * planes_.size();
        for (std::size_t n = 0; n < planes_.size(); ++n) {
            const Plane& plane = planes_[n];
            for (std::size_t y = 0; y < rows_; ++y) {
                const std::uint16_t* row =
                    plane.samples.data() + y * plane.vertical / highest_ * plane.stride;
                store_row(row, plane.horizontal, out + y * columns_ * pixel_bytes + 2 * n, pixel_bytes);
            }
        }
    }

private:
    struct Part {
        Plane* plane = nullptr;
        HuffmanTable dc;
        HuffmanTable ac;
        std::int32_t previous = 0;  // DC
    };

    // A sample of lower resolution is repeated: for pixel x it is the one at x * horizontal / widest_.
    void store_row(const std::uint16_t* row, std::size_t horizontal, std::byte* out, std::size_t step) const {
        if (horizontal == widest_) {
            for (std::size_t x = 0; x < columns_; ++x) store_le(out + x * step, row[x]);
            return;
        }
        std::size_t place = 0;  // x * horizontal, less what `row` has gone on
        for (std::size_t x = 0; x < columns_; ++x) {
            store_le(out + x * step, *row);
            place += horizontal;
            if (place >= widest_) {
                place -= widest_;
                ++row;
            }
        }
    }

    Result<void> prepare(const ScanHeader& scan) {
        scan_parts_.clear();
        for (const auto& component : scan.components) {
            auto part = std::make_unique<Part>();
            part->plane = &planes_[component.index];
            if (std::exchange(part->plane->decoded, true))
                return Error(Errc::malformed, "JPEG component in two sequential scans");
            if (auto built = part->dc.build_coefficients(reader_.dc_table(component.dc_table)); !built)
                return built;
            if (auto built = part->ac.build_coefficients(reader_.ac_table(component.ac_table)); !built)
                return built;
            const auto& table =
                reader_.quantization(reader_.frame().components[component.index].quantization);
            if (!table) return Error(Errc::malformed, "JPEG scan without its quantization table");
            for (std::size_t n = 0; n < kBlock; ++n)
                part->plane->quantization[kZigzag[n]] = static_cast<float>((*table)[n]);
            scan_parts_.push_back(std::move(part));
        }
        return {};
    }

    Result<void> decode_scan(const ScanHeader& scan) {
        if (auto ready = prepare(scan); !ready) return ready;
        const bool alone = scan_parts_.size() == 1;
        const std::size_t wide = alone ? scan_parts_[0]->plane->blocks_wide : units_wide_;
        const std::size_t units = wide * (alone ? scan_parts_[0]->plane->blocks_high : units_high_);
        const std::size_t interval = reader_.restart_interval() == 0 ? units : reader_.restart_interval();
        std::size_t at = scan.data_bytes;
        for (std::size_t unit = 0; unit < units;) {
            const std::size_t begin = at;
            const bool more = reader_.read_interval(at, bytes_);
            BitReader bits(std::as_const(bytes_).span());
            for (auto& part : scan_parts_) part->previous = 0;
            const std::size_t end = std::min(units, unit + interval);
            for (; unit < end; ++unit) {
                if (!decode_unit(bits, unit % wide, unit / wide, alone))
                    return Error(bits.overrun() ? Errc::truncated : Errc::malformed,
                                 "JPEG data end or break in the interval that begins", begin);
            }
            if (!more && unit < units) return Error(Errc::truncated, "JPEG scan ends too early", at);
        }
        reader_.continue_at(at);
        return {};
    }

    bool decode_unit(BitReader& bits, std::size_t x, std::size_t y, bool alone) {
        for (auto& part : scan_parts_) {
            const std::size_t wide = alone ? 1 : part->plane->horizontal;
            const std::size_t high = alone ? 1 : part->plane->vertical;
            for (std::size_t n = 0; n < wide * high; ++n) {
                if (!decode_block(bits, *part, x * wide + n % wide, y * high + n / wide)) return false;
            }
        }
        return true;
    }

    // T.81 F.2.2.
    static bool decode_block(BitReader& bits, Part& part, std::size_t block_x, std::size_t block_y) {
        Block block;
        Window window = refilled(bits, {});
        HuffmanTable::Value found;
        if (!next_value(bits, window, part.dc, found) || found.symbol > 15) return false;
        // Kept to 16 bits: damaged data may count on for ever.
        part.previous = static_cast<std::int16_t>(part.previous + found.value);
        const auto& quantization = part.plane->quantization;
        block.set(0, static_cast<float>(part.previous) * quantization[0]);
        for (std::size_t n = 1; n < kBlock; ++n) {
            if (!next_value(bits, window, part.ac, found)) return false;
            const std::size_t zeros = found.symbol >> 4;
            if ((found.symbol & 15) == 0) {
                if (zeros != 15) break;
                n += 15;
                continue;
            }
            n += zeros;
            if (n >= kBlock) return false;
            block.set(kZigzag[n], static_cast<float>(found.value) * quantization[kZigzag[n]]);
        }
        if (!refilled(bits, window).good) return false;
        std::uint16_t* out =
            part.plane->samples.data() + block_y * kSide * part.plane->stride + block_x * kSide;
        inverse_transform(block, out, part.plane->stride);
        return true;
    }

    static bool next_value(BitReader& bits, Window& window, const HuffmanTable& table,
                           HuffmanTable::Value& found) {
        constexpr unsigned kLongestBits = 31;
        if (window.used > Window::kBits - kLongestBits) window = refilled(bits, window);
        found = table.value(window.bits);
        if (found.bits == 0) {
            const auto code = table.find(window.bits);
            if (code.length == 0) return false;
            const unsigned category = code.symbol & 15;
            const auto more =
                static_cast<std::uint32_t>((window.bits << code.length) >> 1 >> (63 - category));
            found = {static_cast<std::int16_t>(extend(more, category)),
                     static_cast<std::uint8_t>(code.length + category), code.symbol};
        }
        window.skip(found.bits);
        return window.good;
    }

    StreamReader& reader_;
    std::size_t rows_;
    std::size_t columns_ = 0;
    std::size_t widest_ = 1;
    std::size_t highest_ = 1;
    std::size_t units_wide_ = 0;
    std::size_t units_high_ = 0;
    std::vector<Plane> planes_;
    std::vector<std::unique_ptr<Part>> scan_parts_;
    ByteBuffer bytes_;
};

}  // namespace

Result<void> decode_sequential12(StreamReader& reader, std::uint32_t rows, std::span<std::byte> pixels) {
    SequentialFrame frame(reader, rows);
    if (auto done = frame.decode(); !done) return done;
    frame.store(pixels.data());
    return {};
}

}  // namespace sagitta::codec::jpeg
