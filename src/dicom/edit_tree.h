// The levels of a data set that edits open: rows of the original, new values and new containers, in
// order. Only what a path leads through is opened. Behind edit.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/edit.h"

namespace sagitta::dicom {

/// An element, an item, or the whole data set.
struct EditEntry {
    enum class State : std::uint8_t {
        kept,   ///< the row of the original and all inside it
        value,  ///< new: `text` is its value
        open,   ///< a container: `children` are its items or elements
    };

    Tag tag;
    State state = State::value;
    std::optional<std::uint32_t> row;  ///< of the original: what is kept, or what an open one was
    std::optional<Vr> vr;              ///< of a new value, when it was given or was there before
    std::string text;
    std::vector<EditEntry> children;
};

/// A data set on its way from the original to what the edits make of it. No deeper than a path.
class EditTree {
public:
    /// `original` must outlive the tree.
    explicit EditTree(const DataSet& original);

    [[nodiscard]] Result<void> apply(const Edit& edit);

    [[nodiscard]] const EditEntry& root() const noexcept { return root_; }

private:
    Result<bool> change(EditEntry& level, const Edit& edit, std::size_t depth);
    Result<bool> set_value(EditEntry& level, const Edit& edit);
    [[nodiscard]] std::optional<Vr> vr_there(const EditEntry* there, const PathStep& step, Tag tag) const;
    Result<bool> insert_item(EditEntry& level, const Edit& edit);
    bool erase(EditEntry& level, const Edit& edit);
    Result<bool> descend(EditEntry& level, const Edit& edit, std::size_t depth);

    Result<EditEntry*> sequence(EditEntry& level, const PathStep& step, bool make);
    void open(EditEntry& entry) const;
    [[nodiscard]] bool is_sequence(const EditEntry& entry) const;
    [[nodiscard]] std::string text_of(const EditEntry& entry) const;
    [[nodiscard]] std::optional<Tag> find_tag_of(const EditEntry& level, const PathStep& step) const;
    Result<Tag> make_tag_of(EditEntry& level, const PathStep& step);

    const DataSet& original_;
    EditEntry root_;
};

}  // namespace sagitta::dicom
