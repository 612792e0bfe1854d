// Transfer syntaxes (PS3.5 Annex A): how a data set is encoded.
#pragma once

#include <span>
#include <string_view>

namespace sagitta::dicom {

struct TransferSyntax {
    std::string_view uid;
    std::string_view name;
    bool explicit_vr;
    bool big_endian;
    bool deflated;      ///< the data set as a whole is an RFC 1951 stream (PS3.5 A.5)
    bool encapsulated;  ///< pixel data is fragments (PS3.5 A.4)
};

/// All registered transfer syntaxes, retired ones too, ordered by UID.
[[nodiscard]] std::span<const TransferSyntax> transfer_syntaxes() noexcept;

/// Null when the UID is not known here.
[[nodiscard]] const TransferSyntax* find_transfer_syntax(std::string_view uid) noexcept;

[[nodiscard]] const TransferSyntax& implicit_vr_little_endian() noexcept;
[[nodiscard]] const TransferSyntax& explicit_vr_little_endian() noexcept;

}  // namespace sagitta::dicom
