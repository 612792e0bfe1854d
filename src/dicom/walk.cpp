#include "dicom/walk.h"

#include "dicom/dictionary.h"

namespace sagitta::dicom {
namespace {

std::uint32_t end_of(const Element& element) {
    return element.index() + 1 + element.node().subtree;
}

void append_name(std::string& out, Tag tag) {
    const auto* entry = find_tag(tag);
    const bool has_keyword = entry != nullptr && !entry->keyword.empty();
    out.append(has_keyword ? std::string(entry->keyword) : to_string(tag));
}

/// Fragments of encapsulated pixel data are children, too, but no items of a sequence.
bool holds_items(const Element& element) {
    return element.has_children() && element.vr() != Vr::OB && element.vr() != Vr::OW;
}

}  // namespace

Walk::Walk(const ElementRange& level)
    : data_set_(&level.owner()), begin_(level.first_index()), end_(level.last_index()), next_(begin_) {}

bool Walk::next() {
    if (inside_) {
        const Element sequence = element();
        const Element item = *sequence.children().begin();
        path_.push_back({sequence, item, 0});
        next_ = item.index() + 1;
    }
    // Out of what is finished: to the next item, or the next element behind the sequence.
    while (!path_.empty() && next_ == end_of(path_.back().item)) {
        WalkStep& step = path_.back();
        if (next_ == end_of(step.sequence)) {
            path_.pop_back();
        } else {
            step.item = Element(*data_set_, next_);
            ++step.number;
            ++next_;
        }
    }
    inside_ = false;
    if (next_ >= end_) return false;
    current_ = next_;
    inside_ = holds_items(element());
    next_ = end_of(element());
    return true;
}

ElementRange Walk::level() const noexcept {
    return path_.empty() ? ElementRange(*data_set_, begin_, end_) : path_.back().item.children();
}

std::string Walk::path_text() const {
    std::string text;
    for (const WalkStep& step : path_) {
        append_name(text, step.sequence.tag());
        text += '[' + std::to_string(step.number) + "].";
    }
    append_name(text, element().tag());
    return text;
}

std::vector<WalkStep> path_to(const Element& element) {
    std::vector<WalkStep> path;
    ElementRange level = element.owner().elements();
    while (true) {
        auto at = level.begin();
        while (at != level.end() && end_of(*at) <= element.index()) ++at;
        if (at == level.end() || (*at).index() == element.index()) return path;
        const Element sequence = *at;
        std::size_t number = 0;
        auto item = sequence.children().begin();
        for (; end_of(*item) <= element.index(); ++item) ++number;
        if ((*item).index() == element.index()) return path;
        path.push_back({sequence, *item, number});
        level = (*item).children();
    }
}

}  // namespace sagitta::dicom
