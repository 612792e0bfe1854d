// Whether a value may be written: lengths, characters and formats of PS3.5 Table 6.2-1, and value
// multiplicity. Reading never asks: it takes what comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

/// Of a text VR: `utf8` is the decoded value without padding, values separated by backslashes where
/// the VR has several. Empty values are fine. `vm` as in the dictionary, empty when nothing is known.
/// Errors: invalid_argument, without the value.
[[nodiscard]] Result<void> check_text(Vr vr, std::string_view utf8, std::string_view vm = {});

/// Of a binary VR, or UN: whole numbers, and as many as `vm` allows.
[[nodiscard]] Result<void> check_bytes(Vr vr, std::span<const std::byte> value, std::string_view vm = {});

/// Value multiplicity (PS3.5 6.4): "1", "1-3", "1-n", "2-2n", "3-3n", alternatives joined by "or". No
/// value at all is always allowed: what may be empty is the business of PS3.3.
[[nodiscard]] bool vm_allows(std::string_view vm, std::uint64_t values) noexcept;

}  // namespace sagitta::dicom
