// A data set's text in another character set, at all depths. Behind edit.h.
#pragma once

#include "core/result.h"
#include "dicom/builder.h"
#include "dicom/character_set.h"
#include "dicom/data_set.h"

namespace sagitta::dicom {

/// Adds `from`, which belongs to the builder's original, with all inside it and its text in UTF-8;
/// `source` is the character set in force there. What is the same in both stays where it lies.
/// (0008,0005) and group lengths, whose values would be wrong, are left out; what is UN stays bytes. Errors:
/// malformed when a text is not what its character set allows: it would be lost.
[[nodiscard]] Result<void> add_in_utf8(DataSetBuilder& builder, Element from, const CharacterSet& source);

}  // namespace sagitta::dicom
