// Blocks of private elements and who reserved them (PS3.5 7.8.1). Knows one level of a data set.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dicom/data_set.h"

namespace sagitta::dicom {

/// The creator element of the block in which `tag` lies: (gggg,00bb) for (gggg,bbxx), of the same
/// level. Empty when `tag` is not in a block or nobody reserved it.
[[nodiscard]] std::optional<Element> private_creator_of(const ElementRange& level, Tag tag) noexcept;

/// The element (group,xx`offset`) of `creator`, in whichever block it reserved. Creators
/// are compared exactly, but for padding in the data set.
[[nodiscard]] std::optional<Element> find_private(const ElementRange& level, std::string_view creator,
                                                  std::uint16_t group, std::uint8_t offset) noexcept;

}  // namespace sagitta::dicom
