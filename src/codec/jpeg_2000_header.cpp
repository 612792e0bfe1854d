#include "codec/jpeg_2000_header.h"

#include <algorithm>
#include <string>

#include "core/bytes.h"

namespace sagitta::codec {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint16_t kStartOfCodestream = 0xFF4F;
constexpr std::uint16_t kStartOfTilePart = 0xFF90;
constexpr std::uint16_t kStartOfData = 0xFF93;
constexpr std::uint16_t kEndOfCodestream = 0xFFD9;
constexpr std::uint16_t kSize = 0xFF51;
constexpr std::uint16_t kCodingStyle = 0xFF52;
constexpr std::uint16_t kCodingStyleComponent = 0xFF53;
constexpr std::uint32_t kMaxComponents = 16;

Error cut_short(std::size_t at) {
    return {Errc::truncated, "the JPEG 2000 header ends early", at};
}

std::uint64_t ceil_div(std::uint64_t value, std::uint64_t by) {
    return (value + by - 1) / by;
}

// What COD and COC say in common (T.800 A.6.1, A.6.2).
struct Decomposition {
    std::uint32_t levels = 0;
    bool reversible = false;
    bool high_throughput = false;
    std::uint64_t precincts = 0;  ///< of one component of the whole image
};

std::uint64_t precincts_of(const Jpeg2000Header& header, std::uint32_t levels, Bytes sizes) {
    std::uint64_t count = 0;
    for (std::uint32_t r = 0; r <= levels; ++r) {
        const auto exponents = sizes.empty() ? 0xFFu : std::to_integer<std::uint32_t>(sizes[r]);
        const std::uint64_t shrink = std::uint64_t{1} << (levels - r);
        count += ceil_div(ceil_div(header.columns, shrink), std::uint64_t{1} << (exponents & 15)) *
                 ceil_div(ceil_div(header.rows, shrink), std::uint64_t{1} << (exponents >> 4));
    }
    return count;
}

Result<Decomposition> read_decomposition(ByteReader& segment, bool own_precincts,
                                         const Jpeg2000Header& header, std::size_t at) {
    const auto levels = segment.be<std::uint8_t>();
    const auto rest = segment.take(4);  // code-block width, height, style, wavelet
    if (!levels || !rest) return cut_short(at);
    if (*levels > 32) return Error(Errc::malformed, "JPEG 2000 with more than 32 decompositions", at);
    Decomposition said;
    said.levels = *levels;
    said.reversible = (*rest)[3] == std::byte{1};
    said.high_throughput = ((*rest)[2] & std::byte{0x40}) != std::byte{0};
    Bytes sizes;
    if (own_precincts) {
        const auto given = segment.take(said.levels + 1u);
        if (!given) return cut_short(at);
        sizes = *given;
    }
    said.precincts = precincts_of(header, said.levels, sizes);
    return said;
}

// A packet has a byte at least, and a library keeps room for every packet (T.800 B.9).
Result<void> check_packets(const Jpeg2000Header& header, std::uint64_t layers, std::uint64_t precincts,
                           std::size_t stream_bytes, std::size_t at) {
    const std::uint64_t pixels = std::uint64_t{header.rows} * header.columns;
    if (precincts > 4096 + pixels / 16 || layers * precincts > stream_bytes) {
        return Error(Errc::limit_exceeded,
                     "JPEG 2000 with " + std::to_string(layers) + " layers of " + std::to_string(precincts) +
                         " precincts in " + std::to_string(stream_bytes) + " bytes",
                     at);
    }
    return {};
}

class HeaderReader {
public:
    explicit HeaderReader(Bytes stream) : stream_(stream) {}

    Result<Jpeg2000Header> read() {
        if (stream_.size() < 2 || load_be<std::uint16_t>(stream_.data()) != kStartOfCodestream)
            return Error(Errc::malformed, "no JPEG 2000 codestream", 0);
        auto end = read_markers(2, kStartOfTilePart);
        if (!end) return std::move(end).error();
        if (!sized_ || layers_ == 0) return Error(Errc::malformed, "JPEG 2000 without SIZ or COD", *end);
        header_.first_tile_part_bytes = *end;
        if (auto parts = read_tile_parts(*end); !parts) return std::move(parts).error();
        return std::move(header_);
    }

private:
    // To the marker `last`; answers where that one is.
    Result<std::size_t> read_markers(std::size_t at, std::uint16_t last) {
        while (at + 4 <= stream_.size()) {
            const auto marker = load_be<std::uint16_t>(stream_.data() + at);
            if (marker == last) return at;
            const std::size_t length = load_be<std::uint16_t>(stream_.data() + at + 2);
            if (marker < 0xFF01 || length < 2) return Error(Errc::malformed, "no JPEG 2000 marker", at);
            if (length > stream_.size() - at - 2) return cut_short(at);
            const Bytes content = stream_.subspan(at + 4, length - 2);
            if (auto read = read_segment(marker, content, at); !read) return std::move(read).error();
            at += 2 + length;
        }
        return cut_short(stream_.size());
    }

    Result<void> read_segment(std::uint16_t marker, Bytes content, std::size_t at) {
        ByteReader segment(content);
        if (marker == kSize)
            return sized_ ? Result<void>(Error(Errc::malformed, "SIZ twice", at)) : size(segment, at);
        if (marker != kCodingStyle && marker != kCodingStyleComponent) return {};
        if (!sized_) return Error(Errc::malformed, "JPEG 2000 does not begin with SIZ", at);
        return marker == kCodingStyle ? coding_style(segment, at) : component_style(segment, at);
    }

    Result<void> size(ByteReader& segment, std::size_t at) {
        const auto capabilities = segment.take(2);
        std::uint64_t grid[8]{};
        for (auto& number : grid) number = segment.be<std::uint32_t>().value_or(0);
        const auto components = segment.be<std::uint16_t>();
        if (!capabilities || !components) return cut_short(at);
        const auto [x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0] = grid;
        const bool sound = x1 > x0 && y1 > y0 && tile_x > 0 && tile_y > 0 && tile_x0 <= x0 && tile_y0 <= y0 &&
                           tile_x0 + tile_x > x0 && tile_y0 + tile_y > y0;
        if (!sound) return Error(Errc::malformed, "JPEG 2000 sizes contradict each other", at);
        header_.columns = static_cast<std::uint32_t>(x1 - x0);
        header_.rows = static_cast<std::uint32_t>(y1 - y0);
        header_.tiles = ceil_div(x1 - tile_x0, tile_x) * ceil_div(y1 - tile_y0, tile_y);
        const std::uint64_t pixels = std::uint64_t{header_.rows} * header_.columns;
        // A tile-part is 14 bytes at least; a library keeps some KiB for each tile.
        if (header_.tiles > 1024 + pixels / 1024 || header_.tiles > stream_.size() / 14) {
            return Error(Errc::limit_exceeded, "JPEG 2000 with " + std::to_string(header_.tiles) + " tiles",
                         at);
        }
        sized_ = true;
        return read_components(segment, *components, at);
    }

    Result<void> read_components(ByteReader& segment, std::uint32_t count, std::size_t at) {
        if (count == 0 || count > kMaxComponents)
            return Error(Errc::unsupported, "JPEG 2000 with " + std::to_string(count) + " components", at);
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto depth = segment.be<std::uint8_t>();
            const auto dx = segment.be<std::uint8_t>();
            const auto dy = segment.be<std::uint8_t>();
            if (!dy) return cut_short(at);
            const Jpeg2000Component component{(*depth & 0x7Fu) + 1, (*depth & 0x80) != 0, *dx, *dy};
            if (component.precision > 38 || *dx == 0 || *dy == 0)
                return Error(Errc::malformed, "a JPEG 2000 component contradicts the standard", at);
            header_.components.push_back(component);
        }
        return {};
    }

    Result<void> coding_style(ByteReader& segment, std::size_t at) {
        const auto style = segment.be<std::uint8_t>();
        const auto progression = segment.be<std::uint8_t>();
        const auto layers = segment.be<std::uint16_t>();
        const auto transform = segment.be<std::uint8_t>();
        if (!transform || !progression || *layers == 0) return cut_short(at);
        const auto said = read_decomposition(segment, (*style & 1) != 0, header_, at);
        if (!said) return said.error();
        if (layers_ == 0) {
            header_.levels = said->levels;
            header_.reversible = said->reversible;
            header_.component_transform = *transform == 1;
        }
        layers_ = std::max<std::uint64_t>(layers_, *layers);
        high_throughput_ = high_throughput_ || said->high_throughput;
        markers_in_packets_ = markers_in_packets_ || (*style & 6) != 0;
        header_.levels = std::min(header_.levels, said->levels);
        return check_packets(header_, layers_, said->precincts, stream_.size(), at);
    }

    Result<void> component_style(ByteReader& segment, std::size_t at) {
        const auto component = segment.be<std::uint8_t>();
        const auto style = segment.be<std::uint8_t>();
        if (!component || !style) return cut_short(at);
        const auto said = read_decomposition(segment, (*style & 1) != 0, header_, at);
        if (!said) return said.error();
        header_.levels = std::min(header_.levels, said->levels);
        high_throughput_ = high_throughput_ || said->high_throughput;
        return check_packets(header_, std::max<std::uint64_t>(layers_, 1), said->precincts, stream_.size(),
                             at);
    }

    // Their headers may change the coding style (T.800 A.3). What the data are is the decoder's business,
    // except for HTJ2K.
    Result<void> read_tile_parts(std::size_t at) {
        while (at + 12 <= stream_.size() && load_be<std::uint16_t>(stream_.data() + at) == kStartOfTilePart) {
            const std::uint64_t length = load_be<std::uint32_t>(stream_.data() + at + 6);
            const auto data = read_markers(at + 12, kStartOfData);
            if (!data) return data.error();
            const std::size_t begin = *data + 2;
            const bool to_the_end = length == 0 || length > stream_.size() - at;
            if (!to_the_end && length < begin - at)
                return Error(Errc::malformed, "a JPEG 2000 tile-part is too short", at);
            const std::size_t end = to_the_end ? stream_.size() : at + static_cast<std::size_t>(length);
            if (high_throughput_ && length > stream_.size() - at)
                return Error(Errc::truncated, "an HTJ2K tile-part ends early", at);
            if (auto good = check_high_throughput(begin, length == 0 ? end_of_codestream(begin) : end); !good)
                return good;
            if (to_the_end) return {};  // what is missing, the decoder says
            at = end;
        }
        return {};
    }

    // OpenJPEG 2.5 ends the process when an HT code-block has FF before more than 8F, which no codestream
    // has in its packets (T.800 A.1) unless markers are there on purpose.
    Result<void> check_high_throughput(std::size_t begin, std::size_t end) const {
        if (!high_throughput_) return {};
        if (layers_ > 1 || markers_in_packets_)
            return Error(Errc::unsupported, "HTJ2K with quality layers, SOP or EPH", begin);
        for (std::size_t at = begin; at < end; ++at) {
            if (stream_[at] != std::byte{0xFF}) continue;
            if (at + 1 == end || stream_[at + 1] > std::byte{0x8F})
                return Error(Errc::malformed, "a marker inside of HTJ2K packets", at);
        }
        return {};
    }

    // Before EOC and the padding behind it.
    [[nodiscard]] std::size_t end_of_codestream(std::size_t begin) const {
        std::size_t end = stream_.size();
        while (end > begin && stream_[end - 1] == std::byte{0}) --end;
        const bool marked =
            end >= begin + 2 && load_be<std::uint16_t>(stream_.data() + end - 2) == kEndOfCodestream;
        return marked ? end - 2 : stream_.size();
    }

    Bytes stream_;
    Jpeg2000Header header_;
    bool sized_ = false;
    std::uint64_t layers_ = 0;
    bool high_throughput_ = false;
    bool markers_in_packets_ = false;  // SOP, EPH
};

}  // namespace

Result<Bytes> find_codestream(Bytes bytes) {
    if (bytes.size() < 12) return Error(Errc::truncated, "JPEG 2000 of a few bytes", bytes.size());
    if (load_be<std::uint16_t>(bytes.data()) == kStartOfCodestream) return bytes;
    if (load_be<std::uint32_t>(bytes.data() + 4) != 0x6A502020)
        return Error(Errc::malformed, "neither a JPEG 2000 codestream nor a JP2 file", 0);
    std::size_t at = 0;
    while (bytes.size() - at >= 8) {
        std::uint64_t length = load_be<std::uint32_t>(bytes.data() + at);
        std::size_t head = 8;
        if (length == 1 && bytes.size() - at >= 16) {
            length = load_be<std::uint64_t>(bytes.data() + at + 8);
            head = 16;
        }
        const std::size_t left = bytes.size() - at;
        if (length == 0) length = left;
        if (length < head || length > left) return cut_short(at);
        if (load_be<std::uint32_t>(bytes.data() + at + 4) == 0x6A703263)  // jp2c
            return bytes.subspan(at + head, static_cast<std::size_t>(length) - head);
        at += static_cast<std::size_t>(length);
    }
    return Error(Errc::malformed, "a JP2 file without a codestream", at);
}

Result<Jpeg2000Header> read_jpeg_2000_header(Bytes codestream) {
    return HeaderReader(codestream).read();
}

}  // namespace sagitta::codec
