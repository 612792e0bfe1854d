#include "dicom/data_set.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/bytes.h"

namespace sagitta::dicom {
namespace {

std::string_view trimmed(std::string_view text, bool keep_leading) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!keep_leading && !text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

template <class T>
std::optional<std::int64_t> number_at(std::span<const std::byte> value, std::size_t n, bool big_endian) {
    if (value.size() / sizeof(T) <= n) return std::nullopt;
    using Unsigned = std::make_unsigned_t<T>;
    const std::byte* at = value.data() + n * sizeof(T);
    return static_cast<std::int64_t>(
        static_cast<T>(big_endian ? load_be<Unsigned>(at) : load_le<Unsigned>(at)));
}

void swap_in_place(std::span<std::byte> bytes, std::size_t unit) {
    for (std::size_t at = 0; at + unit <= bytes.size(); at += unit) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(at + unit));
    }
}

}  // namespace

std::string_view Element::text() const noexcept {
    const Vr kind = vr();
    return trimmed(as_text(value()), kind == Vr::LT || kind == Vr::ST || kind == Vr::UT);
}

std::string_view Element::text(std::size_t n) const noexcept {
    std::string_view rest = as_text(value());
    for (; n > 0; --n) {
        const auto slash = rest.find('\\');
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
    return trimmed(rest.substr(0, rest.find('\\')), false);
}

std::optional<std::int64_t> Element::integer(std::size_t n) const noexcept {
    const bool big = node().big_endian;
    switch (vr()) {
        case Vr::US: return number_at<std::uint16_t>(value(), n, big);
        case Vr::SS: return number_at<std::int16_t>(value(), n, big);
        case Vr::UL: return number_at<std::uint32_t>(value(), n, big);
        case Vr::SL: return number_at<std::int32_t>(value(), n, big);
        case Vr::SV: return number_at<std::int64_t>(value(), n, big);
        case Vr::UV: return number_at<std::uint64_t>(value(), n, big);
        case Vr::IS: {
            const std::string_view digits = text(n);
            std::int64_t number = 0;
            const char* first = digits.data() + (!digits.empty() && digits.front() == '+' ? 1 : 0);
            const auto [end, ec] = std::from_chars(first, digits.data() + digits.size(), number);
            if (ec != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
            return number;
        }
        default: return std::nullopt;
    }
}

std::optional<Element> ElementRange::find(Tag tag) const noexcept {
    const auto nodes = data_set_->nodes();
    for (std::uint32_t index = first_; index != last_; index += 1 + nodes[index].subtree) {
        if (nodes[index].tag == tag) return Element(*data_set_, index);
    }
    return std::nullopt;
}

std::string_view ElementRange::text(Tag tag) const noexcept {
    const auto element = find(tag);
    return element ? element->text() : std::string_view();
}

std::optional<std::int64_t> ElementRange::integer(Tag tag) const noexcept {
    const auto element = find(tag);
    return element ? element->integer() : std::nullopt;
}

std::optional<Uid> ElementRange::uid(Tag tag) const noexcept {
    return Uid::parse(text(tag));
}

std::span<const std::byte> DataSet::value_of(const Node& node) const noexcept {
    const std::span<const std::byte> bytes = node.owned ? std::span<const std::byte>(owned_) : source_;
    if (node.offset > bytes.size() || node.length > bytes.size() - node.offset) return {};
    return bytes.subspan(node.offset, node.length);
}

std::uint32_t DataSet::place_for(Tag tag) {
    erase(tag);
    std::uint32_t index = 0;
    while (index < nodes_.size() && nodes_[index].tag < tag) index += 1 + nodes_[index].subtree;
    return index;
}

void DataSet::erase(Tag tag) {
    const auto found = find(tag);
    if (!found) return;
    const auto first = nodes_.begin() + static_cast<std::ptrdiff_t>(found->index());
    nodes_.erase(first, first + 1 + static_cast<std::ptrdiff_t>(found->node().subtree));
}

Node DataSet::own(Tag tag, Vr vr, std::span<const std::byte> value) {
    Node node;
    node.tag = tag;
    node.vr = vr;
    node.owned = true;
    node.offset = owned_.size();
    owned_.insert(owned_.end(), value.begin(), value.end());
    if (value.size() % 2 != 0) owned_.push_back(static_cast<std::byte>(padding(vr)));
    node.length = owned_.size() - node.offset;
    return node;
}

void DataSet::set(Tag tag, Vr vr, std::span<const std::byte> value) {
    const auto index = place_for(tag);
    const Node node = own(tag, vr, value);
    nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(index), node);
}

void DataSet::set_text(Tag tag, Vr vr, std::string_view value) {
    set(tag, vr, as_bytes(value));
}

void DataSet::set_uint16(Tag tag, std::uint16_t value) {
    std::array<std::byte, 2> bytes{};
    store_le(bytes.data(), value);
    set(tag, Vr::US, bytes);
}

void DataSet::set_uint32(Tag tag, std::uint32_t value) {
    std::array<std::byte, 4> bytes{};
    store_le(bytes.data(), value);
    set(tag, Vr::UL, bytes);
}

void DataSet::set_empty_sequence(Tag tag) {
    set(tag, Vr::SQ, {});
}

void DataSet::set(Element from, const TextRewrite& rewrite) {
    const auto copied = from.node().subtree + 1;
    const auto index = place_for(from.tag());
    std::vector<Node> rows;
    rows.reserve(copied);
    for (std::uint32_t row = 0; row < copied; ++row) {
        const Element source(from.owner(), from.index() + row);
        Node node = source.node();
        const bool container = node.vr == Vr::SQ || node.subtree != 0;
        node.owned = true;
        node.offset = owned_.size();
        if (!container) {
            const auto value = source.value();
            if (rewrite && uses_character_set(node.vr)) {
                const std::string text = rewrite(source.text(), node.vr);
                owned_.insert(owned_.end(), as_bytes(text).begin(), as_bytes(text).end());
                if (text.size() % 2 != 0) owned_.push_back(std::byte{' '});
            } else {
                owned_.insert(owned_.end(), value.begin(), value.end());
            }
            if (node.big_endian) {
                swap_in_place(std::span(owned_).subspan(node.offset), swap_unit(node.vr));
            }
        }
        node.length = owned_.size() - node.offset;
        node.big_endian = false;
        rows.push_back(node);
    }
    nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(index), rows.begin(), rows.end());
}

}  // namespace sagitta::dicom
