#include "dicom/transfer_syntax.h"

#include <algorithm>
#include <iterator>

namespace sagitta::dicom {
namespace {

#include "dicom/generated/transfer_syntaxes.inc"

}  // namespace

std::span<const TransferSyntax> transfer_syntaxes() noexcept {
    return kTransferSyntaxes;
}

const TransferSyntax* find_transfer_syntax(std::string_view uid) noexcept {
    const auto* found =
        std::lower_bound(std::begin(kTransferSyntaxes), std::end(kTransferSyntaxes), uid,
                         [](const TransferSyntax& syntax, std::string_view key) { return syntax.uid < key; });
    return found != std::end(kTransferSyntaxes) && found->uid == uid ? found : nullptr;
}

const TransferSyntax& implicit_vr_little_endian() noexcept {
    return *find_transfer_syntax("1.2.840.10008.1.2");
}
const TransferSyntax& explicit_vr_little_endian() noexcept {
    return *find_transfer_syntax("1.2.840.10008.1.2.1");
}

}  // namespace sagitta::dicom
