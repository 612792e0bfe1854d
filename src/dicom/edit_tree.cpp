#include "dicom/edit_tree.h"

#include <algorithm>
#include <utility>

#include "dicom/dictionary.h"

namespace sagitta::dicom {
namespace {

using State = EditEntry::State;
using Items = PathStep::Items;

Error wrong(const PathStep& step, std::string_view what) {
    return {Errc::invalid_argument, to_string(step).append(" ").append(what)};
}

template <class Level>
auto find_in(Level& level, Tag tag) -> decltype(level.children.data()) {
    const auto found = std::find_if(level.children.begin(), level.children.end(),
                                    [&](const EditEntry& entry) { return entry.tag == tag; });
    return found == level.children.end() ? nullptr : &*found;
}

// In its place in the order; elements of the original that are out of order stay so.
EditEntry& add_in_order(EditEntry& level, Tag tag) {
    const auto place = std::find_if(level.children.begin(), level.children.end(),
                                    [&](const EditEntry& entry) { return entry.tag > tag; });
    EditEntry entry;
    entry.tag = tag;
    return *level.children.insert(place, std::move(entry));
}

bool erase_tag(EditEntry& level, Tag tag) {
    return std::erase_if(level.children, [&](const EditEntry& entry) { return entry.tag == tag; }) != 0;
}

// A change makes the length of its group wrong: it may be left out, but not be wrong (PS3.5 7.2).
void drop_group_length(EditEntry& level, Tag changed) {
    if (changed.is_group_length()) return;
    std::erase_if(level.children, [&](const EditEntry& entry) {
        return entry.tag == Tag(changed.group(), 0) && entry.state == State::kept;
    });
}

EditEntry new_item() {
    EditEntry item;
    item.tag = kItem;
    item.state = State::open;
    return item;
}

}  // namespace

EditTree::EditTree(const DataSet& original) : original_(original) {
    root_.state = State::open;
    for (const Element element : original.elements()) {
        EditEntry& entry = root_.children.emplace_back();
        entry.tag = element.tag();
        entry.state = State::kept;
        entry.row = element.index();
    }
}

void EditTree::open(EditEntry& entry) const {
    if (entry.state == State::open) return;
    if (entry.state == State::kept) {
        for (const Element child : Element(original_, *entry.row).children()) {
            EditEntry& kept = entry.children.emplace_back();
            kept.tag = child.tag();
            kept.state = State::kept;
            kept.row = child.index();
        }
    }
    entry.state = State::open;
}

bool EditTree::is_sequence(const EditEntry& entry) const {
    switch (entry.state) {
        case State::open: return true;
        case State::kept: {
            const Node& node = original_.nodes()[*entry.row];
            return node.vr == Vr::SQ || (node.vr == Vr::UN && node.undefined_length);
        }
        case State::value: break;
    }
    if (!entry.text.empty()) return false;
    if (entry.vr) return entry.vr == Vr::SQ;
    const auto* known = find_tag(entry.tag);
    return known != nullptr && known->vr == Vr::SQ;
}

std::string EditTree::text_of(const EditEntry& entry) const {
    return entry.state == State::kept ? std::string(Element(original_, *entry.row).text()) : entry.text;
}

std::optional<Tag> EditTree::find_tag_of(const EditEntry& level, const PathStep& step) const {
    if (step.creator.empty()) return step.tag;
    std::optional<Tag> first;
    for (const EditEntry& entry : level.children) {
        if (entry.tag.group() != step.tag.group() || !entry.tag.is_private_creator()) continue;
        if (text_of(entry) != step.creator) continue;
        const Tag named = private_tag(step.tag, static_cast<std::uint8_t>(entry.tag.element()));
        if (find_in(level, named) != nullptr) return named;
        if (!first) first = named;
    }
    return first;
}

Result<Tag> EditTree::make_tag_of(EditEntry& level, const PathStep& step) {
    if (const auto tag = find_tag_of(level, step)) return *tag;
    for (unsigned block = 0x10; block <= 0xff; ++block) {
        const auto in_use = [&](const EditEntry& entry) {
            const unsigned element = entry.tag.element();
            return entry.tag.group() == step.tag.group() && (element == block || element >> 8 == block);
        };
        if (std::any_of(level.children.begin(), level.children.end(), in_use)) continue;
        EditEntry& creator = add_in_order(level, Tag(step.tag.group(), static_cast<std::uint16_t>(block)));
        creator.vr = Vr::LO;
        creator.text = step.creator;
        return private_tag(step.tag, static_cast<std::uint8_t>(block));
    }
    return wrong(step, "finds no free block in its group");
}

// The sequence that `step` names; null when it is absent and not to be made.
Result<EditEntry*> EditTree::sequence(EditEntry& level, const PathStep& step, bool make) {
    std::optional<Tag> tag = find_tag_of(level, step);
    EditEntry* entry = tag ? find_in(level, *tag) : nullptr;
    if (entry == nullptr && !make) return entry;
    if (entry == nullptr) {
        const auto* known = find_tag(step.tag);
        if (step.creator.empty() && known != nullptr && known->vr != Vr::SQ)
            return wrong(step, "is no sequence");
        auto made = make_tag_of(level, step);
        if (!made) return std::move(made).error();
        entry = &add_in_order(level, *made);
        entry->vr = Vr::SQ;
    }
    if (!is_sequence(*entry)) return wrong(step, "is no sequence");
    open(*entry);
    return entry;
}

Result<void> EditTree::apply(const Edit& edit) {
    if (edit.path.steps.empty() || edit.path.steps.size() > kMaxPathSteps)
        return Error(Errc::invalid_argument, "an edit has no path, or one that is too deep");
    auto changed = change(root_, edit, 0);
    if (!changed) return std::move(changed).error();
    return {};
}

// Recursion ends with the path, which kMaxPathSteps bounds.
Result<bool> EditTree::change(EditEntry& level, const Edit& edit, std::size_t depth) {
    if (depth + 1 < edit.path.steps.size()) return descend(level, edit, depth);
    switch (edit.kind) {
        case Edit::Kind::set: return set_value(level, edit);
        case Edit::Kind::insert: return insert_item(level, edit);
        case Edit::Kind::erase: return erase(level, edit);
    }
    return false;
}

Result<bool> EditTree::descend(EditEntry& level, const Edit& edit, std::size_t depth) {
    const PathStep& step = edit.path.steps[depth];
    if (step.items == Items::none) return wrong(step, "needs an item, as in [0]");
    const bool make = edit.kind != Edit::Kind::erase && step.items != Items::every;
    auto found = sequence(level, step, make);
    if (!found) return std::move(found).error();
    if (*found == nullptr) return false;
    EditEntry& container = **found;
    const std::size_t count = container.children.size();
    std::size_t first = step.items == Items::every ? 0 : step.items == Items::next ? count : step.item;
    const std::size_t last = step.items == Items::every ? count : first + 1;
    if (first > count && make) return wrong(step, "is more than one item behind the last");
    if (first == count && make) container.children.push_back(new_item());
    bool changed = false;
    for (; first < std::min(last, container.children.size()); ++first) {
        EditEntry& item = container.children[first];
        open(item);
        auto inside = change(item, edit, depth + 1);
        if (!inside) return inside;
        changed = changed || *inside;
    }
    if (changed) drop_group_length(level, container.tag);
    return changed;
}

// The VR of a value for which none is stated, as far as its place says it; else the dictionary does.
std::optional<Vr> EditTree::vr_there(const EditEntry* there, const PathStep& step, Tag tag) const {
    const std::optional<Vr> before = there == nullptr ? std::nullopt
                                     : there->row     ? original_.nodes()[*there->row].vr
                                                      : there->vr;
    if (before && before != Vr::UN) return before;
    const auto known = step.creator.empty() ? std::nullopt : find_private_tag(step.creator, tag);
    if (known && !known->ambiguous_vr) return known->vr;
    return find_tag(tag) == nullptr ? before : std::nullopt;
}

Result<bool> EditTree::set_value(EditEntry& level, const Edit& edit) {
    const PathStep& step = edit.path.steps.back();
    if (step.items != Items::none) return wrong(step, "is an item, which has no value");
    auto tag = make_tag_of(level, step);
    if (!tag) return std::move(tag).error();
    EditEntry replaced;
    replaced.tag = *tag;
    replaced.text = edit.value;
    EditEntry* there = find_in(level, *tag);
    replaced.vr = edit.vr ? edit.vr : vr_there(there, step, *tag);
    if (there == nullptr) {
        add_in_order(level, *tag) = std::move(replaced);
    } else {
        // Broken writers say an element twice; what is set is said once.
        const auto behind = level.children.begin() + (there - level.children.data()) + 1;
        level.children.erase(std::remove_if(behind, level.children.end(),
                                            [&](const EditEntry& entry) { return entry.tag == *tag; }),
                             level.children.end());
        *there = std::move(replaced);
    }
    drop_group_length(level, *tag);
    return true;
}

Result<bool> EditTree::insert_item(EditEntry& level, const Edit& edit) {
    const PathStep& step = edit.path.steps.back();
    if (step.items != Items::one && step.items != Items::next)
        return wrong(step, "names no place for an item, as [0] or [+] would");
    auto found = sequence(level, step, true);
    if (!found) return std::move(found).error();
    auto& items = (*found)->children;
    const std::size_t place = step.items == Items::next ? items.size() : step.item;
    if (place > items.size()) return wrong(step, "is more than one item behind the last");
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(place), new_item());
    drop_group_length(level, (*found)->tag);
    return true;
}

bool EditTree::erase(EditEntry& level, const Edit& edit) {
    const PathStep& step = edit.path.steps.back();
    const auto tag = find_tag_of(level, step);
    if (!tag) return false;
    bool changed = false;
    EditEntry* entry = find_in(level, *tag);
    if (step.items == Items::none) {
        changed = erase_tag(level, *tag);
    } else if (entry != nullptr && is_sequence(*entry)) {
        open(*entry);
        auto& items = entry->children;
        changed = step.items == Items::every ? !items.empty() : step.item < items.size();
        if (step.items == Items::next) changed = false;
        if (changed && step.items == Items::every)
            items.clear();
        else if (changed)
            items.erase(items.begin() + static_cast<std::ptrdiff_t>(step.item));
    }
    if (changed) drop_group_length(level, *tag);
    return changed;
}

}  // namespace sagitta::dicom
