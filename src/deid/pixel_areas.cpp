#include "deid/pixel_areas.h"

#include <algorithm>
#include <utility>

#include "dicom/generated/tags.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;

struct Size {
    std::uint32_t columns;
    std::uint32_t rows;
};

Result<Size> size_of(const dicom::DataSet& instance) {
    const auto rows = instance.integer(tags::Rows).value_or(0);
    const auto columns = instance.integer(tags::Columns).value_or(0);
    if (rows <= 0 || columns <= 0 || rows > UINT16_MAX || columns > UINT16_MAX)
        return Error(Errc::malformed, "Rows and Columns give no size");
    return Size{static_cast<std::uint32_t>(columns), static_cast<std::uint32_t>(rows)};
}

// PS3.3 C.8.5.5.1.1: the corners belong to the region. Scanners that count one too far are understood; a
// region that is further outside belongs to another picture, of which this one was cut.
Result<std::vector<codec::Rectangle>> stated_regions(const dicom::DataSet& instance, const Size& size) {
    std::vector<codec::Rectangle> regions;
    const auto sequence = instance.find(tags::SequenceOfUltrasoundRegions);
    if (!sequence) return regions;
    for (const auto item : sequence->children()) {
        const auto level = item.children();
        const auto left = level.integer(tags::RegionLocationMinX0).value_or(-1);
        const auto top = level.integer(tags::RegionLocationMinY0).value_or(-1);
        const auto right = level.integer(tags::RegionLocationMaxX1).value_or(-1);
        const auto bottom = level.integer(tags::RegionLocationMaxY1).value_or(-1);
        if (left < 0 || top < 0 || right < left || bottom < top || right > size.columns || bottom > size.rows)
            return Error(Errc::malformed, "an ultrasound region does not lie in the picture");
        regions.push_back({static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(top),
                           static_cast<std::uint32_t>(right - left + 1),
                           static_cast<std::uint32_t>(bottom - top + 1)});
    }
    return regions;
}

}  // namespace

Result<PixelAreas> pixel_areas(const dicom::DataSet& instance, std::span<const PixelRule> rules) {
    PixelAreas areas;
    for (std::size_t n = 0; n < rules.size(); ++n) {
        const PixelRule& rule = rules[n];
        const bool needs_regions = rule.action == PixelRule::Action::regions;
        if (needs_regions && !instance.contains(tags::SequenceOfUltrasoundRegions)) continue;
        if (!rule.match.matches(instance)) continue;
        areas.decided = rule.action;
        areas.rule = n;
        if (rule.action == PixelRule::Action::mask) {
            auto size = size_of(instance);
            if (!size) return std::move(size).error();
            for (const auto& area : rule.areas) {
                const auto inside = codec::clipped(area, size->columns, size->rows);
                if (inside.width != 0 && inside.height != 0) areas.masks.push_back(inside);
            }
        }
        break;
    }
    const bool by_itself = !areas.decided && instance.contains(tags::SequenceOfUltrasoundRegions);
    if (!by_itself && areas.decided != PixelRule::Action::regions) return areas;
    auto size = size_of(instance);
    if (!size) return std::move(size).error();
    auto regions = stated_regions(instance, *size);
    if (!regions) return std::move(regions).error();
    if (regions->empty()) return PixelAreas{};  // a sequence without items decides nothing
    areas.decided = PixelRule::Action::regions;
    areas.masks = codec::all_but(*regions, size->columns, size->rows);
    return areas;
}

}  // namespace sagitta::deid
