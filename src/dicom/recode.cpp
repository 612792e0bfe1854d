#include "dicom/recode.h"

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/text.h"
#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

Result<void> add_text_in_utf8(DataSetBuilder& builder, const Element& from, const CharacterSet& source) {
    std::string_view bytes = as_text(from.value());
    while (!bytes.empty() && (bytes.back() == ' ' || bytes.back() == '\0')) bytes.remove_suffix(1);
    const std::string text = source.to_utf8(bytes, from.vr());
    if (text == bytes) {
        builder.keep(from);
        return {};
    }
    const bool lost = source.is_utf8() ? !is_valid_utf8(bytes) : text.find(kReplacement) != std::string::npos;
    if (lost) {
        return Error(Errc::malformed,
                     to_string(from.tag()) + " has text that its character set does not allow");
    }
    builder.add_text(from.tag(), from.vr(), text);
    return {};
}

}  // namespace

Result<void> add_in_utf8(DataSetBuilder& builder, Element from, const CharacterSet& source) {
    struct Open {
        std::uint32_t end;  // the row behind the container
        CharacterSet character_set;
    };
    std::vector<Open> open;
    const auto nodes = from.owner().nodes();
    const std::uint32_t end = from.index() + 1 + from.node().subtree;
    for (std::uint32_t row = from.index(); row < end;) {
        const Element element(from.owner(), row);
        const Node& node = nodes[row];
        const CharacterSet& outer = open.empty() ? source : open.back().character_set;
        const bool item = node.tag == kItem;
        if (item || node.vr == Vr::SQ || (node.vr == Vr::UN && node.undefined_length)) {
            builder.begin_like(element);
            open.push_back(
                {row + 1 + node.subtree, item ? character_set_of(element.children(), outer) : outer});
            ++row;
        } else {
            if (uses_character_set(node.vr)) {
                if (auto added = add_text_in_utf8(builder, element, outer); !added) return added;
            } else if (node.tag != tags::SpecificCharacterSet && !node.tag.is_group_length()) {
                builder.keep(element);
            }
            row += 1 + node.subtree;
        }
        while (!open.empty() && open.back().end == row) {
            builder.end();
            open.pop_back();
        }
    }
    return {};
}

}  // namespace sagitta::dicom
