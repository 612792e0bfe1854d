#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include "codec/jpeg_lossless.h"
#include "core/bytes.h"

namespace sagitta::codec::jpeg {
namespace {

constexpr std::size_t kCategories = 17;  // of differences, T.81 Table H.2
constexpr unsigned kLongestCode = 16;

using Frequencies = std::array<std::uint64_t, kCategories>;

unsigned category_of(std::uint16_t difference) {
    const auto value = static_cast<std::int16_t>(difference);
    return static_cast<unsigned>(std::bit_width(static_cast<unsigned>(value < 0 ? -value : value)));
}

struct Codes {
    HuffmanSpec spec;
    std::array<std::uint32_t, kCategories> code{};
    std::array<unsigned, kCategories> length{};
};

// How long the code of each category is, the shortest in sum; one code of all ones is left free
// (T.81 K.2).
std::array<unsigned, kCategories + 1> code_lengths(const Frequencies& frequencies) {
    std::array<std::uint64_t, kCategories + 1> weight{};
    std::copy(frequencies.begin(), frequencies.end(), weight.begin());
    weight[kCategories] = 1;  // takes the code of all ones
    std::array<unsigned, kCategories + 1> length{};
    std::array<std::size_t, kCategories + 1> group;  // symbols joined so far have the number of one
    std::iota(group.begin(), group.end(), std::size_t{0});
    while (true) {
        std::size_t least = weight.size();
        std::size_t second = weight.size();
        for (std::size_t n = 0; n < weight.size(); ++n) {
            if (weight[n] == 0) continue;
            if (least == weight.size() || weight[n] <= weight[least]) {
                second = least;
                least = n;
            } else if (second == weight.size() || weight[n] <= weight[second]) {
                second = n;
            }
        }
        if (second == weight.size()) return length;
        weight[least] += weight[second];
        weight[second] = 0;
        for (std::size_t n = 0; n < group.size(); ++n) {
            if (group[n] == second) group[n] = least;
            if (group[n] == least) ++length[n];
        }
    }
}

// No code above 16 bits (T.81 K.3): a pair of the longest moves to where a shorter one makes room.
std::array<unsigned, 33> counts_of(const std::array<unsigned, kCategories + 1>& lengths) {
    std::array<unsigned, 33> counts{};
    for (const unsigned length : lengths) ++counts[length];
    counts[0] = 0;
    for (std::size_t length = 32; length > kLongestCode; --length) {
        while (counts[length] > 0) {
            std::size_t shorter = length - 2;
            while (counts[shorter] == 0) --shorter;
            counts[length] -= 2;
            ++counts[length - 1];
            counts[shorter + 1] += 2;
            --counts[shorter];
        }
    }
    std::size_t longest = kLongestCode;
    while (counts[longest] == 0) --longest;
    --counts[longest];  // the code of all ones
    return counts;
}

Codes make_codes(const Frequencies& frequencies) {
    const auto lengths = code_lengths(frequencies);
    const auto counts = counts_of(lengths);
    std::vector<std::size_t> order;  // the frequent ones first
    for (std::size_t n = 0; n < kCategories; ++n) {
        if (frequencies[n] != 0) order.push_back(n);
    }
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return lengths[a] < lengths[b]; });
    Codes codes;
    codes.spec.defined = true;
    std::uint32_t code = 0;
    std::size_t next = 0;
    for (unsigned length = 1; length <= kLongestCode; ++length, code <<= 1) {
        codes.spec.counts[length - 1] = static_cast<std::uint8_t>(counts[length]);
        for (unsigned n = 0; n < counts[length]; ++n, ++code, ++next) {
            codes.spec.symbols[next] = static_cast<std::uint8_t>(order[next]);
            codes.code[order[next]] = code;
            codes.length[order[next]] = length;
        }
    }
    return codes;
}

/// Bits, the highest first, with a zero behind each byte of ones.
class BitWriter {
public:
    explicit BitWriter(ByteBuffer& out) : out_(out) {}

    void put(std::uint32_t bits, unsigned count) {
        held_ = (held_ << count) | bits;
        held_count_ += count;
        if (held_count_ >= 32) write_word();
    }
    /// Ones up to the next byte.
    void finish() {
        while (held_count_ % 8 != 0) put(1, 1);
        for (; held_count_ > 0; held_count_ -= 8)
            write_byte(static_cast<std::byte>(held_ >> (held_count_ - 8)));
    }

private:
    void write_word() {
        held_count_ -= 32;
        const auto word = static_cast<std::uint32_t>(held_ >> held_count_);
        const std::uint32_t inverted = ~word;
        const bool has_ones = ((inverted - 0x01010101u) & ~inverted & 0x80808080u) != 0;
        if (!has_ones) {
            append_be(out_, word);
        } else {
            for (int shift = 24; shift >= 0; shift -= 8) write_byte(static_cast<std::byte>(word >> shift));
        }
    }
    void write_byte(std::byte value) {
        out_.append({&value, 1});
        if (value == std::byte{0xff}) out_.append(std::array{std::byte{0}});
    }

    ByteBuffer& out_;
    std::uint64_t held_ = 0;
    unsigned held_count_ = 0;
};

// Each sample less what predictor 1 says; the first of a row less the one above (T.81 H.1.1).
template <class Sample>
std::vector<std::uint16_t> differences_of(const LosslessImage& image, const std::byte* pixels,
                                          Frequencies& frequencies) {
    const std::size_t components = image.components;
    const std::size_t row_samples = std::size_t{image.columns} * components;
    const auto mask = static_cast<std::uint16_t>((1u << image.precision) - 1);
    const auto start = static_cast<std::uint16_t>(1u << (image.precision - 1));
    std::vector<std::uint16_t> differences(row_samples * image.rows);
    for (std::size_t n = 0; n < differences.size(); ++n) {
        const auto sample_at = [&](std::size_t at) {
            return static_cast<std::uint16_t>(load_le<Sample>(pixels + at * sizeof(Sample)) & mask);
        };
        const std::size_t in_row = n % row_samples;
        std::uint16_t predicted = start;
        if (in_row >= components) {
            predicted = sample_at(n - components);
        } else if (n >= row_samples) {
            predicted = sample_at(n - row_samples);
        }
        differences[n] = static_cast<std::uint16_t>(sample_at(n) - predicted);
        ++frequencies[category_of(differences[n])];
    }
    return differences;
}

void write_segment(ByteBuffer& out, std::uint16_t marker, std::span<const std::byte> payload) {
    append_be(out, marker);
    append_be(out, static_cast<std::uint16_t>(payload.size() + 2));
    out.append(payload);
}

void write_headers(ByteBuffer& out, const LosslessImage& image, const HuffmanSpec& spec) {
    constexpr std::array<std::uint8_t, 4> kNumbered{1, 2, 3, 4};
    constexpr std::array<std::uint8_t, 4> kRgb{'R', 'G', 'B', 'A'};  // what tells decoders that it is no YBR
    const auto& ids = image.is_rgb ? kRgb : kNumbered;
    const auto count = static_cast<std::uint8_t>(image.components);
    append_be(out, std::uint16_t{0xffd8});
    ByteBuffer sof;
    append_be(sof, static_cast<std::uint8_t>(image.precision));
    append_be(sof, static_cast<std::uint16_t>(image.rows));
    append_be(sof, static_cast<std::uint16_t>(image.columns));
    append_be(sof, count);
    ByteBuffer sos;
    append_be(sos, count);
    for (std::size_t n = 0; n < count; ++n) {
        append_be(sof, ids[n]);
        append_be(sof, std::uint8_t{0x11});
        append_be(sof, std::uint8_t{0});
        append_be(sos, ids[n]);
        append_be(sos, std::uint8_t{0});
    }
    append_be(sos, std::uint8_t{1});  // selection value
    append_be(sos, std::uint16_t{0});
    ByteBuffer dht;
    append_be(dht, std::uint8_t{0});
    dht.append(std::as_bytes(std::span(spec.counts)));
    const auto symbols = std::accumulate(spec.counts.begin(), spec.counts.end(), std::size_t{0});
    dht.append(std::as_bytes(std::span(spec.symbols)).first(symbols));
    write_segment(out, 0xffc3, std::as_const(sof).span());
    write_segment(out, 0xffc4, std::as_const(dht).span());
    write_segment(out, 0xffda, std::as_const(sos).span());
}

}  // namespace

ByteBuffer encode_lossless(const LosslessImage& image, std::span<const std::byte> pixels) {
    Frequencies frequencies{};
    const auto differences = image.sample_bytes == 1
                                 ? differences_of<std::uint8_t>(image, pixels.data(), frequencies)
                                 : differences_of<std::uint16_t>(image, pixels.data(), frequencies);
    const Codes codes = make_codes(frequencies);
    ByteBuffer out;
    out.reserve(pixels.size() / 2 + 1024);
    write_headers(out, image, codes.spec);
    BitWriter writer(out);
    for (const std::uint16_t difference : differences) {
        const unsigned category = category_of(difference);
        std::uint32_t bits = codes.code[category];
        unsigned count = codes.length[category];
        if (category > 0 && category < 16) {
            const bool negative = static_cast<std::int16_t>(difference) < 0;
            const std::uint32_t more = (difference - (negative ? 1u : 0u)) & ((1u << category) - 1);
            bits = (bits << category) | more;
            count += category;
        }
        writer.put(bits, count);
    }
    writer.finish();
    append_be(out, std::uint16_t{0xffd9});
    if (out.size() % 2 != 0) append_be(out, std::uint8_t{0});
    return out;
}

}  // namespace sagitta::codec::jpeg
