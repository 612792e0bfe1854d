// JPEG lossless streams as ITU-T T.81 Annex H allows them, more than our encoder writes: every predictor,
// restart intervals, point transforms, a scan for each component. Slow and plain.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/bytes.h"

namespace sagitta::test {

struct LosslessStream {
    unsigned rows = 1;
    unsigned columns = 1;
    unsigned components = 1;
    unsigned precision = 8;
    unsigned predictor = 1;
    unsigned point_transform = 0;
    unsigned restart_rows = 0;
    bool separate_scans = false;
    bool long_codes = false;  ///< a code of category n has n + 1 bits; else all have 5
    bool fill_bytes = false;  ///< before markers

    /// The value of a component at a place, below 2^precision.
    std::function<unsigned(unsigned row, unsigned column, unsigned component)> value;

    [[nodiscard]] ByteBuffer bytes() const {
        ByteBuffer out;
        append_be(out, std::uint16_t{0xffd8});
        marker(out, 0xfe, {{'h', 'i'}});
        std::vector<unsigned> sof{precision, rows >> 8, rows & 255, columns >> 8, columns & 255, components};
        for (unsigned n = 0; n < components; ++n) sof.insert(sof.end(), {n + 1, 0x11, 0});
        marker(out, 0xc3, sof);
        std::vector<unsigned> dht{0};
        for (unsigned length = 1; length <= 16; ++length)
            dht.push_back(long_codes ? 1 : length == 5 ? 17 : 0);
        for (unsigned n = 0; n < (long_codes ? 16u : 17u); ++n) dht.push_back(n);
        marker(out, 0xc4, dht);
        const unsigned interval = restart_rows * columns;
        if (interval != 0) marker(out, 0xdd, {interval >> 8, interval & 255});
        for (unsigned first = 0; first < components; first += separate_scans ? 1 : components)
            scan(out, first, separate_scans ? 1 : components);
        append_be(out, std::uint16_t{0xffd9});
        if (out.size() % 2 != 0) append_be(out, std::uint8_t{0});
        return out;
    }

private:
    struct Bits {
        std::vector<bool> all;
        void put(unsigned pattern, unsigned count) {
            while (count-- > 0) all.push_back(((pattern >> count) & 1) != 0);
        }
        void flush(ByteBuffer& out) {
            while (all.size() % 8 != 0) all.push_back(true);
            for (std::size_t n = 0; n < all.size(); n += 8) {
                unsigned byte = 0;
                for (std::size_t bit = 0; bit < 8; ++bit) byte = byte << 1 | (all[n + bit] ? 1 : 0);
                append_be(out, static_cast<std::uint8_t>(byte));
                if (byte == 0xff) append_be(out, std::uint8_t{0});
            }
            all.clear();
        }
    };

    void marker(ByteBuffer& out, unsigned code, const std::vector<unsigned>& payload) const {
        if (fill_bytes) append_be(out, std::uint16_t{0xffff});
        append_be(out, static_cast<std::uint16_t>(0xff00 | code));
        append_be(out, static_cast<std::uint16_t>(payload.size() + 2));
        for (const unsigned byte : payload) append_be(out, static_cast<std::uint8_t>(byte));
    }

    [[nodiscard]] int sample(unsigned row, unsigned column, unsigned component) const {
        return static_cast<int>(value(row, column, component) >> point_transform);
    }

    [[nodiscard]] int predicted(unsigned row, unsigned column, unsigned component) const {
        const bool first_row = restart_rows != 0 ? row % restart_rows == 0 : row == 0;
        if (first_row && column == 0) return 1 << (precision - point_transform - 1);
        if (first_row) return sample(row, column - 1, component);
        if (column == 0) return sample(row - 1, column, component);
        const int a = sample(row, column - 1, component);
        const int b = sample(row - 1, column, component);
        const int c = sample(row - 1, column - 1, component);
        const int all[] = {0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1};
        return all[predictor];
    }

    void code(Bits& bits, int difference) const {
        const int wrapped = static_cast<std::int16_t>(difference);
        const auto category = static_cast<unsigned>(std::bit_width(static_cast<unsigned>(std::abs(wrapped))));
        if (long_codes) {
            bits.put((1u << (category + 1)) - 2, category + 1);
        } else {
            bits.put(category, 5);
        }
        if (category < 16) bits.put(static_cast<unsigned>(wrapped < 0 ? wrapped - 1 : wrapped), category);
    }

    void scan(ByteBuffer& out, unsigned first, unsigned count) const {
        std::vector<unsigned> sos{count};
        for (unsigned n = 0; n < count; ++n) sos.insert(sos.end(), {first + n + 1, 0});
        sos.insert(sos.end(), {predictor, 0, point_transform});
        marker(out, 0xda, sos);
        Bits bits;
        for (unsigned row = 0; row < rows; ++row) {
            if (restart_rows != 0 && row != 0 && row % restart_rows == 0) {
                bits.flush(out);
                if (fill_bytes) append_be(out, std::uint8_t{0xff});
                append_be(out, static_cast<std::uint16_t>(0xffd0 | ((row / restart_rows - 1) & 7)));
            }
            for (unsigned column = 0; column < columns; ++column) {
                for (unsigned n = first; n < first + count; ++n)
                    code(bits, sample(row, column, n) - predicted(row, column, n));
            }
        }
        bits.flush(out);
    }
};

}  // namespace sagitta::test
