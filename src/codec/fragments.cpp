#include "codec/fragments.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "core/bytes.h"

namespace sagitta::codec {
namespace {

constexpr std::size_t kItemHeaderBytes = 8;
constexpr std::size_t kWindowBytes = 64 * 1024;
constexpr std::uint64_t kSmallFragmentBytes = 4096;  // below it headers are worth reading ahead
constexpr std::uint32_t kUndefinedLength = 0xffffffffu;

// Reads item headers; small fragments come many to a read.
class HeaderReader {
public:
    explicit HeaderReader(const PixelBytes& bytes) : bytes_(bytes) {}

    Result<const std::byte*> header_at(std::uint64_t at, bool ahead) {
        const bool inside = at >= from_ && at + kItemHeaderBytes <= from_ + window_.size();
        if (!inside) {
            const std::uint64_t rest = bytes_.size() - at;
            const std::uint64_t wanted =
                std::min<std::uint64_t>(rest, ahead ? kWindowBytes : kItemHeaderBytes);
            window_.resize(static_cast<std::size_t>(wanted));
            from_ = at;
            if (auto read = bytes_.read(at, window_); !read) return std::move(read).error();
        }
        return static_cast<const std::byte*>(window_.data() + (at - from_));
    }

private:
    const PixelBytes& bytes_;
    std::vector<std::byte> window_;
    std::uint64_t from_ = 0;
};

dicom::Tag tag_at(const std::byte* at) {
    return {load_le<std::uint16_t>(at), load_le<std::uint16_t>(at + 2)};
}

// The fragments that offsets point at, or nothing when these are not offsets of fragments in order.
template <class T>
std::optional<std::vector<std::uint32_t>> starts_by_offsets(std::span<const std::byte> offsets,
                                                            const std::vector<Fragment>& fragments) {
    std::vector<std::uint32_t> starts;
    std::size_t next = 0;
    for (std::size_t at = 0; at + sizeof(T) <= offsets.size(); at += sizeof(T)) {
        const std::uint64_t wanted = load_le<T>(offsets.data() + at);
        while (next < fragments.size() && fragments[next].item_offset < wanted) ++next;
        if (next == fragments.size() || fragments[next].item_offset != wanted) return std::nullopt;
        starts.push_back(static_cast<std::uint32_t>(next++));
    }
    if (starts.empty() || starts.front() != 0) return std::nullopt;
    return starts;
}

std::vector<std::uint32_t> starts_by_content(const std::vector<Fragment>& fragments,
                                             const PixelBytes* bytes) {
    std::vector<std::uint32_t> starts;
    for (std::uint32_t n = 0; n < fragments.size(); ++n) {
        std::array<std::byte, 4> first;
        if (fragments[n].length < first.size() || !read_fragment(fragments[n], bytes, first)) continue;
        if (begins_a_stream(first)) starts.push_back(n);
    }
    return starts;
}

std::vector<FrameFragments> frames_of(const std::vector<std::uint32_t>& starts, std::size_t fragments,
                                      std::uint32_t frames) {
    std::vector<FrameFragments> grouped;
    for (std::size_t n = 0; n < starts.size() && n < frames; ++n) {
        const auto last = n + 1 < starts.size() ? starts[n + 1] : static_cast<std::uint32_t>(fragments);
        grouped.push_back({starts[n], last, 0});
    }
    return grouped;
}

void add_lengths(std::vector<FrameFragments>& frames, std::span<const std::byte> lengths) {
    for (std::size_t n = 0; n < frames.size() && 8 * (n + 1) <= lengths.size(); ++n)
        frames[n].max_bytes = load_le<std::uint64_t>(lengths.data() + 8 * n);
}

}  // namespace

bool begins_a_stream(std::span<const std::byte, 4> first) noexcept {
    const auto value = load_be<std::uint32_t>(first.data());
    return (value & 0xffffff00u) == 0xffd8ff00u || value == 0xff4fff51u;
}

FragmentTable list_fragments(const dicom::Element& pixel_data) {
    FragmentTable table;
    std::uint64_t offset = 0;
    bool first = true;
    for (const dicom::Element item : pixel_data.children()) {
        if (std::exchange(first, false)) {
            table.basic_offsets.append(item.value());
            continue;
        }
        table.fragments.push_back({offset, 0, item.length(), item.value()});
        offset += kItemHeaderBytes + item.length();
    }
    return table;
}

Result<FragmentTable> walk_fragments(const PixelBytes& bytes, std::uint32_t max_fragments,
                                     std::vector<Error>& warnings) {
    FragmentTable table;
    HeaderReader reader(bytes);
    std::uint64_t at = 0;
    std::uint64_t first_offset = 0;
    bool ahead = false;
    for (bool first = true;; first = false) {
        if (bytes.size() - at < kItemHeaderBytes) {
            warnings.emplace_back(Errc::truncated, "pixel data ends without its delimiter", at);
            return table;
        }
        auto header = reader.header_at(at, ahead);
        if (!header) return std::move(header).error();
        const dicom::Tag tag = tag_at(*header);
        std::uint64_t length = load_le<std::uint32_t>(*header + 4);
        if (tag == dicom::kSequenceDelimitation) return table;
        if (tag != dicom::kItem || length == kUndefinedLength) {
            warnings.emplace_back(Errc::malformed, "neither a fragment nor the delimiter of pixel data", at);
            return table;
        }
        at += kItemHeaderBytes;
        if (length > bytes.size() - at) {
            warnings.emplace_back(Errc::truncated, "the last fragment of pixel data is cut short", at);
            length = bytes.size() - at;
        }
        if (first) {
            const auto room = table.basic_offsets.prepare(static_cast<std::size_t>(length));
            if (auto read = bytes.read(at, room); !read) return std::move(read).error();
            table.basic_offsets.commit(room.size());
            first_offset = at + length;
        } else {
            if (table.fragments.size() >= max_fragments)
                return Error(Errc::limit_exceeded,
                             "more fragments than the limit of " + std::to_string(max_fragments));
            table.fragments.push_back({at - kItemHeaderBytes - first_offset, at, length, {}});
        }
        ahead = length < kSmallFragmentBytes;
        at += length;
    }
}

Result<void> read_fragment(const Fragment& fragment, const PixelBytes* bytes, std::span<std::byte> to) {
    if (to.size() > fragment.length) return Error(Errc::truncated, "fragment too short", fragment.at);
    if (bytes != nullptr) return bytes->read(fragment.at, to);
    std::copy_n(fragment.memory.begin(), to.size(), to.begin());
    return {};
}

Result<std::vector<FrameFragments>> group_fragments(const FragmentTable& table,
                                                    const ExtendedOffsets& extended, const PixelBytes* bytes,
                                                    std::uint32_t frames, std::vector<Error>& warnings) {
    const auto& fragments = table.fragments;
    if (!extended.offsets.empty()) {
        const auto starts = starts_by_offsets<std::uint64_t>(extended.offsets, fragments);
        if (starts && starts->size() >= frames) {
            auto grouped = frames_of(*starts, fragments.size(), frames);
            add_lengths(grouped, extended.lengths);
            return grouped;
        }
        warnings.emplace_back(Errc::mismatch, "the Extended Offset Table contradicts the fragments");
    }
    if (!table.basic_offsets.empty()) {
        const auto starts = starts_by_offsets<std::uint32_t>(table.basic_offsets.span(), fragments);
        if (starts && starts->size() >= frames) return frames_of(*starts, fragments.size(), frames);
        warnings.emplace_back(Errc::mismatch, "the Basic Offset Table contradicts the fragments");
    }
    if (fragments.empty()) return std::vector<FrameFragments>();
    if (frames == 1) return std::vector{FrameFragments{0, static_cast<std::uint32_t>(fragments.size()), 0}};
    if (fragments.size() > frames) {
        const auto starts = starts_by_content(fragments, bytes);
        if (starts.size() >= frames && starts.front() == 0)
            return frames_of(starts, fragments.size(), frames);
        return Error(Errc::malformed, std::to_string(fragments.size()) + " fragments of " +
                                          std::to_string(frames) +
                                          " frames cannot be told apart: no valid offset table");
    }
    std::vector<FrameFragments> each;
    for (std::uint32_t n = 0; n < fragments.size(); ++n) each.push_back({n, n + 1, 0});
    return each;
}

}  // namespace sagitta::codec
