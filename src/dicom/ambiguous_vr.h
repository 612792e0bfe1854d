// Which VR an element has where the dictionary leaves a choice ("US or SS", "OB or OW"), by the data
// set around it (PS3.5 Annex A, PS3.3).
#pragma once

#include "dicom/data_set.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

/// The VR that explicit encodings give `element`. Decided by Pixel Representation, Bits Allocated,
/// Waveform Bits Allocated, LUT Descriptor and the modality transformation, of its level or the
/// nearest around it that states them. The VR it has stays where the rules allow it, and where they
/// say nothing; a private element read as UN gets the VR its creator's dictionary states.
[[nodiscard]] Vr resolved_vr(const Element& element);

}  // namespace sagitta::dicom
