#include "codec/lookup_table.h"

#include <bit>
#include <cmath>
#include <string>

#include "dicom/number_view.h"

namespace sagitta::codec {

using dicom::Element;
using dicom::ElementRange;

namespace {

constexpr std::size_t kMostEntries = 65536;  // the descriptor's 0

struct Descriptor {
    std::size_t entries;
    std::int64_t first_mapped;
    std::uint32_t bits;
};

Result<Descriptor> read_descriptor(const ElementRange& level, dicom::Tag tag, bool signed_input) {
    const auto element = level.find(tag);
    if (!element) return Error(Errc::not_found, to_string(tag) + " is missing");
    const auto entries = element->integer(0);
    const auto first = element->integer(1);
    const auto bits = element->integer(2);
    if (!entries || !first || !bits) {
        return Error(Errc::malformed, to_string(tag) + " has no three numbers");
    }
    Descriptor descriptor{};
    descriptor.entries = static_cast<std::size_t>(*entries & 0xffff);
    if (descriptor.entries == 0) descriptor.entries = kMostEntries;
    descriptor.first_mapped = *first;
    if (signed_input && *first > INT16_MAX && *first <= UINT16_MAX) descriptor.first_mapped -= 65536;
    // Some writers state 0 or nonsense; the entries then say how many they need.
    descriptor.bits = *bits >= 1 && *bits <= 16 ? static_cast<std::uint32_t>(*bits) : 1;
    return descriptor;
}

std::vector<std::uint16_t> words_of(const Element& element) {
    return dicom::NumberView<std::uint16_t>(element.value(), element.node().big_endian).to_vector();
}

/// Bytes in their order: those of a big-endian word were packed low byte first, too.
std::vector<std::uint16_t> bytes_of(const Element& element) {
    const auto value = element.value();
    const bool swapped =
        element.node().big_endian && element.vr() != dicom::Vr::OB && element.vr() != dicom::Vr::UN;
    std::vector<std::uint16_t> bytes(value.size());
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        const std::size_t from = swapped && (n ^ 1) < value.size() ? n ^ 1 : n;
        bytes[n] = std::to_integer<std::uint16_t>(value[from]);
    }
    return bytes;
}

Result<std::vector<std::uint16_t>> discrete_entries(const Element& element, std::size_t count) {
    const std::size_t bytes = element.value().size();
    if (bytes < count) {
        return Error(Errc::truncated,
                     to_string(element.tag()) + " has fewer entries than its descriptor says");
    }
    auto entries = bytes >= 2 * count ? words_of(element) : bytes_of(element);
    entries.resize(count);
    return entries;
}

/// Copies the discrete or linear segment at `at`; the answer is where the next one begins.
Result<std::size_t> copy_segment(std::span<const std::uint16_t> words, std::size_t at,
                                 std::size_t max_entries, std::vector<std::uint16_t>& entries) {
    if (words.size() < 3 || at > words.size() - 3) return Error(Errc::truncated, "a palette segment is cut");
    const std::uint16_t kind = words[at];
    const std::size_t count = words[at + 1];
    if (kind > 1 || count == 0) return Error(Errc::malformed, "a palette segment of no known kind or length");
    if (count > max_entries - entries.size()) {
        return Error(Errc::limit_exceeded, "palette segments have more entries than the descriptor says");
    }
    if (kind == 0) {
        if (words.size() - at - 2 < count) return Error(Errc::truncated, "a palette segment is cut");
        const auto from = words.subspan(at + 2, count);
        entries.insert(entries.end(), from.begin(), from.end());
        return at + 2 + count;
    }
    if (entries.empty()) return Error(Errc::malformed, "the first palette segment is a linear one");
    const double from = entries.back();
    const double step = (words[at + 2] - from) / static_cast<double>(count);
    for (std::size_t n = 1; n <= count; ++n) {
        entries.push_back(static_cast<std::uint16_t>(std::lround(from + step * static_cast<double>(n))));
    }
    return at + 3;
}

/// Where an indirect segment points to, in words.
Result<std::size_t> indirect_target(std::span<const std::uint16_t> operands, bool byte_words) {
    std::size_t offset_bytes = 0;
    const std::size_t shift = byte_words ? 8 : 16;
    for (std::size_t n = operands.size(); n-- > 0;) offset_bytes = offset_bytes << shift | operands[n];
    if (!byte_words && offset_bytes % 2 != 0) {
        return Error(Errc::malformed, "an indirect palette segment points between words");
    }
    return byte_words ? offset_bytes : offset_bytes / 2;
}

}  // namespace

Result<std::vector<std::uint16_t>> expand_segments(std::span<const std::uint16_t> words, bool byte_words,
                                                   std::size_t max_entries) {
    const std::size_t offset_words = byte_words ? 4 : 2;
    std::vector<std::uint16_t> entries;
    std::size_t at = 0;
    while (at < words.size() && entries.size() < max_entries) {
        if (words[at] != 2) {
            const auto next = copy_segment(words, at, max_entries, entries);
            if (!next) return Error(next.error());
            at = *next;
            continue;
        }
        if (words.size() - at < 2 + offset_words) return Error(Errc::truncated, "a palette segment is cut");
        const std::size_t copies = words[at + 1];
        auto from = indirect_target(words.subspan(at + 2, offset_words), byte_words);
        if (!from) return std::move(from).error();
        // What it points to are discrete and linear segments alone: there is no way into a loop.
        for (std::size_t n = 0; n < copies; ++n) {
            from = copy_segment(words, *from, max_entries, entries);
            if (!from) return std::move(from).error();
        }
        at += 2 + offset_words;
    }
    return entries;
}

Result<LookupTable> read_lookup_table(const ElementRange& level, const LookupTableTags& tags,
                                      bool signed_input) {
    const auto descriptor = read_descriptor(level, tags.descriptor, signed_input);
    if (!descriptor) return Error(descriptor.error());
    auto data = level.find(tags.data);
    Result<std::vector<std::uint16_t>> entries = std::vector<std::uint16_t>();
    if (data && !data->empty()) {
        entries = discrete_entries(*data, descriptor->entries);
    } else if (data = level.find(tags.segmented); tags.segmented.value != 0 && data) {
        const bool byte_words = descriptor->bits == 8;
        const auto words = byte_words ? bytes_of(*data) : words_of(*data);
        entries = expand_segments(words, byte_words, descriptor->entries);
    } else {
        return Error(Errc::not_found, to_string(tags.data) + " is missing");
    }
    if (!entries) return std::move(entries).error();
    if (entries->empty()) return Error(Errc::malformed, to_string(tags.data) + " has no entries");
    LookupTable table;
    table.first_mapped = descriptor->first_mapped;
    table.entries = std::move(*entries);
    const std::uint32_t highest = *std::max_element(table.entries.begin(), table.entries.end());
    table.bits = std::max(descriptor->bits, static_cast<std::uint32_t>(std::bit_width(highest)));
    return table;
}

}  // namespace sagitta::codec
