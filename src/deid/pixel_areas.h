// Which parts of a picture may show who somebody is (PS3.15 E.3.1): by rules, and for ultrasound by the
// regions that the scanner states. Pure: a data set in, rectangles out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "codec/mask.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/match_rule.h"

namespace sagitta::deid {

/// One [[pixel]] of a profile: what to do with images that match.
struct PixelRule {
    enum class Action : std::uint8_t {
        mask,     ///< cover `areas`; the rest is safe
        regions,  ///< cover all but the Sequence of Ultrasound Regions (PS3.3 C.8.5.5)
        keep,     ///< somebody looked at such images: nothing to cover
        refuse,   ///< never let them out
    };
    dicom::MatchRule match;  ///< of the whole instance
    Action action = Action::mask;
    std::vector<codec::Rectangle> areas;
    std::uint32_t line = 0;  ///< in the profile
};

/// What is to be covered, and who says so.
struct PixelAreas {
    /// None: no rule knows this image, and it states no regions.
    std::optional<PixelRule::Action> decided;
    std::vector<codec::Rectangle> masks;
    std::optional<std::size_t> rule;  ///< index of the rule; nothing for what the scanner states
};

/// The first rule that matches; without one the regions of an ultrasound image, when it states any. A rule
/// for regions does not apply to an image without them. Errors: malformed when a region lies outside of the
/// picture, or the picture has no size.
[[nodiscard]] Result<PixelAreas> pixel_areas(const dicom::DataSet& instance,
                                             std::span<const PixelRule> rules);

}  // namespace sagitta::deid
