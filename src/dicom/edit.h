// A data set changed without touching it: a list of edits in, another data set out. Rows that no edit
// names share the bytes of the original. Knows nothing of files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/path.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::dicom {

/// One change. Of `[*]` every item that is there is changed.
struct Edit {
    enum class Kind : std::uint8_t {
        set,     ///< an element, in its place in the order, replacing what is there
        insert,  ///< an empty item, before the one that the path names; `[+]` or the count: at the end
        erase,   ///< elements or items; nothing happens when they are absent
    };

    Kind kind = Kind::set;
    Path path;
    /// In UTF-8, several values separated by backslashes; numbers in decimal, AT as tags or keywords,
    /// opaque bytes as `hex:0a0b`. Empty: an element without value, or a sequence without items.
    std::string value;
    /// Else that of the element that is there, else of the dictionary (PS3.6, or its creator's).
    std::optional<Vr> vr;
};

/// Reads `Path=value` or `Path:VR=value`. Errors: invalid_argument, without the value.
[[nodiscard]] Result<Edit> parse_set(std::string_view text);

struct EditOptions {
    enum class Text : std::uint8_t {
        refuse,            ///< text that does not fit (0008,0005) is an error
        utf8_when_needed,  ///< it makes the whole data set ISO_IR 192
        utf8,              ///< the result is ISO_IR 192
    };

    Text text = Text::refuse;
    bool check_values = true;  ///< new values are held against value_check.h
    /// Of the encoding that the result is meant for: decides OB or OW (PS3.5 Annex A).
    const TransferSyntax* syntax = nullptr;
};

/// The edits in their order; `original` is only read, and its bytes are shared. Missing sequences and
/// items are made on the way, missing private creators get the first free block of their group (PS3.5
/// 7.8.1), and (gggg,0000) of a changed group is dropped (PS3.5 7.2). Text is encoded in the character
/// set that the result states around it. In UTF-8 (0008,0005) stands at the top level alone. Errors
/// say the path: invalid_argument; unsupported for text that does not fit; malformed for text of the
/// original that cannot be read as UTF-8.
[[nodiscard]] Result<DataSet> apply_edits(const DataSet& original, std::span<const Edit> edits,
                                          const EditOptions& options = {});

}  // namespace sagitta::dicom
