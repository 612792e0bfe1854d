// ISO 2022 code extensions as DICOM uses them (PS3.5 6.1.2.4, 6.1.2.5): escape sequences designate
// repertoires to G0 and G1, delimiters bring the initial ones back. Knows no defined terms.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "dicom/repertoire.h"
#include "dicom/vr.h"

namespace sagitta::dicom {

/// What a value of (0008,0005) without UTF-8 or GB 18030 amounts to.
struct CodeExtensions {
    Repertoire initial_g0 = Repertoire::ascii;
    Repertoire initial_g1 = Repertoire::none;
    /// What an encoder may designate, in the order of the terms; each knows its place.
    std::span<const Repertoire> designable;
    /// Stands in for a G1 that nobody designated: writers forget the escape sequence.
    Repertoire undesignated_g1 = Repertoire::none;
};

/// Never fails: bytes that fit nothing become U+FFFD. Escape sequences of all repertoires are
/// followed, declared or not.
[[nodiscard]] std::string decode_iso2022(std::string_view bytes, const CodeExtensions& extensions, Vr vr);

/// Errors: unsupported when no designable repertoire has a character, malformed when `text` is no
/// UTF-8.
[[nodiscard]] Result<std::string> encode_iso2022(std::string_view text, const CodeExtensions& extensions,
                                                 Vr vr);

}  // namespace sagitta::dicom
