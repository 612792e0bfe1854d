// What a profile would cover in the pixels of a file, as a picture for whoever reviews it.
#pragma once

#include <string>

#include "core/result.h"
#include "deid/profile.h"

namespace sagitta::tools {

struct PreviewReport {
    std::size_t masks = 0;
    std::string decided_by;  ///< "line 12", "the ultrasound regions", or why nothing is covered
};

/// Writes the middle frame of `in` as a PNG with the covered areas in red, what is under them still to be
/// seen: the picture identifies. Errors: those of reading, decoding and rendering; already_exists.
[[nodiscard]] Result<PreviewReport> write_preview(const deid::Profile& profile, const std::string& in,
                                                  const std::string& out);

}  // namespace sagitta::tools
