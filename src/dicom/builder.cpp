#include "dicom/builder.h"

#include <cassert>
#include <utility>

#include "core/bytes.h"

namespace sagitta::dicom {

DataSetBuilder::DataSetBuilder(const DataSet& original) : made_(original) {
    made_.nodes_.clear();
    nodes_.reserve(original.nodes().size() + 16);
}

void DataSetBuilder::add(Tag tag, Vr vr, std::span<const std::byte> value) {
    nodes_.push_back(made_.own(tag, vr, value));
}

void DataSetBuilder::add_text(Tag tag, Vr vr, std::string_view value) {
    add(tag, vr, as_bytes(value));
}

void DataSetBuilder::keep(Element from) {
    const auto rows = from.owner().nodes().subspan(from.index(), std::size_t{from.node().subtree} + 1);
    nodes_.insert(nodes_.end(), rows.begin(), rows.end());
}

void DataSetBuilder::open(Tag tag, Vr vr, bool undefined_length) {
    open_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    Node& node = nodes_.emplace_back();
    node.tag = tag;
    node.vr = vr;
    node.owned = true;
    node.undefined_length = undefined_length;
}

void DataSetBuilder::begin_sequence(Tag tag, bool undefined_length) {
    open(tag, Vr::SQ, undefined_length);
}

void DataSetBuilder::begin_item(bool undefined_length) {
    open(kItem, Vr::none, undefined_length);
}

void DataSetBuilder::begin_fragments(Tag tag, Vr vr) {
    open(tag, vr, true);
}

void DataSetBuilder::begin_like(Element from) {
    const Node& like = from.node();
    open(like.tag, like.vr, like.undefined_length);
    nodes_.back().stored_as_un = like.stored_as_un;
    nodes_.back().big_endian = like.big_endian;
}

void DataSetBuilder::end() {
    assert(!open_.empty());
    const std::uint32_t opened = open_.back();
    open_.pop_back();
    nodes_[opened].subtree = static_cast<std::uint32_t>(nodes_.size() - 1 - opened);
}

DataSet DataSetBuilder::finish() {
    assert(open_.empty());
    made_.nodes_ = std::exchange(nodes_, {});
    return std::exchange(made_, DataSet());
}

}  // namespace sagitta::dicom
