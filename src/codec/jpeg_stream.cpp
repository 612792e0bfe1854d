#include "codec/jpeg_stream.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "core/bytes.h"

namespace sagitta::codec::jpeg {
namespace {

constexpr std::uint8_t kTem = 0x01;
constexpr std::uint8_t kDht = 0xc4;
constexpr std::uint8_t kJpg = 0xc8;
constexpr std::uint8_t kDac = 0xcc;
constexpr std::uint8_t kRst0 = 0xd0;
constexpr std::uint8_t kRst7 = 0xd7;
constexpr std::uint8_t kSoi = 0xd8;
constexpr std::uint8_t kEoi = 0xd9;
constexpr std::uint8_t kSos = 0xda;
constexpr std::uint8_t kDqt = 0xdb;
constexpr std::uint8_t kDri = 0xdd;
constexpr std::uint8_t kApp0 = 0xe0;
constexpr std::uint8_t kApp14 = 0xee;
constexpr std::size_t kMaxComponents = 4;
constexpr std::size_t kPaddingBytes = 8;

bool stands_alone(std::uint8_t marker) {
    return marker == kTem || (marker >= kRst0 && marker <= kEoi);
}

bool is_sof(std::uint8_t marker) {
    return (marker >= 0xc0 && marker <= 0xcf && marker != kDht && marker != kJpg && marker != kDac) ||
           marker == kSof55;
}

unsigned at(std::span<const std::byte> bytes, std::size_t n) {
    return std::to_integer<unsigned>(bytes[n]);
}

}  // namespace

Result<StreamReader::Segment> StreamReader::next_segment() {
    // What stands between segments and is no marker is stepped over, as others do.
    while (true) {
        const auto* found =
            at_ < bytes_.size()
                ? static_cast<const std::byte*>(std::memchr(bytes_.data() + at_, 0xff, bytes_.size() - at_))
                : nullptr;
        if (found == nullptr || found + 1 == bytes_.data() + bytes_.size())
            return Error(Errc::truncated, "JPEG stream ends without its EOI", bytes_.size());
        at_ = static_cast<std::size_t>(found - bytes_.data()) + 1;
        const unsigned marker = at(bytes_, at_);
        if (marker == 0xff) continue;
        ++at_;
        if (marker == 0) continue;
        Segment segment{static_cast<std::uint8_t>(marker), {}, at_ - 2};
        if (stands_alone(segment.marker)) return segment;
        if (bytes_.size() - at_ < 2) return Error(Errc::truncated, "JPEG marker segment cut short", at_);
        const std::size_t length = load_be<std::uint16_t>(bytes_.data() + at_);
        if (length < 2) return Error(Errc::malformed, "length of a JPEG marker segment is wrong", at_);
        if (length > bytes_.size() - at_) return Error(Errc::truncated, "JPEG marker segment cut short", at_);
        segment.payload = bytes_.subspan(at_ + 2, length - 2);
        at_ += length;
        return segment;
    }
}

Result<void> StreamReader::read_frame_header() {
    if (bytes_.size() < 4 || at(bytes_, 0) != 0xff || at(bytes_, 1) != kSoi)
        return Error(Errc::malformed, "not a JPEG stream: no SOI", 0);
    at_ = 2;
    while (true) {
        auto segment = next_segment();
        if (!segment) return std::move(segment).error();
        if (segment->marker == kSos || segment->marker == kEoi)
            return Error(Errc::malformed, "JPEG stream without a frame header", segment->offset);
        const bool done = is_sof(segment->marker);
        if (auto read = interpret(*segment); !read) return read;
        if (done) return {};
    }
}

Result<std::optional<ScanHeader>> StreamReader::next_scan() {
    while (true) {
        auto segment = next_segment();
        if (!segment) return std::move(segment).error();
        if (segment->marker == kEoi) return std::optional<ScanHeader>();
        if (segment->marker == kSos) {
            auto scan = read_sos(*segment);
            if (!scan) return std::move(scan).error();
            return std::optional(std::move(*scan));
        }
        if (is_sof(segment->marker))
            return Error(Errc::unsupported, "hierarchical JPEG, with several frames", segment->offset);
        if (auto read = interpret(*segment); !read) return std::move(read).error();
    }
}

Result<void> StreamReader::interpret(const Segment& segment) {
    const auto payload = segment.payload;
    if (is_sof(segment.marker)) return read_sof(segment);
    if (segment.marker == kDht) return read_dht(segment);
    if (segment.marker == kDqt) return read_dqt(segment);
    if (segment.marker == kDri) {
        if (payload.size() < 2) return Error(Errc::malformed, "JPEG DRI segment too short", segment.offset);
        restart_interval_ = load_be<std::uint16_t>(payload.data());
    } else if (segment.marker == kApp0 && payload.size() >= 5) {
        colours_.jfif = colours_.jfif || as_text(payload.first(5)) == std::string_view("JFIF\0", 5);
    } else if (segment.marker == kApp14 && payload.size() >= 12 && as_text(payload.first(5)) == "Adobe") {
        colours_.adobe_transform = static_cast<std::uint8_t>(payload[11]);
    }
    return {};
}

Result<void> StreamReader::read_sof(const Segment& segment) {
    const auto payload = segment.payload;
    if (payload.size() < 6) return Error(Errc::malformed, "JPEG frame header too short", segment.offset);
    frame_.sof = segment.marker;
    frame_.precision = static_cast<std::uint8_t>(payload[0]);
    frame_.rows = load_be<std::uint16_t>(payload.data() + 1);
    frame_.columns = load_be<std::uint16_t>(payload.data() + 3);
    const std::size_t count = at(payload, 5);
    if (count == 0 || count > kMaxComponents)
        return Error(Errc::unsupported, "JPEG with " + std::to_string(count) + " components", segment.offset);
    if (payload.size() < 6 + 3 * count)
        return Error(Errc::malformed, "JPEG frame header too short", segment.offset);
    if (frame_.columns == 0) return Error(Errc::malformed, "JPEG of no columns", segment.offset);
    if (frame_.precision < 2 || frame_.precision > 16)
        return Error(Errc::malformed, "JPEG precision is not from 2 to 16", segment.offset);
    for (std::size_t n = 0; n < count; ++n) {
        const auto entry = payload.subspan(6 + 3 * n, 3);
        const Component component{
            static_cast<std::uint8_t>(entry[0]), static_cast<std::uint8_t>(at(entry, 1) >> 4),
            static_cast<std::uint8_t>(at(entry, 1) & 15), static_cast<std::uint8_t>(entry[2])};
        if (component.horizontal < 1 || component.horizontal > 4 || component.vertical < 1 ||
            component.vertical > 4 || component.quantization > 3)
            return Error(Errc::malformed, "JPEG component with wrong factors or table", segment.offset);
        frame_.components.push_back(component);
    }
    return {};
}

Result<void> StreamReader::read_dht(const Segment& segment) {
    auto rest = segment.payload;
    while (!rest.empty()) {
        if (rest.size() < 17) return Error(Errc::malformed, "JPEG Huffman table cut short", segment.offset);
        const unsigned selector = at(rest, 0);
        HuffmanSpec spec;
        std::size_t count = 0;
        for (std::size_t n = 0; n < 16; ++n) {
            spec.counts[n] = static_cast<std::uint8_t>(rest[n + 1]);
            count += spec.counts[n];
        }
        if ((selector & 0xe0) != 0 || (selector & 15) > 3 || count > 256 || rest.size() < 17 + count)
            return Error(Errc::malformed, "JPEG Huffman table is wrong", segment.offset);
        std::memcpy(spec.symbols.data(), rest.data() + 17, count);
        spec.defined = true;
        (selector >> 4 == 0 ? dc_tables_ : ac_tables_)[selector & 15] = spec;
        rest = rest.subspan(17 + count);
    }
    return {};
}

Result<void> StreamReader::read_dqt(const Segment& segment) {
    auto rest = segment.payload;
    while (!rest.empty()) {
        const unsigned selector = at(rest, 0);
        const std::size_t size = selector >> 4 == 0 ? 1 : 2;
        if (selector >> 4 > 1 || (selector & 15) > 3 || rest.size() < 1 + 64 * size)
            return Error(Errc::malformed, "JPEG quantization table is wrong", segment.offset);
        auto& table = quantization_[selector & 15].emplace();
        for (std::size_t n = 0; n < 64; ++n) {
            const std::byte* value = rest.data() + 1 + n * size;
            table[n] = size == 1 ? std::to_integer<std::uint16_t>(*value) : load_be<std::uint16_t>(value);
        }
        rest = rest.subspan(1 + 64 * size);
    }
    return {};
}

Result<ScanHeader> StreamReader::read_sos(const Segment& segment) const {
    const auto payload = segment.payload;
    const std::size_t count = payload.empty() ? 0 : at(payload, 0);
    if (count == 0 || count > frame_.components.size() || payload.size() < 4 + 2 * count)
        return Error(Errc::malformed, "JPEG scan header is wrong", segment.offset);
    ScanHeader scan;
    for (std::size_t n = 0; n < count; ++n) {
        const unsigned id = at(payload, 1 + 2 * n);
        const unsigned tables = at(payload, 2 + 2 * n);
        const auto found = std::find_if(frame_.components.begin(), frame_.components.end(),
                                        [&](const Component& component) { return component.id == id; });
        const auto index = static_cast<std::size_t>(found - frame_.components.begin());
        const bool again = std::any_of(scan.components.begin(), scan.components.end(),
                                       [&](const ScanComponent& other) { return other.index == index; });
        if (found == frame_.components.end() || again || tables >> 4 > 3 || (tables & 15) > 3)
            return Error(Errc::malformed, "JPEG scan of a wrong component or table", segment.offset);
        scan.components.push_back(
            {index, static_cast<std::uint8_t>(tables >> 4), static_cast<std::uint8_t>(tables & 15)});
    }
    const auto rest = payload.subspan(1 + 2 * count);
    scan.start = static_cast<std::uint8_t>(rest[0]);
    scan.end = static_cast<std::uint8_t>(rest[1]);
    scan.high = static_cast<std::uint8_t>(at(rest, 2) >> 4);
    scan.low = static_cast<std::uint8_t>(at(rest, 2) & 15);
    scan.data_bytes = at_;
    return scan;
}

bool StreamReader::read_interval(std::size_t& from, ByteBuffer& to) const {
    to.clear();
    bool restart = false;
    while (from < bytes_.size()) {
        const auto rest = bytes_.subspan(from);
        const auto* found = static_cast<const std::byte*>(std::memchr(rest.data(), 0xff, rest.size()));
        const auto plain = found == nullptr ? rest.size() : static_cast<std::size_t>(found - rest.data());
        to.append(rest.first(plain));
        from += plain;
        if (found == nullptr || from + 1 >= bytes_.size()) {
            from = bytes_.size();
            break;
        }
        const unsigned next = at(bytes_, from + 1);
        if (next == 0) {
            to.append(rest.subspan(plain, 1));
            from += 2;
        } else if (next == 0xff) {
            ++from;  // a fill byte
        } else {
            restart = next >= kRst0 && next <= kRst7;
            if (restart) from += 2;
            break;
        }
    }
    std::fill_n(to.prepare(kPaddingBytes).data(), kPaddingBytes, std::byte{0});
    return restart;
}

}  // namespace sagitta::codec::jpeg
