#include "dicom/parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/bytes.h"
#include "dicom/deflate.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"

namespace sagitta::dicom {
namespace {

constexpr std::uint32_t kUndefinedLength = 0xffffffffu;
constexpr std::uint64_t kUnbounded = UINT64_MAX;
constexpr std::size_t kMaxWarnings = 100;
constexpr std::uint64_t kMoreBytes = 4096;  // what to read on for when nothing says how much is missing
constexpr std::uint32_t kFirstPixelTag = 0x7fe00000u;
constexpr std::uint32_t kFirstItemTag = 0xfffe0000u;

// Two letters to what the fast path needs to know: the VR, and whether its length is long. Zero for
// no VR, and for SQ and UN, which are more than a value.
constexpr std::uint8_t kLong = 0x80;
const auto kPlainVr = [] {
    std::array<std::uint8_t, 32 * 32> table{};
    for (std::size_t first = 0; first < 26; ++first) {
        for (std::size_t second = 0; second < 26; ++second) {
            const auto vr = vr_from_letters(static_cast<char>('A' + first), static_cast<char>('A' + second));
            if (!vr || vr == Vr::SQ || vr == Vr::UN) continue;
            table[first * 32 + second] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(*vr) |
                                                                   (has_long_header(*vr) ? kLong : 0));
        }
    }
    return table;
}();

struct Encoding {
    bool explicit_vr;
    bool big_endian;
};

// What an element header said, before anything is done about it.
struct Header {
    Tag tag;
    Vr vr = Vr::none;
    std::uint32_t length = 0;
    std::uint32_t header_bytes = 8;
};

enum class Level : std::uint8_t { data_set, sequence, fragments, item };

// An open container: the top level, a sequence, encapsulated pixel data, or an item.
struct Frame {
    std::uint32_t node = 0;
    std::uint64_t end = kUnbounded;  // one past its last byte; kUnbounded until a delimiter says
    std::uint64_t limit = 0;         // what nothing inside may pass: the nearest end around it
    Level level = Level::data_set;
    Encoding encoding{};
    bool from_un = false;        // a sequence by the dictionary alone: a fault inside makes it bytes again
    bool signed_pixels = false;  // (0028,0103) of this data set, or of the one around it
    bool dropped = false;        // an element that nobody asked for
    Tag last;                    // the element before, to see their order
    std::uint32_t items = 0;     // seen so far in a sequence
};

class Parser {
public:
    Parser(std::span<const std::byte> bytes, const TransferSyntax& syntax, const ParseOptions& options)
        : bytes_(bytes), options_(options) {
        Frame top;
        top.end = top.limit = bytes.size();
        top.encoding = sniffed({syntax.explicit_vr, syntax.big_endian});
        frames_.push_back(top);
        nodes_.reserve(std::min<std::size_t>(bytes.size() / 24 + 8, 512));
    }

    std::optional<Error> run() {
        while (true) {
            close_finished();
            if (options_.strict && !warnings_.empty()) return warnings_.front();
            if (frames_.size() == 1 && (offset_ == bytes_.size() || stopped_)) break;
            const bool elements =
                frames_.back().level == Level::data_set || frames_.back().level == Level::item;
            if (elements && read_plain_elements()) continue;
            auto fault = elements ? read_element() : read_item();
            if (fault && !take_as_bytes(*fault)) return fault;
        }
        return std::nullopt;
    }

    // Takes back the element of the top level that is cut short. False when that is not what ended it.
    bool cut_short(const Error& fault) {
        if (!options_.prefix || fault.code != Errc::truncated) return false;
        wanted_ = std::max(wanted_, offset_ + kMoreBytes);
        if (frames_.size() > 1) {
            offset_ = nodes_[frames_[1].node].offset;
            nodes_.resize(frames_[1].node);
            frames_.resize(1);
        }
        return true;
    }

    // Ends every open container where the bytes end, so that the table is whole.
    void close_all() {
        while (frames_.size() > 1) close_top(offset_);
    }

    std::vector<Node> take_nodes() { return std::move(nodes_); }
    std::vector<Error> take_warnings() { return std::move(warnings_); }
    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] std::uint64_t wanted() const { return wanted_; }
    [[nodiscard]] const std::optional<Node>& cut_value() const { return cut_value_; }
    [[nodiscard]] std::uint64_t header_bytes() const { return header_bytes_ ? *header_bytes_ : offset_; }

private:
    // Some writers label a data set explicit and write it implicit, or the other way round.
    Encoding sniffed(Encoding stated) {
        if (bytes_.size() < 8 || stated.big_endian) return stated;
        const bool looks_explicit = vr_at(4).has_value();
        const auto implicit_length = load_le<std::uint32_t>(bytes_.data() + 4);
        const bool implicit_fits =
            implicit_length <= bytes_.size() - 8 || implicit_length == kUndefinedLength;
        if (stated.explicit_vr && !looks_explicit && implicit_fits && find_tag(tag_at(0, false)) != nullptr) {
            warn("the data set is implicit VR, not explicit as stated");
            return {false, false};
        }
        if (!stated.explicit_vr && looks_explicit && !implicit_fits) {
            warn("the data set is explicit VR, not implicit as stated");
            return {true, false};
        }
        return stated;
    }

    // Values of even length that lie whole where they are, one after the other, until anything else
    // comes: nearly everything in nearly every file. True when the container is complete.
    bool read_plain_elements() {
        Frame& frame = frames_.back();
        if (!frame.encoding.explicit_vr || frame.encoding.big_endian) return false;
        const bool top = frames_.size() == 1;
        if (top && !options_.only.empty()) return false;
        const std::uint32_t stop = top && !header_bytes_ ? kFirstPixelTag : kFirstItemTag;
        const std::byte* const end = bytes_.data() + frame.limit;
        const std::byte* at = bytes_.data() + offset_;
        std::uint32_t last = frame.last.value;
        while (end - at >= 8 && nodes_.size() < options_.max_elements) {
            const auto swapped = load_le<std::uint32_t>(at);
            const std::uint32_t tag = swapped << 16 | swapped >> 16;
            if (tag <= last || tag >= stop || tag == tags::PixelRepresentation.value) break;
            const auto first = static_cast<std::uint8_t>(static_cast<std::uint8_t>(at[4]) - 'A');
            const auto second = static_cast<std::uint8_t>(static_cast<std::uint8_t>(at[5]) - 'A');
            if ((first | second) > 31) break;
            const std::uint8_t plain = kPlainVr[first * 32u + second];
            if (plain == 0) break;
            std::uint32_t length = load_le<std::uint16_t>(at + 6);
            const std::byte* value = at + 8;
            if ((plain & kLong) != 0) {
                if (end - at < 12) break;
                length = load_le<std::uint32_t>(at + 8);
                value = at + 12;
            }
            if (length % 2 != 0 || length > static_cast<std::uint64_t>(end - value)) break;
            Node& node = nodes_.emplace_back();
            node.offset = static_cast<std::uint64_t>(value - bytes_.data());
            node.length = length;
            node.tag = Tag(tag);
            node.vr = static_cast<Vr>(plain & ~kLong);
            at = value + length;
            last = tag;
        }
        frame.last = Tag(last);
        offset_ = static_cast<std::uint64_t>(at - bytes_.data());
        return at == end && frame.end == frame.limit;
    }

    void warn(std::string what) {
        if (warnings_.size() < kMaxWarnings)
            warnings_.emplace_back(Errc::malformed, path().append(what), offset_);
    }
    void warn(Tag tag, std::string_view what) { warn(named(tag).append(" ").append(what)); }

    // The sequences and items around the element at hand, as people write it.
    [[nodiscard]] std::string path() const {
        std::string text;
        for (std::size_t depth = 1; depth < frames_.size(); ++depth) {
            const Frame& frame = frames_[depth];
            if (frame.level == Level::item) {
                text += "[" + std::to_string(frames_[depth - 1].items - 1) + "].";
            } else {
                text += named(nodes_[frame.node].tag);
            }
        }
        if (!text.empty() && text.back() != '.') text += ": ";
        return text;
    }
    [[nodiscard]] static std::string named(Tag tag) {
        const auto* entry = find_tag(tag);
        if (entry == nullptr || entry->keyword.empty()) return to_string(tag);
        return std::string(entry->keyword);
    }

    [[nodiscard]] Tag tag_at(std::uint64_t at, bool big_endian) const {
        const std::byte* from = bytes_.data() + at;
        return big_endian ? Tag(load_be<std::uint16_t>(from), load_be<std::uint16_t>(from + 2))
                          : Tag(load_le<std::uint16_t>(from), load_le<std::uint16_t>(from + 2));
    }
    [[nodiscard]] std::optional<Vr> vr_at(std::uint64_t at) const {
        return vr_from_letters(static_cast<char>(bytes_[at]), static_cast<char>(bytes_[at + 1]));
    }
    [[nodiscard]] std::uint16_t u16_at(std::uint64_t at, bool big_endian) const {
        return big_endian ? load_be<std::uint16_t>(bytes_.data() + at)
                          : load_le<std::uint16_t>(bytes_.data() + at);
    }
    [[nodiscard]] std::uint32_t u32_at(std::uint64_t at, bool big_endian) const {
        return big_endian ? load_be<std::uint32_t>(bytes_.data() + at)
                          : load_le<std::uint32_t>(bytes_.data() + at);
    }
    // Bytes up to the nearest end of a container around.
    [[nodiscard]] std::uint64_t remaining() const { return frames_.back().limit - offset_; }
    // What running into that end means: the input stops there, or a length inside is wrong.
    [[nodiscard]] Errc overrun() const {
        return frames_.back().limit == bytes_.size() ? Errc::truncated : Errc::malformed;
    }

    [[nodiscard]] Error fault(Errc code, const std::string& what) const {
        return {code, path() + what, offset_};
    }
    [[nodiscard]] Error fault(Errc code, Tag tag, std::string_view what) const {
        return {code, path().append(to_string(tag)).append(" ").append(what), offset_};
    }

    void close_top(std::uint64_t content_end) {
        const Frame& frame = frames_.back();
        Node& node = nodes_[frame.node];
        node.subtree = static_cast<std::uint32_t>(nodes_.size() - 1 - frame.node);
        node.length = content_end - node.offset;
        const bool dropped = frame.dropped;
        if (dropped) nodes_.resize(frame.node);
        frames_.pop_back();
    }

    // A fault inside a sequence that was stored as UN: then it is no sequence, but bytes. Nothing is
    // read twice, since the bytes are stepped over.
    bool take_as_bytes(const Error& fault) {
        if (fault.code == Errc::limit_exceeded) return false;
        const auto found =
            std::find_if(frames_.rbegin(), frames_.rend(), [](const Frame& frame) { return frame.from_un; });
        if (found == frames_.rend()) return false;
        Node& node = nodes_[found->node];
        node.vr = Vr::UN;
        node.stored_as_un = false;
        node.subtree = 0;
        node.length = found->end - node.offset;
        offset_ = found->end;
        const Tag tag = node.tag;
        nodes_.resize(found->node + std::size_t{found->dropped ? 0u : 1u});
        frames_.erase(found.base() - 1, frames_.end());
        warn(tag, "of VR UN is no readable sequence, kept as bytes");
        return true;
    }

    void close_finished() {
        while (frames_.size() > 1 && frames_.back().end == offset_) close_top(offset_);
    }

    // Reads the header at offset_ without moving; empty with `problem` set when it cannot be.
    bool read_header(Header& header, std::optional<Error>& problem) {
        const Frame& frame = frames_.back();
        const auto [is_explicit, big] = frame.encoding;
        if (remaining() < 8) {
            problem = fault(overrun(), "element header cut short");
            return false;
        }
        header.tag = tag_at(offset_, big);
        if (!is_explicit || header.tag.group() == 0xfffe) {
            header.length = u32_at(offset_ + 4, big);
            if (header.tag.group() != 0xfffe) header.vr = implicit_vr(header);
            return true;
        }
        const auto vr = vr_at(offset_ + 4);
        if (!vr) return read_unknown_vr(header, problem);
        header.vr = *vr;
        if (!has_long_header(*vr)) {
            header.length = u16_at(offset_ + 6, big);
            return true;
        }
        return read_long_length(header, problem);
    }

    bool read_long_length(Header& header, std::optional<Error>& problem) {
        if (remaining() < 12) {
            problem = fault(overrun(), header.tag, "header cut short");
            return false;
        }
        header.header_bytes = 12;
        header.length = u32_at(offset_ + 8, frames_.back().encoding.big_endian);
        return true;
    }

    // Two letters that name no VR of today, or no letters at all: an element that turned implicit.
    bool read_unknown_vr(Header& header, std::optional<Error>& problem) {
        const bool big = frames_.back().encoding.big_endian;
        const auto letter = [this](std::uint64_t at) {
            return static_cast<char>(bytes_[at]) >= 'A' && static_cast<char>(bytes_[at]) <= 'Z';
        };
        if (letter(offset_ + 4) && letter(offset_ + 5)) {
            header.vr = Vr::UN;
            const std::uint16_t short_length = u16_at(offset_ + 6, big);
            if (short_length == 0 && remaining() >= 12 && u32_at(offset_ + 8, big) <= remaining() - 12) {
                warn("unknown VR, read as UN");
                return read_long_length(header, problem);
            }
            warn("unknown VR with a 16-bit length, read as UN");
            header.length = short_length;
            return true;
        }
        warn("element without VR in an explicit data set, read as implicit");
        header.length = u32_at(offset_ + 4, big);
        header.vr = implicit_vr(header);
        return true;
    }

    Vr implicit_vr(const Header& header) const {
        const Tag tag = header.tag;
        if (header.length == kUndefinedLength) return tag == tags::PixelData ? Vr::OB : Vr::SQ;  // PS3.5 A.4
        if (tag.is_group_length()) return Vr::UL;
        if (tag.is_private_creator()) return Vr::LO;
        const auto* entry = find_tag(tag);
        if (entry == nullptr || entry->vr == Vr::none) return Vr::UN;
        if (!entry->ambiguous_vr) return entry->vr;
        if (entry->vr == Vr::OB || tag == tags::LUTData) return Vr::OW;  // PS3.5 A.1
        return entry->vr == Vr::US && frames_.back().signed_pixels ? Vr::SS : entry->vr;
    }

    std::optional<Error> read_element() {
        Frame& frame = frames_.back();
        if (frames_.size() == 1 && only_zeros_follow()) return skip_padding();
        Header header;
        std::optional<Error> problem;
        if (!read_header(header, problem)) return problem;
        if (header.tag.group() == 0xfffe) return read_delimiter_in_data_set(header);
        note_order(header.tag);
        if (frames_.size() == 1 && header.tag.group() == 0x7fe0 && !header_bytes_) {
            header_bytes_ = offset_;
            if (options_.stop_before_pixel_data) {
                stopped_ = true;
                return std::nullopt;
            }
        }
        if (nodes_.size() >= options_.max_elements) return fault(Errc::limit_exceeded, "too many elements");
        const std::uint64_t value_at = offset_ + header.header_bytes;
        const bool dropped = frames_.size() == 1 && !options_.only.empty() && !is_wanted(header.tag);
        if (stopped_) return std::nullopt;
        if (header.length == kUndefinedLength) return open_undefined(header, value_at, dropped);
        if (header.length > frame.limit - value_at) {
            wanted_ = value_at + header.length;
            if (frames_.size() == 1)
                cut_value_ = {
                    .offset = value_at, .length = header.length, .tag = header.tag, .vr = header.vr};
            return fault(overrun(), header.tag,
                         overrun() == Errc::truncated ? "is longer than the data set"
                                                      : "is longer than the item around it");
        }
        if (dropped) {
            offset_ = value_at + header.length;
            return std::nullopt;
        }
        if (header.vr == Vr::UN && frame.encoding.explicit_vr) return read_unknown(header, value_at);
        if (header.vr == Vr::SQ)
            return open(header, value_at, value_at + header.length, Level::sequence, frame.encoding);
        read_value(header, value_at, frame.encoding.big_endian);
        return std::nullopt;
    }

    // PS3.5 7.1: tags ascend and no tag comes twice. Both are kept as they stand; the first is found.
    void note_order(Tag tag) {
        Tag& last = frames_.back().last;
        if (tag == last) {
            warn(tag, "comes twice");
        } else if (tag < last) {
            warn(tag, "is out of order");
        }
        last = tag;
    }

    // Whether options_.only asks for that tag; stops the parser behind the last one asked for.
    bool is_wanted(Tag tag) {
        if (tag > options_.only.back()) stopped_ = true;
        return std::binary_search(options_.only.begin(), options_.only.end(), tag);
    }

    void read_value(const Header& header, std::uint64_t value_at, bool big_endian) {
        if (header.length % 2 != 0) warn(header.tag, "has an odd length");
        push_value(header, value_at);
        if (header.tag == tags::PixelRepresentation && header.length >= 2) {
            frames_.back().signed_pixels = u16_at(value_at, big_endian) == 1;
        }
        offset_ = value_at + header.length;
    }

    // UN of defined length: where the dictionary knows the element, its VR is that one and the value
    // implicit VR little endian (PS3.5 6.2.2, CP-246). Numbers of a big endian data set stay UN:
    // writers disagree about their order.
    std::optional<Error> read_unknown(Header header, std::uint64_t value_at) {
        const Encoding encoding = frames_.back().encoding;
        const Vr known = implicit_vr(header);
        if (known == Vr::SQ && (header.length == 0 || begins_with_item(value_at, header.length))) {
            header.vr = known;
            auto fault = open(header, value_at, value_at + header.length, Level::sequence, {false, false});
            if (fault) return fault;
            nodes_.back().stored_as_un = true;
            nodes_.back().big_endian = false;
            frames_.back().from_un = true;
            return std::nullopt;
        }
        const std::size_t unit = swap_unit(known);
        const std::uint64_t padded = header.length + header.length % 2;
        const bool reread =
            known != Vr::UN && known != Vr::SQ && padded % unit == 0 && (!encoding.big_endian || unit == 1);
        if (reread) header.vr = known;
        read_value(header, value_at, encoding.big_endian);
        nodes_.back().stored_as_un = reread;
        return std::nullopt;
    }

    [[nodiscard]] bool begins_with_item(std::uint64_t at, std::uint32_t length) const {
        return length >= 8 && tag_at(at, false) == kItem;
    }

    [[nodiscard]] bool only_zeros_follow() const {
        if (bytes_[offset_] != std::byte{0} || nodes_.empty()) return false;
        const auto rest = bytes_.subspan(offset_);
        if (rest.size() >= 4 && load_le<std::uint32_t>(rest.data()) != 0) return false;
        return std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
    }

    // Behind the last element: written by devices that pad files to blocks.
    std::optional<Error> skip_padding() {
        if (options_.prefix)
            return fault(Errc::truncated, "zeros, of which more or something else may follow");
        warn("zeros behind the last element ignored");
        if (!header_bytes_) header_bytes_ = offset_;
        offset_ = bytes_.size();
        return std::nullopt;
    }

    std::optional<Error> read_delimiter_in_data_set(const Header& header) {
        Frame& frame = frames_.back();
        if (header.tag == kItemDelimitation && frame.level == Level::item) {
            if (frame.end != kUnbounded) warn("item delimiter inside an item of defined length");
            const auto content_end = offset_;
            offset_ += 8;
            if (frame.end == kUnbounded) {
                close_top(content_end);
            }
            return std::nullopt;
        }
        if (header.tag == kSequenceDelimitation && frame.level == Level::item && frame.end == kUnbounded) {
            warn("item delimiter missing before the end of the sequence");
            close_top(offset_);
            return std::nullopt;
        }
        if (header.tag == kSequenceDelimitation && header.length == 0 && frame.level == Level::item) {
            warn("sequence delimiter inside an item ignored");  // behind a sequence of defined length
            offset_ += 8;
            return std::nullopt;
        }
        if (header.tag == kSequenceDelimitation && header.length == 0 && !nodes_.empty()) {
            warn("sequence delimiter outside a sequence ignored");
            offset_ += 8;
            return std::nullopt;
        }
        const bool fits = header.length <= frame.limit - offset_ - 8;
        if (header.tag == kItem && fits && options_.keep_readable_part && !nodes_.empty()) {
            warn("item outside a sequence left out");
            offset_ += 8 + std::uint64_t{header.length};
            return std::nullopt;
        }
        return fault(Errc::malformed, header.tag, "outside a sequence");
    }

    std::optional<Error> open_undefined(const Header& header, std::uint64_t value_at, bool dropped) {
        const std::size_t depth = frames_.size();
        auto problem = open_by_vr(header, value_at);
        if (frames_.size() > depth) frames_.back().dropped = dropped;
        return problem;
    }

    std::optional<Error> open_by_vr(const Header& header, std::uint64_t value_at) {
        const Frame& frame = frames_.back();
        switch (header.vr) {
            case Vr::SQ: return open(header, value_at, kUnbounded, Level::sequence, frame.encoding);
            case Vr::UN:  // PS3.5 6.2.2 note 4: implicit little endian inside, whatever is outside
                return open(header, value_at, kUnbounded, Level::sequence, {false, false});
            case Vr::OB:
            case Vr::OW: return open(header, value_at, kUnbounded, Level::fragments, frame.encoding);
            default:
                return fault(Errc::malformed, header.tag,
                             "has undefined length, which its VR does not allow");
        }
    }

    void push_value(const Header& header, std::uint64_t value_at) {
        Node& node = nodes_.emplace_back();
        node.offset = value_at;
        node.length = header.length;
        node.tag = header.tag;
        node.vr = header.vr;
        node.big_endian = frames_.back().encoding.big_endian;
    }

    std::optional<Error> open(const Header& header, std::uint64_t value_at, std::uint64_t end, Level level,
                              Encoding encoding) {
        if (frames_.size() > 2ull * options_.max_depth) {
            return fault(Errc::limit_exceeded, header.tag, "is nested too deep");
        }
        Frame inner;
        inner.node = static_cast<std::uint32_t>(nodes_.size());
        inner.end = end;
        inner.limit = std::min(end, frames_.back().limit);
        inner.level = level;
        inner.encoding = encoding;
        inner.signed_pixels = frames_.back().signed_pixels;
        push_value(header, value_at);
        nodes_.back().undefined_length = end == kUnbounded;
        frames_.push_back(inner);
        offset_ = value_at;
        return std::nullopt;
    }

    // Inside a sequence or encapsulated pixel data only items and the delimiter may stand.
    std::optional<Error> read_item() {
        Frame& frame = frames_.back();
        if (remaining() < 8) return fault(overrun(), nodes_[frame.node].tag, "ends without its delimiter");
        const Tag tag = tag_at(offset_, frame.encoding.big_endian);
        const std::uint32_t length = u32_at(offset_ + 4, frame.encoding.big_endian);
        if (tag == kSequenceDelimitation) {
            if (frame.end != kUnbounded) {
                warn("delimiter inside a sequence of defined length");
                offset_ += 8;
                return std::nullopt;
            }
            close_top(offset_);
            offset_ += 8;
            return std::nullopt;
        }
        if (tag != kItem) return fault(Errc::malformed, tag, "where an item must stand");
        if (nodes_.size() >= options_.max_elements) return fault(Errc::limit_exceeded, "too many items");
        Header header;
        header.tag = kItem;
        header.length = length;
        const std::uint64_t value_at = offset_ + 8;
        if (length != kUndefinedLength && length > frame.limit - value_at) {
            return fault(overrun(), nodes_[frame.node].tag, "has an item longer than what is there");
        }
        ++frame.items;
        if (frame.level == Level::fragments) {
            if (length == kUndefinedLength) return fault(Errc::malformed, "fragment of undefined length");
            if (length % 2 != 0) warn("fragment of odd length");
            push_value(header, value_at);
            offset_ = value_at + length;
            return std::nullopt;
        }
        const auto end = length == kUndefinedLength ? kUnbounded : value_at + length;
        return open(header, value_at, end, Level::item, frame.encoding);
    }

    std::span<const std::byte> bytes_;
    const ParseOptions& options_;
    std::uint64_t offset_ = 0;
    std::vector<Frame> frames_;
    std::vector<Node> nodes_;
    std::vector<Error> warnings_;
    std::optional<std::uint64_t> header_bytes_;
    std::uint64_t wanted_ = 0;
    std::optional<Node> cut_value_;
    bool stopped_ = false;
};

}  // namespace

Result<ParsedDataSet> parse_data_set(std::span<const std::byte> bytes, const TransferSyntax& syntax,
                                     const ParseOptions& options, std::shared_ptr<const void> keep_alive) {
    const std::uint64_t input_bytes = bytes.size();
    std::vector<Error> warnings;
    if (syntax.deflated && !bytes.empty()) {
        auto inflated = inflate(bytes, options.max_inflated_bytes);
        if (!inflated) return std::move(inflated).error();
        auto owner = std::make_shared<const ByteBuffer>(std::move(*inflated));
        bytes = owner->span();
        keep_alive = std::move(owner);
    }
    Parser parser(bytes, syntax, options);
    auto fault = parser.run();
    const bool cut = fault && parser.cut_short(*fault);
    if (fault && !cut) {
        if (!options.keep_readable_part) return std::move(*fault);
        parser.close_all();
        warnings.push_back(std::move(*fault));
    }
    ParsedDataSet parsed{DataSet(parser.take_nodes(), bytes, std::move(keep_alive)),
                         parser.take_warnings(),
                         parser.offset(),
                         syntax.deflated ? input_bytes : parser.header_bytes(),
                         cut ? parser.wanted() : 0,
                         cut ? parser.cut_value() : std::nullopt};
    parsed.warnings.insert(parsed.warnings.end(), warnings.begin(), warnings.end());
    return parsed;
}

}  // namespace sagitta::dicom
