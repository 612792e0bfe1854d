// Where an attribute is: `ReferencedSeriesSequence[0].SeriesInstanceUID`. Knows how a path is written
// and what it names in a data set; changing what is there is edit.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::dicom {

/// One level of a path: an attribute, and which items of it.
struct PathStep {
    enum class Items : std::uint8_t {
        none,   ///< the attribute itself
        one,    ///< `[2]`, counted from zero
        every,  ///< `[*]`
        next,   ///< `[+]`, a new one behind the last
    };

    Tag tag;              ///< with a creator: the group, and the element's last two digits
    std::string creator;  ///< of a private block (PS3.5 7.8.1); empty when `tag` is the whole tag
    Items items = Items::none;
    std::uint32_t item = 0;
};

/// Every step but the last names items. Never empty when it was parsed.
struct Path {
    std::vector<PathStep> steps;
};

/// No deeper than this: also what bounds the recursion of those who walk paths.
inline constexpr std::size_t kMaxPathSteps = 64;

/// Steps are joined by dots. Each is a keyword of PS3.6, `(gggg,eeee)`, `gggg,eeee`, `ggggeeee`, or
/// `(gggg,"CREATOR",ee)`; `\"` and `\\` stand for themselves inside the quotes. Errors:
/// invalid_argument, with the nearest keyword.
[[nodiscard]] Result<Path> parse_path(std::string_view text);

/// Keywords where there are any; parse_path reads it back.
[[nodiscard]] std::string to_string(const Path& path);
[[nodiscard]] std::string to_string(const PathStep& step);

/// The tag of a private element from its creator's block and the last two digits of `element`.
[[nodiscard]] constexpr Tag private_tag(Tag element, std::uint8_t block) {
    return Tag(element.group(), static_cast<std::uint16_t>((block << 8) | (element.element() & 0xff)));
}

/// The tag that `step` names among these elements. A creator may own several blocks: the first that
/// has the element, else the first. Empty when it owns none.
[[nodiscard]] std::optional<Tag> resolve(const ElementRange& elements, const PathStep& step);

/// What the path names, an element or an item; of `[*]` all, in document order.
[[nodiscard]] std::vector<Element> find_all(const DataSet& data_set, const Path& path);

/// The first of find_all.
[[nodiscard]] std::optional<Element> find(const DataSet& data_set, const Path& path);

}  // namespace sagitta::dicom
