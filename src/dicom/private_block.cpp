#include "dicom/private_block.h"

namespace sagitta::dicom {

std::optional<Element> private_creator_of(const ElementRange& level, Tag tag) noexcept {
    if (!tag.is_private() || tag.element() < 0x1000) return std::nullopt;
    const auto creator = level.find(Tag(tag.group(), static_cast<std::uint16_t>(tag.element() >> 8)));
    return creator && !creator->text().empty() ? creator : std::nullopt;
}

std::optional<Element> find_private(const ElementRange& level, std::string_view creator, std::uint16_t group,
                                    std::uint8_t offset) noexcept {
    for (const Element element : level) {
        const Tag tag = element.tag();
        if (tag.group() != group || tag.element() < 0x1000 || (tag.element() & 0xff) != offset) continue;
        const auto owner = private_creator_of(level, tag);
        if (owner && owner->text() == creator) return element;
    }
    return std::nullopt;
}

}  // namespace sagitta::dicom
