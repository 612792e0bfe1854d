// Base 64 (RFC 4648 section 4), as InlineBinary holds it (PS3.18 F.2.7).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sagitta::dicom {

/// Appends the text of `bytes`, padded with `=`.
void append_base64(std::span<const std::byte> bytes, std::string& out);

/// Appends the bytes of `text`. False, with `out` unchanged, when it is not exactly what
/// append_base64 makes: a foreign character, wrong padding, bits set behind the last byte.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

}  // namespace sagitta::dicom
