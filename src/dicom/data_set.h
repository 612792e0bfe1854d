// A data set (PS3.5 section 7): elements in order, sequences nested, values where they lie. One
// flat table of nodes in document order; nothing is copied from the bytes it was parsed from.
// Knows nothing of encodings (parser.h, writer.h), files (part10.h) or character sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/byte_buffer.h"
#include "dicom/tag.h"
#include "dicom/uid.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

class DataSet;
class ElementRange;

/// A row of the table. `subtree` counts the rows behind this one that lie inside it.
struct Node {
    std::uint64_t offset = 0;  ///< of the value: in the source, or in the values we own
    std::uint64_t length = 0;  ///< of the value in bytes; of a sequence or item: all its content
    Tag tag;
    std::uint32_t subtree = 0;
    Vr vr = Vr::none;
    bool owned = false;             ///< the value was set here, not parsed
    bool undefined_length = false;  ///< was, or is to be, encoded with FFFFFFFF
    bool big_endian = false;        ///< numbers in the value are big endian
    bool stored_as_un = false;      ///< `vr` is the dictionary's; the encoding said UN (PS3.5 6.2.2)
};

/// One element or item, seen. Valid as long as its data set is neither changed nor destroyed.
class Element {
public:
    Element(const DataSet& data_set, std::uint32_t index) noexcept : data_set_(&data_set), index_(index) {}

    [[nodiscard]] Tag tag() const noexcept { return node().tag; }
    [[nodiscard]] Vr vr() const noexcept { return node().vr; }
    [[nodiscard]] std::uint64_t length() const noexcept { return node().length; }
    [[nodiscard]] bool empty() const noexcept { return node().length == 0 && node().subtree == 0; }
    [[nodiscard]] const Node& node() const noexcept;
    [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
    [[nodiscard]] const DataSet& owner() const noexcept { return *data_set_; }

    /// The bytes as they are encoded. Of a sequence: its items as encoded (empty when built here).
    [[nodiscard]] std::span<const std::byte> value() const noexcept;

    /// The value as characters without trailing padding; leading spaces too are dropped where they
    /// mean nothing (not in LT ST UT, PS3.5 6.2). Undecoded: see character_set.h.
    [[nodiscard]] std::string_view text() const noexcept;

    /// The n-th of backslash-separated values, trimmed; empty when there are not so many.
    /// Only for VRs outside the multi-byte repertoires, or after decoding.
    [[nodiscard]] std::string_view text(std::size_t n) const noexcept;

    /// The n-th number of US SS UL SL UV SV AT (either byte order) or IS; empty when it is not one.
    [[nodiscard]] std::optional<std::int64_t> integer(std::size_t n = 0) const noexcept;

    /// SQ: its items. Encapsulated pixel data: its fragments. Item: its elements. Else nothing.
    [[nodiscard]] ElementRange children() const noexcept;
    [[nodiscard]] bool has_children() const noexcept { return node().subtree != 0; }

private:
    const DataSet* data_set_;
    std::uint32_t index_;
};

/// Elements of one level, in order.
class ElementRange {
public:
    class Iterator {
    public:
        using value_type = Element;
        using difference_type = std::ptrdiff_t;
        Iterator() = default;
        Iterator(const DataSet& data_set, std::uint32_t index) noexcept
            : data_set_(&data_set), index_(index) {}
        Element operator*() const noexcept { return {*data_set_, index_}; }
        Iterator& operator++() noexcept;
        Iterator operator++(int) noexcept {
            auto before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

    private:
        const DataSet* data_set_ = nullptr;
        std::uint32_t index_ = 0;
    };

    ElementRange(const DataSet& data_set, std::uint32_t first, std::uint32_t last) noexcept
        : data_set_(&data_set), first_(first), last_(last) {}

    [[nodiscard]] Iterator begin() const noexcept { return {*data_set_, first_}; }
    [[nodiscard]] Iterator end() const noexcept { return {*data_set_, last_}; }
    [[nodiscard]] bool empty() const noexcept { return first_ == last_; }
    [[nodiscard]] const DataSet& owner() const noexcept { return *data_set_; }
    /// The rows of the level: the first, and the one behind the last.
    [[nodiscard]] std::uint32_t first_index() const noexcept { return first_; }
    [[nodiscard]] std::uint32_t last_index() const noexcept { return last_; }

    /// The element of this level with that tag.
    [[nodiscard]] std::optional<Element> find(Tag tag) const noexcept;
    /// Its text, or nothing when it is absent: for reading identifiers in one line.
    [[nodiscard]] std::string_view text(Tag tag) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> integer(Tag tag) const noexcept;
    [[nodiscard]] std::optional<Uid> uid(Tag tag) const noexcept;

private:
    const DataSet* data_set_;
    std::uint32_t first_;
    std::uint32_t last_;
};

/// Copies share the parsed bytes; values set later belong to the copy alone. Not thread-safe to
/// change; any number of threads may read.
class DataSet {
public:
    DataSet() = default;

    /// The top level.
    [[nodiscard]] ElementRange elements() const noexcept {
        return {*this, 0, static_cast<std::uint32_t>(nodes_.size())};
    }
    [[nodiscard]] std::optional<Element> find(Tag tag) const noexcept { return elements().find(tag); }
    [[nodiscard]] std::string_view text(Tag tag) const noexcept { return elements().text(tag); }
    [[nodiscard]] std::optional<std::int64_t> integer(Tag tag) const noexcept {
        return elements().integer(tag);
    }
    [[nodiscard]] std::optional<Uid> uid(Tag tag) const noexcept { return elements().uid(tag); }
    [[nodiscard]] bool contains(Tag tag) const noexcept { return find(tag).has_value(); }
    [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }

    /// Sets a top-level element, in its place in the order, replacing what was there. Text is
    /// padded to even length by its VR. Numbers are given little endian.
    void set(Tag tag, Vr vr, std::span<const std::byte> value);
    void set_text(Tag tag, Vr vr, std::string_view value);
    void set_uint16(Tag tag, std::uint16_t value);  ///< as US
    void set_uint32(Tag tag, std::uint32_t value);  ///< as UL
    /// A sequence without items.
    void set_empty_sequence(Tag tag);
    /// Makes another text of one: how a deep copy changes character sets.
    using TextRewrite = std::function<std::string(std::string_view text, Vr vr)>;
    /// A deep copy of an element of another data set; numbers become little endian. `rewrite`, when
    /// given, is asked for every text that Specific Character Set governs, at all depths.
    void set(Element from, const TextRewrite& rewrite = {});
    /// Removes the top-level element and all inside it; nothing happens when it is absent.
    void erase(Tag tag);

    /// All rows in document order, for those who walk without recursion.
    [[nodiscard]] std::span<const Node> nodes() const noexcept { return nodes_; }
    [[nodiscard]] std::span<const std::byte> value_of(const Node& node) const noexcept;

    /// For the parser: the rows and the bytes they point into, which `keep_alive` owns (or the
    /// caller does, when it is null).
    DataSet(std::vector<Node> nodes, std::span<const std::byte> source,
            std::shared_ptr<const void> keep_alive)
        : nodes_(std::move(nodes)), source_(source), keep_alive_(std::move(keep_alive)) {}

private:
    friend class DataSetBuilder;

    std::uint32_t place_for(Tag tag);
    /// A row for a value that we keep.
    [[nodiscard]] Node own(Tag tag, Vr vr, std::span<const std::byte> value);

    std::vector<Node> nodes_;
    std::span<const std::byte> source_;
    std::shared_ptr<const void> keep_alive_;
    std::vector<std::byte> owned_;
};

inline const Node& Element::node() const noexcept {
    return data_set_->nodes()[index_];
}
inline std::span<const std::byte> Element::value() const noexcept {
    return data_set_->value_of(node());
}
inline ElementRange Element::children() const noexcept {
    return {*data_set_, index_ + 1, index_ + 1 + node().subtree};
}
inline ElementRange::Iterator& ElementRange::Iterator::operator++() noexcept {
    index_ += 1 + data_set_->nodes()[index_].subtree;
    return *this;
}

}  // namespace sagitta::dicom
