// Every element at all depths, in document order, without recursion. Knows where it is; what is to
// be done with an element is the caller's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dicom/data_set.h"

namespace sagitta::dicom {

/// A sequence and one of its items, counted from 0.
struct WalkStep {
    Element sequence;
    Element item;
    std::size_t number;
};

/// A walk to be asked for the next element: `for (Walk walk(data_set); walk.next();) …`. Items and
/// fragments are not elements. Valid as long as the data set is neither changed nor destroyed.
class Walk {
public:
    explicit Walk(const DataSet& data_set) : Walk(data_set.elements()) {}
    explicit Walk(const ElementRange& level);

    /// Goes to the next element, into sequences first. False at the end.
    bool next();
    /// The element it is at, after a `next` that was true.
    [[nodiscard]] Element element() const noexcept { return {*data_set_, current_}; }
    /// The elements around it: its own level.
    [[nodiscard]] ElementRange level() const noexcept;
    /// The items it is in, the outermost first; empty on the level where the walk began.
    [[nodiscard]] std::span<const WalkStep> path() const noexcept { return path_; }
    [[nodiscard]] std::size_t depth() const noexcept { return path_.size(); }
    /// What is inside the element will not be visited.
    void skip_inside() noexcept { inside_ = false; }

    /// "ReferencedSeriesSequence[0].SeriesInstanceUID"; tags where there is no keyword.
    [[nodiscard]] std::string path_text() const;

private:
    const DataSet* data_set_;
    std::uint32_t begin_;
    std::uint32_t end_;
    std::uint32_t current_ = 0;
    std::uint32_t next_;
    bool inside_ = false;
    std::vector<WalkStep> path_;
};

enum class WalkAnswer : std::uint8_t { go_on, skip_inside, stop };

/// Calls `visit(walk)`, which answers with a WalkAnswer, for each element. False when it stopped.
template <class Visit>
bool walk(const DataSet& data_set, Visit&& visit) {
    for (Walk at(data_set); at.next();) {
        const WalkAnswer answer = visit(static_cast<const Walk&>(at));
        if (answer == WalkAnswer::stop) return false;
        if (answer == WalkAnswer::skip_inside) at.skip_inside();
    }
    return true;
}

/// The items around `element`, the outermost first; empty on the top level.
[[nodiscard]] std::vector<WalkStep> path_to(const Element& element);

}  // namespace sagitta::dicom
