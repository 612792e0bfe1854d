// A date and its time asked for together (PS3.4 C.2.2.2.5): one span of instants instead of the same hours
// of every day. Pure; what one value means is matching.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/matching.h"

namespace sagitta::dicom {

struct DateTimeKey {
    Tag date;
    Tag time;
    std::string from;  ///< "YYYYMMDDHHMMSS.FFFFFF", inclusive; empty is open
    std::string to;

    /// The first value of each counts; without either there is no instant.
    [[nodiscard]] bool matches(std::string_view stored_date, std::string_view stored_time) const;
    /// The days it spans, as a key of the date alone: what satisfies this satisfies that.
    [[nodiscard]] MatchKey days() const;
};

/// The TM that belongs to a DA by its name: StudyDate, StudyTime. Nothing when there is none.
[[nodiscard]] std::optional<Tag> time_of(Tag date);

/// Both keys as one, when they are a date and its time and each is a value or a range.
[[nodiscard]] std::optional<DateTimeKey> combine(const MatchKey& date, const MatchKey& time);

}  // namespace sagitta::dicom
