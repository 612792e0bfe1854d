#include "codec/jpeg_lossless.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/jpeg_huffman.h"

namespace sagitta::codec::jpeg {
namespace {

using Row = std::vector<std::uint16_t>;

// One difference that the lookup has not whole. False when there is no such code.
bool long_difference(const HuffmanTable& table, std::uint64_t window, std::uint16_t& value, unsigned& bits) {
    const auto code = table.find(window);
    if (code.length == 0) return false;
    bits = code.length;
    if (code.symbol == 16) {  // 32768, and no bits more (T.81 H.1.2.2)
        value = 0x8000;
    } else if (code.symbol == 0) {
        value = 0;
    } else {
        const auto more = static_cast<std::uint32_t>((window << code.length) >> (64 - code.symbol));
        value = static_cast<std::uint16_t>(extend(more, code.symbol));
        bits += code.symbol;
    }
    return true;
}

// Of the lookup, so many differences fit the bits that are there after a refill.
constexpr std::size_t kDifferencesEach = Window::kBits / HuffmanTable::kLookupBits;

[[gnu::noinline]] Window next_long(BitReader& reader, Window window, const HuffmanTable& table,
                                   std::uint16_t& value) {
    window = refilled(reader, window);
    if (!window.good || !long_difference(table, window.bits, value, window.used)) return {0, 0, false};
    return refilled(reader, window);
}

/// Differences of `count` pixels, interleaved in the stream, a row of each component out. False at a
/// wrong code or where the bits end.
template <std::size_t Components>
bool read_differences(BitReader& reader, const std::array<const HuffmanTable*, 4>& tables,
                      const std::array<std::uint16_t*, 4>& rows, std::size_t count) {
    constexpr std::size_t kPixels = kDifferencesEach / Components;
    Window window;
    for (std::size_t x = 0; x < count; x += kPixels) {
        window = refilled(reader, window);
        if (!window.good) return false;
        const std::size_t end = std::min(x + kPixels, count);
        for (std::size_t at = x; at < end; ++at) {
            for (std::size_t n = 0; n < Components; ++n) {
                const auto found = tables[n]->value(window.bits);
                rows[n][at] = static_cast<std::uint16_t>(found.value);
                window.skip(found.bits);
                if (found.bits != 0) continue;
                window = next_long(reader, window, *tables[n], rows[n][at]);
                if (!window.good) return false;
            }
        }
    }
    return refilled(reader, window).good;
}

template <class Predict>
void predict_row(std::uint16_t* row, const std::uint16_t* above, std::size_t count, Predict predict) {
    row[0] = static_cast<std::uint16_t>(row[0] + above[0]);
    for (std::size_t x = 1; x < count; ++x) {
        const std::int32_t left = row[x - 1];
        row[x] = static_cast<std::uint16_t>(
            row[x] + predict(left, std::int32_t{above[x]}, std::int32_t{above[x - 1]}));
    }
}

// Differences become samples (T.81 Table H.1): a left, b above, c above left.
void predict(unsigned selection, std::uint16_t* row, const std::uint16_t* above, std::size_t count) {
    using I = std::int32_t;
    switch (selection) {
        case 1: return predict_row(row, above, count, [](I a, I, I) { return a; });
        case 2: return predict_row(row, above, count, [](I, I b, I) { return b; });
        case 3: return predict_row(row, above, count, [](I, I, I c) { return c; });
        case 4: return predict_row(row, above, count, [](I a, I b, I c) { return a + b - c; });
        case 5: return predict_row(row, above, count, [](I a, I b, I c) { return a + ((b - c) >> 1); });
        case 6: return predict_row(row, above, count, [](I a, I b, I c) { return b + ((a - c) >> 1); });
        default: return predict_row(row, above, count, [](I a, I b, I) { return (a + b) >> 1; });
    }
}

void predict_first_row(std::uint16_t* row, std::uint16_t start, std::size_t count) {
    std::uint16_t sample = start;
    for (std::size_t x = 0; x < count; ++x) row[x] = sample = static_cast<std::uint16_t>(sample + row[x]);
}

template <class Sample>
void store_samples(const Row& row, unsigned point_transform, std::size_t stride, std::byte* out) {
    if (stride == 1) {
        for (std::size_t x = 0; x < row.size(); ++x)
            store_le(out + x * sizeof(Sample), static_cast<Sample>(row[x] << point_transform));
    } else {
        for (std::size_t x = 0; x < row.size(); ++x)
            store_le(out + x * stride * sizeof(Sample), static_cast<Sample>(row[x] << point_transform));
    }
}

void store_row(const Row& row, unsigned point_transform, std::size_t stride, std::uint32_t sample_bytes,
               std::byte* out) {
    if (sample_bytes == 1) {
        store_samples<std::uint8_t>(row, point_transform, stride, out);
    } else {
        store_samples<std::uint16_t>(row, point_transform, stride, out);
    }
}

class LosslessScan {
public:
    LosslessScan(const StreamReader& reader, const ScanHeader& scan, std::uint32_t rows,
                 std::uint32_t sample_bytes, std::byte* pixels)
        : reader_(reader), scan_(scan), rows_(rows), sample_bytes_(sample_bytes), pixels_(pixels) {}

    /// Where the stream goes on behind it.
    Result<std::size_t> decode() {
        if (auto ready = prepare(); !ready) return std::move(ready).error();
        const std::uint32_t interval = reader_.restart_interval();
        const std::uint32_t columns = reader_.frame().columns;
        if (interval % columns != 0)
            return Error(Errc::unsupported, "JPEG restart interval that is no whole number of rows");
        const std::uint32_t rows_each = interval == 0 ? rows_ : interval / columns;
        std::size_t at = scan_.data_bytes;
        for (std::uint32_t row = 0; row < rows_; row += rows_each) {
            const std::size_t begin = at;
            const bool more = reader_.read_interval(at, bits_);
            const std::uint32_t count = std::min(rows_each, rows_ - row);
            if (auto done = decode_interval(row, count, begin); !done) return std::move(done).error();
            if (!more && row + count < rows_)
                return Error(Errc::truncated, "JPEG scan ends behind row " + std::to_string(row + count), at);
        }
        return at;
    }

private:
    Result<void> prepare() {
        const auto& frame = reader_.frame();
        if (scan_.start < 1 || scan_.start > 7)
            return Error(Errc::malformed, "JPEG lossless predictor " + std::to_string(scan_.start));
        if (scan_.low >= frame.precision)
            return Error(Errc::malformed, "JPEG point transform leaves no bits");
        for (const auto& component : scan_.components) {
            auto table = std::make_unique<HuffmanTable>();
            if (auto built = table->build_differences(reader_.dc_table(component.dc_table)); !built)
                return built;
            tables_.push_back(std::move(table));
            rows_now_.emplace_back(frame.columns);
            rows_before_.emplace_back(frame.columns);
        }
        return {};
    }

    Result<void> decode_interval(std::uint32_t first_row, std::uint32_t count, std::size_t begin) {
        const std::size_t columns = reader_.frame().columns;
        const std::size_t stride = reader_.frame().components.size();
        const auto start = static_cast<std::uint16_t>(1u << (reader_.frame().precision - scan_.low - 1));
        BitReader bits(std::as_const(bits_).span());
        for (std::uint32_t row = first_row; row < first_row + count; ++row) {
            if (!read_row(bits))
                return Error(bits.overrun() ? Errc::truncated : Errc::malformed,
                             "JPEG lossless data end or break in row " + std::to_string(row) +
                                 " of the scan that begins",
                             begin);
            for (std::size_t n = 0; n < rows_now_.size(); ++n) {
                if (row == first_row) {
                    predict_first_row(rows_now_[n].data(), start, columns);
                } else {
                    predict(scan_.start, rows_now_[n].data(), rows_before_[n].data(), columns);
                }
                std::byte* out = pixels_ + (std::size_t{row} * columns * stride + scan_.components[n].index) *
                                               sample_bytes_;
                store_row(rows_now_[n], scan_.low, stride, sample_bytes_, out);
            }
            std::swap(rows_now_, rows_before_);
        }
        return {};
    }

    bool read_row(BitReader& bits) {
        std::array<const HuffmanTable*, 4> tables{};
        std::array<std::uint16_t*, 4> rows{};
        for (std::size_t n = 0; n < tables_.size(); ++n) {
            tables[n] = tables_[n].get();
            rows[n] = rows_now_[n].data();
        }
        const std::size_t columns = reader_.frame().columns;
        switch (tables_.size()) {
            case 1: return read_differences<1>(bits, tables, rows, columns);
            case 2: return read_differences<2>(bits, tables, rows, columns);
            case 3: return read_differences<3>(bits, tables, rows, columns);
            default: return read_differences<4>(bits, tables, rows, columns);
        }
    }

    const StreamReader& reader_;
    const ScanHeader& scan_;
    std::uint32_t rows_;
    std::uint32_t sample_bytes_;
    std::byte* pixels_;
    std::vector<std::unique_ptr<HuffmanTable>> tables_;
    std::vector<Row> rows_now_;
    std::vector<Row> rows_before_;
    ByteBuffer bits_;
};

}  // namespace

Result<void> decode_lossless(StreamReader& reader, std::uint32_t rows, std::uint32_t sample_bytes,
                             std::span<std::byte> pixels) {
    const auto& components = reader.frame().components;
    const bool alone = components.size() == 1;
    for (const auto& component : components) {
        if (!alone && (component.horizontal != components[0].horizontal ||
                       component.vertical != components[0].vertical))
            return Error(Errc::unsupported, "JPEG lossless with components of different sizes");
    }
    std::vector<bool> seen(components.size());
    while (std::find(seen.begin(), seen.end(), false) != seen.end()) {
        auto scan = reader.next_scan();
        if (!scan) return std::move(scan).error();
        if (!*scan) return Error(Errc::truncated, "JPEG stream ends before all its components were there");
        for (const auto& component : (*scan)->components) {
            if (seen[component.index]) return Error(Errc::malformed, "JPEG lossless component in two scans");
            seen[component.index] = true;
        }
        auto end = LosslessScan(reader, **scan, rows, sample_bytes, pixels.data()).decode();
        if (!end) return std::move(end).error();
        reader.continue_at(*end);
    }
    return {};
}

}  // namespace sagitta::codec::jpeg
