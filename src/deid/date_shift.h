// Dates moved by whole days (PS3.15 E.3.6): intervals stay as they were. Pure; knows DA and DT texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dicom/vr.h"

namespace sagitta::deid {

/// One DA, TM or DT value, or a range of them, `days` later. What is less precise than a day moves as its
/// middle does and stays as precise; times and offsets from UTC stay as they are written. Empty when it is no
/// such value, or the day is outside the calendar.
[[nodiscard]] std::optional<std::string> shifted(dicom::Vr vr, std::string_view value, std::int32_t days);

/// The whole value of an element: every one of its backslash-separated values; those that are none become
/// empty.
[[nodiscard]] std::string shifted_values(dicom::Vr vr, std::string_view values, std::int32_t days);

/// An AS value in which nobody is older than 90 years; as it is when it is younger or no age. Empty when it
/// is no age (PS3.5 6.2).
[[nodiscard]] std::optional<std::string> capped_age(std::string_view value);

}  // namespace sagitta::deid
