// Input: the value of (0008,0005), NUL, bytes of a text. Whatever they are, decoding answers valid
// UTF-8, and what can be encoded reads back as the same text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dicom/character_set.h"
#include "dicom/text.h"

using namespace sagitta::dicom;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void read_back(const CharacterSet& set, std::string_view text, Vr vr) {
    const auto bytes = set.from_utf8(text, vr);
    if (bytes) require(set.to_utf8(*bytes, vr) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto nul = input.find('\0');
    const auto terms = input.substr(0, nul);
    const auto bytes = nul == std::string_view::npos ? std::string_view() : input.substr(nul + 1);
    const auto set = CharacterSet::parse(terms);
    for (const Vr vr : {Vr::PN, Vr::LO, Vr::LT, Vr::CS}) {
        const std::string text = set.to_utf8(bytes, vr);
        require(is_valid_utf8(text));
        read_back(set, text, vr);
        if (is_valid_utf8(bytes)) read_back(set, bytes, vr);
        const std::string folded = fold_person_name(text);
        require(fold_person_name(folded) == folded);
    }
    (void)fold(bytes);
    return 0;
}
