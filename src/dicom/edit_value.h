// Values written as text on their way into a data set: which VR they get and their bytes. Behind
// edit.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "dicom/character_set.h"
#include "dicom/tag.h"
#include "dicom/transfer_syntax.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

/// What the data set around a value says of it.
struct ValueContext {
    CharacterSet character_set;
    bool signed_pixels = false;  ///< (0028,0103) of this data set, or of the one around it
    bool wide_pixels = false;    ///< (0028,0100) is more than 8
    const TransferSyntax* syntax = nullptr;
};

/// From the dictionary; of ambiguous ones by Pixel Representation, and by PS3.5 A.1, A.2 and A.4 for
/// OB and OW. Empty when the dictionary does not know the element.
[[nodiscard]] std::optional<Vr> vr_of_new_value(Tag tag, std::string_view text, const ValueContext& context);

/// The little endian bytes of a value: text in the character set, numbers from decimal text, AT from
/// tags or keywords, OB OW UN and their like from `hex:0a0b`. Not for SQ. Errors: invalid_argument;
/// unsupported when a character is outside the character set.
[[nodiscard]] Result<std::string> encode_value(Vr vr, std::string_view text,
                                               const CharacterSet& character_set);

}  // namespace sagitta::dicom
