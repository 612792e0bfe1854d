// Input: one byte for the VR, a key, NUL, a stored value. A key that is understood gives the same
// answer for a value and for its comparable form; short wildcards agree with their definition.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dicom/matching.h"
#include "dicom/text.h"
#include "dicom/utf8.h"

using namespace sagitta::dicom;

namespace {

constexpr auto kVrs = std::to_array<Vr>({Vr::PN, Vr::LO, Vr::CS, Vr::UI, Vr::DA, Vr::TM, Vr::DT, Vr::IS,
                                         Vr::DS, Vr::LT, Vr::AE, Vr::US, Vr::none});

void require(bool condition) {
    if (!condition) std::abort();
}

bool reference(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
        return reference(pattern.substr(1), text) || (!text.empty() && reference(pattern, text.substr(1)));
    }
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
           reference(pattern.substr(1), text.substr(1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Vr vr = kVrs[data[0] % kVrs.size()];
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto nul = input.find('\0');
    const auto text = input.substr(0, nul);
    const auto stored = nul == std::string_view::npos ? std::string_view() : input.substr(nul + 1);

    const bool wildcard = matches_wildcard(text, stored);
    if (text.size() <= 10 && stored.size() <= 12 && is_ascii(text) && is_ascii(stored)) {
        require(wildcard == reference(text, stored));
    }

    const auto key = parse_match_key(Tag{0x00100010u}, vr, text);
    if (!key) return 0;
    require((key->kind == MatchKind::universal) == key->values.empty());
    const bool matched = matches(*key, stored);
    if (key->kind == MatchKind::universal) {
        require(matched && matches(*key, ""));
    } else {
        require(!matches(*key, ""));
        if (stored.find('\\') == std::string_view::npos && stored.find('\0') == std::string_view::npos) {
            require(matches(*key, comparable(vr, stored)) == matched);
        }
    }
    return 0;
}
