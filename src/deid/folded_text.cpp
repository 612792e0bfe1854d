#include "deid/folded_text.h"

#include <algorithm>

#include "deid/byte_matcher.h"
#include "dicom/text.h"
#include "dicom/utf8.h"

namespace sagitta::deid {
namespace {

// Belongs to the character before it.
bool is_mark(char32_t c) {
    return (c >= 0x0300 && c < 0x0370) || (c >= 0x0591 && c < 0x05c8) || (c >= 0x064b && c < 0x0660) ||
           c == 0x0670 || (c >= 0x1ab0 && c < 0x1b00) || (c >= 0x1dc0 && c < 0x1e00) || c == 0x3099 ||
           c == 0x309a || c == 0xff9e || c == 0xff9f || (c >= 0xfe20 && c < 0xfe30);
}

bool is_ascii_letter(char c) {
    return c >= 'a' && c <= 'z';
}

}  // namespace

FoldedText::FoldedText(std::string_view utf8) : original_size_(utf8.size()) {
    if (dicom::is_ascii(utf8)) {
        text_.resize(utf8.size());
        std::transform(utf8.begin(), utf8.end(), text_.begin(), small);
        return;
    }
    std::size_t at = 0;
    while (at < utf8.size()) {
        const std::size_t begin = at;
        (void)dicom::next_code_point(utf8, at);
        for (std::size_t next = at; next < utf8.size(); at = next) {
            const auto mark = dicom::next_code_point(utf8, next);
            if (!mark || !is_mark(*mark)) break;
        }
        const std::string folded = dicom::fold(utf8.substr(begin, at - begin));
        text_ += folded;
        from_.resize(text_.size(), static_cast<std::uint32_t>(begin));
    }
}

std::pair<std::size_t, std::size_t> FoldedText::original(std::size_t first, std::size_t last) const {
    if (from_.empty()) return {first, last};
    std::size_t end = last;
    while (end < from_.size() && end > 0 && from_[end] == from_[end - 1]) ++end;
    return {from_[first], end < from_.size() ? from_[end] : original_size_};
}

bool FoldedText::letter_at(std::size_t at) const noexcept {
    if (at >= text_.size()) return false;
    if (static_cast<unsigned char>(text_[at]) < 0x80) return is_ascii_letter(text_[at]);
    const auto c = dicom::next_code_point(text_, at);
    return c && *c >= 0xaa && !(*c >= 0x2000 && *c < 0x2070) && !(*c >= 0x3000 && *c < 0x3005) && *c != 0xd7;
}

bool FoldedText::letter_before(std::size_t at) const noexcept {
    if (at == 0) return false;
    --at;
    while (at > 0 && (static_cast<unsigned char>(text_[at]) & 0xc0) == 0x80) --at;
    return letter_at(at);
}

}  // namespace sagitta::deid
