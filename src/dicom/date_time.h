// DA, TM and DT values as the instants they cover (PS3.5 6.2), and the range keys made of them
// (PS3.4 C.2.2.2.5). Behind matching.h, which is what others include.
#pragma once

#include <string>
#include <string_view>

#include "dicom/vr.h"

namespace sagitta::dicom {

/// The first or last instant, as documented for range_bound in matching.h. Empty when malformed.
[[nodiscard]] std::string date_bound(std::string_view value);
[[nodiscard]] std::string time_bound(std::string_view value, bool upper);
[[nodiscard]] std::string date_time_bound(std::string_view value, bool upper);

/// The two texts around the `-` of a range key, or the same text twice when it is no range. Of a DT
/// a `-` and four digits up to 1200 behind a date are its offset from UTC.
struct RangeText {
    std::string_view from;
    std::string_view to;
    bool is_range;
};
[[nodiscard]] RangeText split_range(Vr vr, std::string_view key);

}  // namespace sagitta::dicom
